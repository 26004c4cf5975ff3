//! Ecphory's own cases, each with the plain loop beside it. Whoever measures others adds them to these.

pub mod arena;
mod companion;
pub mod decay;
pub mod forgetting;
pub mod ours;
pub mod pushes;
pub mod ranks;
pub mod recall;
pub mod similarity;
pub mod spreading;

use crate::thread_count;

/// One thread, and all there are where that is more.
#[must_use]
pub fn one_and_all() -> Vec<usize> {
    let all = thread_count();
    if all > 1 { vec![1, all] } else { vec![1] }
}

/// Whether every one of `found` is within its bound of what is expected, or where the first is that is not.
///
/// # Errors
/// Who is wrong, where, and by how much.
pub fn check(who: &str, found: &[f32], expected: &[f64], bound: impl Fn(usize, f64) -> f64) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{who}: expected {} answers, found {}", expected.len(), found.len()));
    }
    let wrong = (0..found.len()).find(|&at| {
        let off = (f64::from(found[at]) - expected[at]).abs();
        // NaN is not within.
        off.is_nan() || off > bound(at, expected[at])
    });
    match wrong {
        None => Ok(()),
        Some(at) => Err(format!("{who}: expected {} at position {at}, found {}", expected[at], found[at])),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use half::{bf16, f16};

    use super::ours::Ours;
    use super::pushes::ppr_push;
    use super::ranks::{self, Walk};
    use super::similarity::Vectors;
    use super::spreading::Known;
    use super::{decay, forgetting, similarity, spreading};
    use crate::threads::in_pool;
    use crate::{Case, Effort, Limits, Metric, data};

    fn cases(limits: &Limits, threads: usize) -> Vec<Case<'static>> {
        let (one, many) = (Vectors::new(1, 5000, 24), Vectors::new(3, 5000, 24));
        let known = Known::new("pl1k", data::pl1k());
        let spread = if threads == 1 {
            spreading::spread3(limits, &known)
        } else {
            spreading::spread3_batch(limits, &known, threads)
        };
        let cases = [
            similarity::scores(limits, &one, &one.expected(Metric::Cosine), Metric::Cosine, threads),
            similarity::scores(limits, &many, &many.expected(Metric::Dot), Metric::Dot, threads),
            similarity::top_k(limits, &one, Metric::Sql2, 7, threads),
            similarity::gather(limits, &one, Metric::Dot, 4000, threads),
            decay::decay(limits, decay::Law::Power, &decay::ages(1 << 20), threads),
            spread,
        ];
        let mut cases: Vec<_> = cases.into_iter().map(Result::unwrap).collect();
        cases.extend(of_ranks(limits, threads));
        if threads == 1 {
            let memories = forgetting::Memories::new(3000);
            let of = |way| forgetting::case(limits, way, &memories, 1).unwrap();
            cases.extend(forgetting::Way::ALL.map(of));
        }
        cases.extend(of_type::<f16>(limits, Metric::Cosine, threads));
        cases.extend(of_type::<bf16>(limits, Metric::Dot, threads));
        cases.extend(of_type::<i8>(limits, Metric::Cosine, threads));
        cases.extend(of_type::<u8>(limits, Metric::Hamming, threads));
        cases.extend(of_type::<u8>(limits, Metric::Jaccard, threads));
        cases
    }

    fn of_ranks(limits: &Limits, threads: usize) -> Vec<Case<'static>> {
        let walk = Walk::new("pl1k", data::pl1k());
        let mut cases = vec![ranks::ppr_iteration(limits, &walk, threads), ranks::ppr_power(&walk, threads)];
        if threads == 1 {
            let heat = ranks::heat(&walk, &ranks::heated(&walk));
            cases.extend([ppr_push(limits, "pl1k", &walk.csr), ranks::ppr_batch(&walk), heat]);
        }
        cases.into_iter().map(Result::unwrap).collect()
    }

    fn of_type<T: Ours>(limits: &Limits, metric: Metric, threads: usize) -> [Case<'static>; 3] {
        let (one, many) = (Vectors::<T>::drawn([1, 5000, 24]), Vectors::<T>::drawn([3, 5000, 24]));
        let cases = [
            similarity::scores(limits, &one, &one.expected(metric), metric, threads),
            similarity::scores(limits, &many, &many.expected(metric), metric, threads),
            similarity::top_k(limits, &one, metric, 7, threads),
        ];
        cases.map(Result::unwrap)
    }

    #[test]
    fn a_few_queries_are_also_asked_one_by_one_and_an_empty_call_is_beside_a_small_one() {
        let (limits, effort) = (Limits::of_nothing(), Effort { rounds: 1, sample: Duration::ZERO });
        let vectors = Vectors::new(3, 16, 24);
        let expected = vectors.expected(Metric::Dot);
        let mut case = similarity::scores(&limits, &vectors, &expected, Metric::Dot, 1).unwrap();
        similarity::add_singles(&mut case, &vectors, &expected, Metric::Dot, 1).unwrap();
        similarity::add_empty_call(&mut case);
        let lines = case.run(effort).0;
        let names: Vec<_> = lines.iter().map(|line| line.who.as_str()).collect();
        assert_eq!(names, ["ecphory", "scalar", "ecphory-singles", "empty-call"]);
        assert!(lines.iter().all(|line| line.limit.is_none()), "such few bytes are in the first level of cache");
    }

    #[test]
    fn the_plain_loop_is_right_beside_ours_on_one_thread_and_on_more() {
        let (limits, effort) = (Limits::of_nothing(), Effort { rounds: 1, sample: Duration::ZERO });
        for threads in [1, 2] {
            let outcomes = in_pool(threads, || {
                cases(&limits, threads).into_iter().map(|case| case.run(effort)).collect::<Vec<_>>()
            });
            for (lines, left_out) in outcomes.unwrap() {
                assert_eq!(left_out, []);
                assert!(lines.iter().all(|line| line.threads == threads));
                let names = lines.iter().map(|line| line.who.as_str());
                let (ours, others) = names.partition::<Vec<_>, _>(|name| name.starts_with("ecphory"));
                assert_eq!((ours[0], &others[..]), ("ecphory", &["scalar"][..]));
            }
        }
    }
}
