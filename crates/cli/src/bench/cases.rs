use std::sync::Arc;

use ecphory_measure::cases::pushes::ppr_push;
use ecphory_measure::cases::ranks::{self, Walk};
use ecphory_measure::cases::similarity::{DIMS, METRICS, Vectors, gather, gather_work, scores, top_k, work};
use ecphory_measure::cases::spreading::{Known, spread3, spread3_batch};
use ecphory_measure::cases::{arena, decay, forgetting, one_and_all, recall};
use ecphory_measure::data::{self, Csr};
use ecphory_measure::suite::Plan;
use ecphory_measure::{Metric, Work};

use crate::wordnet::WordNet;

/// Every case; for a first look only what fits the caches.
pub fn plans(quick: bool) -> Vec<Plan> {
    let mut plans = similarity(quick);
    plans.extend(spreading(quick));
    plans.extend(recalls(quick));
    plans.extend(decays(quick));
    plans.extend(arenas());
    plans
}

fn similarity(quick: bool) -> Vec<Plan> {
    let (mut plans, rows) = (Vec::new(), if quick { 10_000 } else { 100_000 });
    for dim in DIMS {
        plans.extend(METRICS.map(|metric| scores_plan([1, 1000, dim], metric, 1)));
    }
    plans.push(scores_plan([64, 1000, 768], Metric::Dot, 1));
    for threads in one_and_all() {
        // So much that it is more than one task.
        plans.push(scores_plan([64, 10_000, 384], Metric::Dot, threads));
        plans.push(gather_plan(4000, rows, Metric::Dot, threads));
        plans.push(top_k_plan([1, 10_000, 384], threads));
        if !quick {
            plans.extend([Metric::Cosine, Metric::Dot].map(|m| scores_plan([1, 100_000, 768], m, threads)));
            plans.push(top_k_plan([1, 100_000, 768], threads));
        }
    }
    plans.push(gather_plan(1000, rows, Metric::Cosine, 1));
    plans
}

fn scores_plan([m, n, dim]: [usize; 3], metric: Metric, threads: usize) -> Plan {
    let case = if m == 1 { "1xN" } else { "MxN" };
    Plan::new(work(case, [m, n, dim], metric, None), threads, move |limits| {
        let vectors = Vectors::new(m, n, dim);
        scores(limits, &vectors, &vectors.expected(metric), metric, threads)
    })
    .named(if m == 1 { &["prepared"] } else { &["prepared", "singles"] })
}

fn top_k_plan(shape: [usize; 3], threads: usize) -> Plan {
    let [m, n, dim] = shape;
    Plan::new(work("topk", shape, Metric::Cosine, Some(10)), threads, move |limits| {
        top_k(limits, &Vectors::new(m, n, dim), Metric::Cosine, 10, threads)
    })
    .named(&["prepared", "companion"])
}

fn gather_plan(count: usize, of: usize, metric: Metric, threads: usize) -> Plan {
    Plan::new(gather_work(count, of, 768, metric), threads, move |limits| {
        gather(limits, &Vectors::new(1, of, 768), metric, count, threads)
    })
    .named(&["prepared", "packed"])
}

