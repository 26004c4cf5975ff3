//! Scratch from the thread's arena, what happens when it is too small, and the figures it keeps.

use ecphory::{ArenaConfig, ArenaStats, Error, Metric, OverflowPolicy, Packing, Rows, Search, arena};

fn main() -> Result<(), Error> {
    // Far below the default of 2 MiB, so that something overflows.
    ArenaConfig::new().capacity(64 << 10).install()?;

    // Both blocks are gone when the closure returns; nothing borrowed from them can leave it.
    let mean = arena::scope(|scratch| {
        let samples = scratch.fill(1000, 0.0f32)?;
        samples.iter_mut().enumerate().for_each(|(i, sample)| *sample = i as f32);
        let sorted = scratch.copy(samples)?;
        sorted.sort_unstable_by(f32::total_cmp);
        Ok::<_, Error>(sorted[100..900].iter().sum::<f32>() / 800.0)
    })??;
    println!("trimmed mean: {mean}");

    // A gather that packs its rows takes scratch for all of them: here 400 KB, six times what the arena has.
    let (data, ids) = (vec![0.5; 1000 * 100], Vec::from_iter(0..1000));
    let rows = Rows::new(&data, 100)?;
    let search = Search::new(Metric::Cosine).packing(Packing::Whole);
    for policy in [OverflowPolicy::Error, OverflowPolicy::Heap] {
        match search.on_overflow(policy).gather(&data[..100], &rows, &ids) {
            Ok(scores) => println!("{policy:?}: {} scores", scores.len()),
            Err(error) => println!("{policy:?}: {error}"),
        }
    }

    let stats = ArenaStats::of_thread();
    let percent = 100.0 * stats.utilization();
    println!("most in use:  {} of {} bytes ({percent:.0}%)", stats.high_water_mark, stats.capacity);
    println!("rewinds:      {}", stats.rewind_count);
    println!("overflows:    {}, of which {} ran on a heap loan", stats.overflow_count, stats.heap_loan_count);
    Ok(())
}
