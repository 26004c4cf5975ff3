//! Prepared rows and companions by their parts: written as little-endian bytes and read back, they are what they were.

mod common;
#[path = "common/oracle.rs"]
mod oracle;
#[path = "common/samples.rs"]
mod samples;

use std::any::type_name;
use std::borrow::Cow;

use common::{bits, numbers};
use ecphory::{AsRows, Companion, Meets, Number, Prepared, Rows, Search};
use oracle::{METRICS, as_pairs};
use samples::{Sample, scales};

/// An element as bytes of a file that any machine reads.
trait Stored: Sample + Number {
    fn write(all: &[Self]) -> Vec<u8>;
    fn read(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! stored {
    ($($element:ty),*) => {$(
        impl Stored for $element {
            fn write(all: &[Self]) -> Vec<u8> {
                all.iter().flat_map(|element| element.to_le_bytes()).collect()
            }

            fn read(bytes: &[u8]) -> Vec<Self> {
                let each = bytes.chunks_exact(size_of::<Self>());
                each.map(|bytes| Self::from_le_bytes(bytes.try_into().unwrap())).collect()
            }
        }
    )*};
}

stored!(f32, i8);
#[cfg(feature = "half")]
stored!(half::f16, half::bf16);

/// Every metric's answers as bits: to one query, to many, and of the best rows of one.
fn answers<Q: Sample + Meets<T>, T: Sample>(queries: &[Q], rows: &impl AsRows<Element = T>) -> Vec<u32> {
    let query = &queries[..rows.as_rows().dim()];
    let of = |search: Search| {
        let (alone, among) = (search.scores(query, rows).unwrap(), search.matrix(queries, rows).unwrap());
        let (hits, nan_rows) = as_pairs(&search.top_k(query, rows, 9).unwrap());
        let hits = hits.iter().flat_map(|&(row, score)| [row as u32, score]).chain([nan_rows as u32]);
        [bits(&alone), bits(&among), hits.collect()].concat()
    };
    METRICS.map(|metric| of(Search::new(metric))).concat()
}

fn prepared_rows_are_kept<Q: Sample + Meets<T>, T: Stored>() {
    for (dim, count) in [(1, 9), (5, 70), (64, 33), (129, 65), (768, 20)] {
        let (elements, scales) = (T::drawn(1, dim * count), scales(2, count));
        let prepared = Prepared::new(T::scaled(Rows::new(&elements, dim).unwrap(), &scales)).unwrap();
        let file = [T::write(&elements), f32::write(&scales), f32::write(prepared.norms())].concat();

        let (elements_end, scales_end) = (size_of::<T>() * dim * count, (size_of::<T>() * dim + 4) * count);
        let kept = T::read(&file[..elements_end]);
        let (scales, norms) = (f32::read(&file[elements_end..scales_end]), f32::read(&file[scales_end..]));
        let rows = T::scaled(Rows::new(&kept, dim).unwrap(), &scales);
        let read = Prepared::from_parts(rows, &norms).unwrap();
        assert_eq!((read.len(), read.dim(), read.is_empty()), (count, dim, false));
        assert_eq!(bits(read.norms()), bits(prepared.norms()));

        let queries = Q::drawn(3, 12 * dim);
        let found = answers(&queries, &read);
        assert!(found == answers(&queries, &prepared), "{}, dim {dim}", type_name::<T>());
        assert!(found == answers(&queries, read.rows()), "{}, dim {dim}", type_name::<T>());
    }
}

#[test]
fn prepared_rows_written_as_bytes_and_read_back_score_the_same_bits() {
    prepared_rows_are_kept::<f32, f32>();
    prepared_rows_are_kept::<f32, i8>();
    prepared_rows_are_kept::<i8, i8>();
    #[cfg(feature = "half")]
    {
        prepared_rows_are_kept::<f32, half::f16>();
        prepared_rows_are_kept::<half::f16, half::f16>();
        prepared_rows_are_kept::<f32, half::bf16>();
        prepared_rows_are_kept::<half::bf16, half::bf16>();
    }
}

#[test]
fn a_companion_written_as_bytes_and_read_back_finds_the_same_hits_among_as_many_rows() {
    for (dim, count) in [(3, 300), (70, 2000), (128, 1500)] {
        let (elements, queries) = (numbers(1, dim * count), numbers(2, 12 * dim));
        let prepared = Prepared::new(Rows::new(&elements, dim).unwrap()).unwrap();
        let companion = Companion::new(prepared.rows()).unwrap();
        let facts = [companion.scales(), companion.residuals(), companion.lengths()];
        let file = [i8::write(companion.elements()), f32::write(&facts.concat())].concat();

        let (copies, facts) = file.split_at(companion.elements().len());
        let (copies, facts) = (i8::read(copies), f32::read(facts));
        let [scales, residuals, lengths] = [0, 1, 2].map(|fact| &facts[fact * count..][..count]);
        let read = Companion::from_parts(dim, &copies, scales, residuals, lengths).unwrap();
        assert!(read == companion);
        let [with, without] = [&read, &companion].map(|copies| prepared.clone().with_companion(copies).unwrap());
        assert!(answers(&queries, &with) == answers(&queries, &without));
        assert!(answers(&queries, &with) == answers(&queries, &prepared));
        for search in METRICS.map(Search::new) {
            let [with, without] = [&with, &without].map(|rows| search.top_k(&queries[..dim], rows, 9).unwrap());
            assert_eq!(with.rescored_rows, without.rescored_rows);
        }
    }
}

#[test]
fn parts_are_borrowed_or_taken_as_they_are_given_and_given_back_so() {
    let (elements, norms) = ([1.0, 2.0, 2.0, 4.0], vec![5f32.sqrt(), 20f32.sqrt()]);
    let rows = Rows::new(&elements, 2).unwrap();
    let lent = Prepared::from_parts(rows, &norms).unwrap();
    assert_eq!(lent.norms().as_ptr(), norms.as_ptr());
    let (back, lent) = lent.into_parts();
    assert!(matches!(lent, Cow::Borrowed(_)) && back.as_slice() == elements);
    assert!(matches!(Prepared::from_parts(rows, norms).unwrap().into_parts().1, Cow::Owned(_)));

    let made = Companion::new(&rows).unwrap();
    let lent = Companion::from_parts(2, made.elements(), made.scales(), made.residuals(), made.lengths()).unwrap();
    assert!(lent.elements().as_ptr() == made.elements().as_ptr() && lent.len() == 2);
    let (copies, scales, residuals, lengths) = lent.into_parts();
    let all = [&scales, &residuals, &lengths];
    assert!(matches!(copies, Cow::Borrowed(_)) && all.iter().all(|facts| matches!(facts, Cow::Borrowed(_))));
    let again = made.clone();
    let (copies, scales, residuals, lengths) = again.into_parts();
    assert!(matches!(copies, Cow::Owned(_)));
    assert!(Companion::from_parts(2, copies, scales, residuals, lengths).unwrap() == made);
}
