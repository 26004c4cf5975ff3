//! Signal handlers that run kernels and scopes on the thread they interrupt: tests/signals.c says what must hold.

#![cfg(unix)]

#[path = "common/c.rs"]
mod c;

#[test]
fn handlers_use_the_arena_of_the_thread_they_interrupt_and_leave_it_as_it_was() {
    c::finds_nothing_amiss("signals");
}
