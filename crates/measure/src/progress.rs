//! Progress on a terminal; silence elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error that goes away when it is dropped.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar of so many steps; nothing is drawn where standard error is not a terminal.
    #[must_use]
    pub fn new(steps: usize) -> Self {
        let bar = ProgressBar::new(steps as u64);
        if let Ok(style) = ProgressStyle::with_template("{wide_msg} {bar:24} {pos}/{len} {eta:>4}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// What is being done now.
    pub fn now(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    /// So many steps are done.
    pub fn step(&self, steps: usize) {
        self.0.inc(steps as u64);
    }

    /// Does what writes to the terminal while the bar is out of the way.
    pub fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        self.0.suspend(write)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