/// A graph's name and how it is made.
type Graph = (&'static str, fn() -> Csr);

fn spreading(quick: bool) -> Vec<Plan> {
    let pl100k: Graph = ("pl100k", data::pl100k);
    let graphs: [Graph; 3] = [("pl1k", data::pl1k), pl100k, ("rmat20", data::rmat20)];
    let kept = if quick { &graphs[..2] } else { &graphs };
    let work = |case: &str, name: &str| Work::Spreading { case: case.into(), graph: name.into() };
    let mut plans = Vec::new();
    for &(name, make) in kept {
        plans.extend(one_and_all().into_iter().map(|threads| {
            Plan::new(work("spread3", name), threads, move |limits| {
                let known = Known::new(name, make());
                if threads == 1 { spread3(limits, &known) } else { spread3_batch(limits, &known, threads) }
            })
        }));
    }
    for &(name, make) in kept {
        plans.extend(one_and_all().into_iter().map(|threads| {
            Plan::new(work("ppr_power", name), threads, move |_| ranks::ppr_power(&Walk::new(name, make()), threads))
        }));
    }
    for &(name, make) in &kept[1..] {
        let push = Plan::new(work("ppr_push", name), 1, move |limits| ppr_push(limits, name, &make().into()));
        plans.push(push.named(&["grown"]));
    }
    let (name, make) = pl100k;
    let batch = Plan::new(work("ppr_batch16", name), 1, move |_| ranks::ppr_batch(&Walk::new(name, make())));
    plans.push(batch.named(&["singles"]));
    plans.push(Plan::new(work("heat", name), 1, move |_| {
        let walk = Walk::new(name, make());
        ranks::heat(&walk, &ranks::heated(&walk))
    }));
    plans
}

fn recalls(quick: bool) -> Vec<Plan> {
    let wordnet = || WordNet::load().map(|wordnet| wordnet.to_recall()).map_err(|failure| failure.to_string());
    let mut top =
        vec![Plan::new(recall::work("top10", "wordnet5k"), 1, move |limits| recall::top10(limits, &wordnet()?, 1))];
    let mut first = vec![Plan::new(recall::work("first10", "wordnet5k"), 1, move |_| recall::first10(&wordnet()?, 1))];
    let mut text = Vec::new();
    if !quick {
        let drawn = recall::Known::drawn;
        top.push(Plan::new(recall::work("top10", "pl100k"), 1, move |limits| recall::top10(limits, &drawn(), 1)));
        first.push(Plan::new(recall::work("first10", "pl100k"), 1, move |_| recall::first10(&drawn(), 1)));
        text.push(Plan::new(recall::work("text10", "pl100k"), 1, move |_| recall::text10(&drawn(), 1)));
    }
    let top = top.into_iter().map(|plan| plan.named(&["similarity", "hops", "copies", "scan", "read"]));
    let first = first.into_iter().map(|plan| plan.named(&["similarity"]));
    let text = text.into_iter().map(|plan| plan.named(&["keywords", "copies"]));
    top.chain(first).chain(text).collect()
}

fn decays(quick: bool) -> Vec<Plan> {
    let sizes: &[usize] = if quick { &[10_000] } else { &[10_000, 1_000_000, 100_000_000] };
    let mut plans = Vec::new();
    for law in decay::Law::ALL {
        for &n in sizes {
            // So few stay on one thread.
            let threads = if n == 10_000 { vec![1] } else { one_and_all() };
            plans.extend(threads.into_iter().map(|threads| {
                Plan::new(decay::work(law, n), threads, move |limits| {
                    let ages: Arc<[f32]> = decay::ages(n);
                    decay::decay(limits, law, &ages, threads)
                })
            }));
        }
    }
    for way in forgetting::Way::ALL {
        for &n in if quick { &[10_000][..] } else { &[10_000, 1_000_000] } {
            let threads = if n == 10_000 { vec![1] } else { one_and_all() };
            plans.extend(threads.into_iter().map(|threads| {
                Plan::new(forgetting::work(way, n), threads, move |limits| {
                    forgetting::case(limits, way, &forgetting::Memories::new(n), threads)
                })
            }));
        }
    }
    plans
}

fn arenas() -> Vec<Plan> {
    let mut plans = Vec::new();
    for size in [16, 256, 4096] {
        let work = arena::work("alloc", Some(size), Some(64));
        let plan = Plan::new(work, 1, move |limits| Ok(arena::alloc(limits, size, 1)));
        plans.push(plan.named(&["inline", "inline-uncounted", "frame", "ffi", "scope"]));
    }
    for threads in one_and_all() {
        let work = arena::work("kernel3", None, Some(64));
        let plan = Plan::new(work, threads, move |_| Ok(arena::kernel3(threads)));
        plans.push(plan.named(&["inline", "frame", "frame-uncounted", "ffi", "ffi-uncounted", "scope"]));
    }
    for power in [16, 18, 20, 21, 22, 24, 26] {
        let size = 1 << power;
        plans.push(Plan::new(arena::work("birth", Some(size), None), 1, move |_| Ok(arena::birth(size))));
    }
    plans
}
