//! The loops of vector stores, in C.

use std::ptr;

use ecphory_measure::Metric;

use super::{Part, Peer, normalised};

type Pair = unsafe extern "C" fn(*const f32, *const f32, usize) -> f32;
type OverRows = unsafe extern "C" fn(*const f32, *const f32, *const u32, usize, usize, *mut f32);

macro_rules! over_rows {
    ($($name:ident)*) => {
        unsafe extern "C" {
            $(fn $name(q: *const f32, rows: *const f32, ids: *const u32, n: usize, dim: usize, scores: *mut f32);)*
        }
    };
}

over_rows! {
    c_pgvector_dot_rows c_pgvector_sql2_rows c_pgvector_cosine_rows
    c_hnswlib_ip_rows c_hnswlib_sql2_rows
    c_qdrant_dot_rows c_qdrant_sql2_rows
}

unsafe extern "C" {
    fn c_hnswlib_ip(a: *const f32, b: *const f32, dim: usize) -> f32;
    fn c_qdrant_dot(a: *const f32, b: *const f32, dim: usize) -> f32;
}

pub fn peers(metric: Metric) -> Vec<Peer> {
    let to_product = |scores: &mut [f32]| scores.iter_mut().for_each(|score| *score = 1.0 - *score);
    match metric {
        Metric::Cosine => vec![
            plain("c-pgvector", c_pgvector_cosine_rows),
            of_unit_rows("c-hnswlib", move |query, part, scores| {
                over_rows(c_hnswlib_ip_rows, query, part, scores);
                to_product(scores);
            }),
            of_unit_rows("c-qdrant", |query, part, scores| over_rows(c_qdrant_dot_rows, query, part, scores)),
        ],
        Metric::Sql2 => vec![
            plain("c-pgvector", c_pgvector_sql2_rows),
            plain("c-hnswlib", c_hnswlib_sql2_rows),
            plain("c-qdrant", c_qdrant_sql2_rows),
        ],
        _ => vec![
            plain("c-pgvector", c_pgvector_dot_rows),
            Peer::new("c-hnswlib", move |query, part, scores| {
                over_rows(c_hnswlib_ip_rows, query, part, scores);
                to_product(scores);
            }),
            plain("c-qdrant", c_qdrant_dot_rows),
        ],
    }
}

/// hnswlib's distance for products and, of vectors of length 1, for cosine.
pub fn hnswlib_ip(a: &[f32], b: &[f32]) -> f32 {
    distance(c_hnswlib_ip, a, b)
}

/// The query at length 1.
pub fn unit(query: &[f32]) -> Vec<f32> {
    let length = distance(c_qdrant_dot, query, query).sqrt();
    query.iter().map(|x| x / length).collect()
}

fn plain(name: &'static str, rows: OverRows) -> Peer {
    Peer::new(name, move |query, part, scores| over_rows(rows, query, part, scores))
}

/// As these stores do it, rows were brought to length 1 when they came in; the query is for each search.
fn of_unit_rows(name: &'static str, fill: impl Fn(&[f32], Part<'_>, &mut [f32]) + Send + Sync + 'static) -> Peer {
    let peer = Peer::new(name, move |query, part, scores| fill(&unit(query), part, scores));
    Peer { made: Some(normalised), ..peer.noted("rows normalised beforehand") }
}

fn distance(pair: Pair, a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    // SAFETY: every `Pair` here reads `dim` elements of both.
    unsafe { pair(a.as_ptr(), b.as_ptr(), a.len()) }
}

fn over_rows(rows: OverRows, query: &[f32], part: Part<'_>, scores: &mut [f32]) {
    let (count, n) = (part.rows.len() / part.dim, scores.len());
    assert_eq!(query.len(), part.dim);
    match part.ids {
        None => assert!(n <= count),
        Some(ids) => assert!(n <= ids.len() && ids.iter().all(|&id| (id as usize) < count)),
    }
    let ids = part.ids.map_or(ptr::null(), <[u32]>::as_ptr);
    // SAFETY: every `OverRows` here reads the query, and of the rows the first `n` or those of the first `n` ids, all
    // of which were just seen to exist; it writes `n` scores.
    unsafe { rows(query.as_ptr(), part.rows.as_ptr(), ids, n, part.dim, scores.as_mut_ptr()) }
}
