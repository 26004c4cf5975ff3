//! `ECPHORY_TIER`, which is read once per process: each case is this test program run again.

use std::env;
use std::fmt::Debug;
use std::process::Command;

use ecphory::{
    Ages, ArenaConfig, ArenaStats, Decay, Edge, Error, Graph, Metric, Rows, Search, Seed, Spread, arena,
    similarity_batch, tier,
};

/// Runs `child` of this program with `ECPHORY_TIER=tier`.
fn run_again(child: &str, tier: &str) {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", child, "--ignored"])
        .env("ECPHORY_TIER", tier)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{tier}: {said}");
}

#[test]
fn every_tier_that_this_machine_has_can_be_forced() {
    let supported: Vec<_> = tier::all().into_iter().filter(|tier| tier.supported).collect();
    assert!(!supported.is_empty());
    for tier in supported {
        run_again("child_in_a_forced_tier", tier.name);
    }
}

#[test]
#[ignore = "run by its parent"]
fn child_in_a_forced_tier() {
    assert_eq!(tier::in_use().unwrap(), env::var("ECPHORY_TIER").unwrap());
    assert_eq!(similarity_batch(&[3.0, 4.0], &Rows::new(&[4.0, -3.0], 2).unwrap()), Ok(vec![0.0]));
}

#[test]
fn a_tier_that_is_unknown_or_that_this_machine_lacks_makes_every_call_say_so() {
    let missing = tier::all().into_iter().filter(|tier| !tier.supported).map(|tier| tier.name);
    for tier in missing.chain(["nonsense", "V1", "v"]) {
        run_again("child_in_an_unknown_tier", tier);
    }
}

/// The refusal that every call owes, with the tiers that could be had.
fn refuses<T: Debug>(outcome: Result<T, Error>) {
    let supported: Vec<_> = tier::all().iter().filter(|tier| tier.supported).map(|tier| tier.name).collect();
    match outcome {
        Err(Error::UnknownTier { requested, available }) => {
            assert_eq!(requested, env::var("ECPHORY_TIER").unwrap());
            assert_eq!(available, supported.join(", "));
        }
        other => panic!("expected the refusal of an unknown tier, found {other:?}"),
    }
}

#[test]
#[ignore = "run by its parent"]
fn child_in_an_unknown_tier() {
    let rows = Rows::new(&[1.0, 2.0], 2).unwrap();
    let graph = Graph::from_edges(2, [Edge::new(0, 1, 1.0)]).unwrap();
    let search = Search::new(Metric::Dot);
    let (mut scores, mut strengths) = ([7.0], [7.0]);
    refuses(tier::in_use());
    refuses(similarity_batch(&[1.0, 1.0], &rows));
    refuses(search.scores_into(&[1.0, 1.0], &rows, &mut scores));
    refuses(search.gather_into(&[1.0, 1.0], &rows, &[0], &mut scores));
    refuses(search.top_k(&[1.0, 1.0], &rows, 1));
    refuses(graph.spread(&[Seed::new(0, 1.0)], &Spread::default()));
    refuses(graph.spread_batch(&[[Seed::new(0, 1.0)]], &Spread::default()));
    refuses(Decay::half_life_seconds(1.0).unwrap().apply(&mut strengths, Ages::Seconds(&[1.0])));
    refuses(arena::scope(|_| ()));
    refuses(arena::trim());
    refuses(ArenaConfig::new().install());
    assert_eq!((scores, strengths), ([7.0], [7.0]));
    assert_eq!(ArenaStats::of_all_threads().live_arenas, 0);
}
