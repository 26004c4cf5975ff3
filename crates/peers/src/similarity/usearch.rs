//! usearch, which looks at every row when asked for the exact answer.

use ecphory_measure::{Kind, Metric};
use half::{bf16, f16};
use usearch::{Index, IndexOptions, MetricKind, ScalarKind, VectorType, b1x8, f16 as F16};

use super::best::{Found, Wanted};

/// Searches.
pub type Exact = Box<dyn FnMut() -> Found>;

pub fn of_f32(wanted: &Wanted<'_, f32>) -> Result<Exact, String> {
    exact(wanted, ScalarKind::F32, |all| all.to_vec())
}

pub fn of_f16(wanted: &Wanted<'_, f16>) -> Result<Exact, String> {
    exact(wanted, ScalarKind::F16, |all| {
        F16::from_i16s(&all.iter().map(|x| x.to_bits().cast_signed()).collect::<Vec<_>>()).to_vec()
    })
}

/// In f32, for it takes no others; it narrows them again.
pub fn of_bf16(wanted: &Wanted<'_, bf16>) -> Result<Exact, String> {
    exact(wanted, ScalarKind::BF16, |all| all.iter().map(|x| x.to_f32()).collect())
}

pub fn of_i8(wanted: &Wanted<'_, i8>) -> Result<Exact, String> {
    exact(wanted, ScalarKind::I8, |all| all.to_vec())
}

pub fn of_bits(wanted: &Wanted<'_, u8>) -> Result<Exact, String> {
    exact(wanted, ScalarKind::B1, |all| b1x8::from_u8s(all).to_vec())
}

/// Every row goes through a graph into the index; the graph is kept as small as can be, for an exact search ignores it.
fn exact<T: Kind, V: VectorType + 'static>(
    wanted: &Wanted<'_, T>,
    quantization: ScalarKind,
    theirs: impl Fn(&[T]) -> Vec<V>,
) -> Result<Exact, String> {
    let (v, k) = (wanted.vectors, wanted.k);
    let metric = match wanted.metric {
        Metric::Cosine => MetricKind::Cos,
        Metric::Sql2 => MetricKind::L2sq,
        Metric::Dot => MetricKind::IP,
        Metric::Hamming => MetricKind::Hamming,
        Metric::Jaccard => MetricKind::Tanimoto,
    };
    let options = IndexOptions {
        dimensions: v.shape()[2],
        metric,
        quantization,
        connectivity: 2,
        expansion_add: 1,
        expansion_search: 1,
        multi: false,
    };
    let fails = |error| format!("usearch: {error}");
    let index = Index::new(&options).map_err(fails)?;
    index.reserve(v.n).map_err(fails)?;
    for (at, row) in v.rows.chunks(v.dim).enumerate() {
        index.add(at as u64, &theirs(row)).map_err(fails)?;
    }
    let query = theirs(&v.queries);
    let find = move || index.exact_search(&query, k).expect("an answer").keys.iter().map(|&key| key as usize).collect();
    Ok(Box::new(find))
}
