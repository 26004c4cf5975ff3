use std::time::Instant;

use ecphory::{ArenaStats, Error, Kernel, NeedHistogram, arena};
use ecphory_measure::Bar;
use serde::Serialize;

use crate::failure::Failure;

/// Calls of one kind: what they needed and took.
#[derive(Debug, Serialize)]
pub struct Calls {
    pub call: &'static str,
    pub kernel: Kernel,
    /// None where the call takes no scratch.
    pub need: Option<Need>,
    pub median_us: f64,
    pub needs: NeedHistogram,
}

/// Needs in bytes, rounded up as the histogram does.
#[derive(Debug, Serialize)]
pub struct Need {
    pub median: usize,
    pub p999: usize,
    pub largest: usize,
}

impl Calls {
    /// Calls `run` with each number below `scopes`, inside `outer` scopes that hold as much as the call itself.
    pub fn run(
        call: &'static str,
        kernel: Kernel,
        scopes: usize,
        outer: usize,
        bar: &Bar,
        mut run: impl FnMut(usize) -> Result<(), Error>,
    ) -> Result<Self, Failure> {
        bar.now(call);
        let mut needs = NeedHistogram::new();
        let mut times = Vec::with_capacity(scopes);
        for scope in 0..scopes {
            let bytes = if outer > 0 { need(&mut || run(scope))? } else { 0 };
            let need = inside(outer, bytes, &mut || need(&mut || run(scope)))?;
            if need > 0 {
                needs.record(need);
            }
            let start = Instant::now();
            inside(outer, bytes, &mut || run(scope))?;
            times.push(start.elapsed().as_secs_f64() * 1e6);
            bar.step();
        }
        times.sort_unstable_by(f64::total_cmp);
        let median_us = times.get(times.len() / 2).copied().unwrap_or_default();
        Ok(Self { call, kernel, need: Need::of(&needs), median_us, needs })
    }
}

impl Need {
    fn of(needs: &NeedHistogram) -> Option<Self> {
        Some(Self { median: needs.quantile(0.5)?, p999: needs.quantile(0.999)?, largest: needs.largest()? })
    }
}

/// What the outermost scope needs in which `call` is all that is left to do: where the rest of the arena is held, the
/// call is refused and says so. 0 where it takes no scratch.
pub fn need(call: &mut dyn FnMut() -> Result<(), Error>) -> Result<usize, Error> {
    arena::scope(|scratch| {
        let stats = ArenaStats::of_thread();
        let free = stats.capacity - stats.current_usage;
        scratch.alloc::<u8>(free)?;
        match call() {
            Ok(()) => Ok(stats.current_usage),
            Err(Error::OutOfMemory { needed, .. }) => Ok(needed - free),
            Err(error) => Err(error),
        }
    })?
}

/// `call` inside so many scopes that hold `bytes` each.
fn inside<R>(scopes: usize, bytes: usize, call: &mut dyn FnMut() -> Result<R, Error>) -> Result<R, Error> {
    if scopes == 0 {
        return call();
    }
    arena::scope(|scratch| {
        scratch.alloc::<u8>(bytes)?;
        inside(scopes - 1, bytes, call)
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_blocks() -> Result<(), Error> {
        arena::scope(|scratch| scratch.alloc::<u8>(3 * 64).map(drop))?
    }

    #[test]
    fn a_need_is_what_a_call_would_hold_and_each_scope_around_it_holds_as_much_again() {
        assert_eq!(need(&mut three_blocks), Ok(192));
        assert_eq!(inside(2, 192, &mut || need(&mut three_blocks)), Ok(3 * 192));
        assert_eq!(need(&mut || Ok(())), Ok(0));
        assert_eq!(need(&mut || Err(Error::ThreadEnding)), Err(Error::ThreadEnding));
    }

    #[test]
    fn calls_are_counted_and_those_without_scratch_need_nothing() {
        let bar = Bar::new(1);
        let calls = Calls::run("blocks", Kernel::Caller, 10, 1, &bar, |_| three_blocks()).unwrap();
        let need = calls.need.unwrap();
        assert_eq!((calls.needs.count(), need.median, need.p999, need.largest), (10, 384, 384, 384));
        let none = Calls::run("none", Kernel::Decay, 10, 3, &bar, |_| Ok(())).unwrap();
        assert!(none.needs.is_empty() && none.need.is_none() && none.median_us >= 0.0);
    }
}
