use std::time::Instant;

use ecphory::{ArenaReport, ArenaStats, Error, Kernel, NeedHistogram, arena};
use ecphory_measure::Bar;
use serde::Serialize;

use crate::failure::Failure;

/// Scopes of one kind: what they needed, and what the calls took that opened them.
#[derive(Debug, Serialize)]
pub struct Calls {
    pub call: &'static str,
    pub kernel: Kernel,
    /// None where no scope was opened.
    pub need: Option<Need>,
    /// None of scopes that were recorded elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_us: Option<f64>,
    pub needs: NeedHistogram,
    /// Scopes that need more than the arena that is judged has.
    pub overflows: u64,
}

/// Needs in bytes, rounded up as the histogram does.
#[derive(Debug, Serialize)]
pub struct Need {
    pub median: usize,
    pub p999: usize,
    pub largest: usize,
}

impl Calls {
    pub fn new(call: &'static str, kernel: Kernel, needs: NeedHistogram, median_us: Option<f64>) -> Self {
        Self { call, kernel, need: Need::of(&needs), median_us, needs, overflows: 0 }
    }

    /// Calls `run` with each number below `scopes`, inside `outer` scopes that hold as much as the first call. Needs
    /// are those that arenas recorded meanwhile: nobody else may use one.
    pub fn run(
        call: &'static str,
        kernel: Kernel,
        scopes: usize,
        outer: usize,
        bar: &Bar,
        mut run: impl FnMut(usize) -> Result<(), Error>,
    ) -> Result<Self, Failure> {
        bar.now(call);
        let bytes = if outer > 0 { need(&mut || run(0))? } else { 0 };
        let outer = if bytes > 0 { outer } else { 0 };
        let before = ArenaReport::now().needs();
        let mut times = Vec::with_capacity(scopes);
        for scope in 0..scopes {
            let start = Instant::now();
            inside(outer, bytes, &mut || run(scope))?;
            times.push(start.elapsed().as_secs_f64() * 1e6);
            bar.step(1);
        }
        let needs = ArenaReport::now().needs().since(&before);
        times.sort_unstable_by(f64::total_cmp);
        Ok(Self::new(call, kernel, needs, times.get(times.len() / 2).copied()))
    }
}

impl Need {
    fn of(needs: &NeedHistogram) -> Option<Self> {
        Some(Self { median: needs.quantile(0.5)?, p999: needs.quantile(0.999)?, largest: needs.largest()? })
    }
}

/// What the outermost scope needs, to the byte, in which `call` is all that is left to do: where the rest of the arena
/// is held, the call is refused and says so. 0 where it takes no scratch.
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
}
