//! usearch, which looks at every row when asked for the exact answer.

use ecphory_measure::Metric;
use ecphory_measure::cases::similarity::Vectors;
use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

use super::best::Found;

/// Every row goes through a graph into the index; the graph is kept as small as can be, for an exact search ignores it.
pub fn exact(v: &Vectors, metric: Metric, k: usize) -> Result<impl FnMut() -> Found + use<>, String> {
    let metric = if metric == Metric::Cosine { MetricKind::Cos } else { MetricKind::IP };
    let options = IndexOptions {
        dimensions: v.dim,
        metric,
        quantization: ScalarKind::F32,
        connectivity: 2,
        expansion_add: 1,
        expansion_search: 1,
        multi: false,
    };
    let fails = |error| format!("usearch: {error}");
    let index = Index::new(&options).map_err(fails)?;
    index.reserve(v.n).map_err(fails)?;
    for (at, row) in v.rows.chunks(v.dim).enumerate() {
        index.add(at as u64, row).map_err(fails)?;
    }
    let query = v.queries.clone();
    let find = move || index.exact_search(&query, k).expect("an answer").keys.iter().map(|&key| key as usize).collect();
    Ok(find)
}
