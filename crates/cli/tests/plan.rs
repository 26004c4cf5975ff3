//! `ecphory arena plan` as its users meet it. Times are not judged here: they are the machine's business.

use std::process::{Command, Output};
use std::{env, fs};

use ecphory::{ArenaReport, Metric, OverflowPolicy, Packing, Rows, Search, arena};
use serde_json::{Value, json};

fn plan(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ecphory")).args(["arena", "plan"]).args(arguments).output().unwrap()
}

fn good(arguments: &[&str]) -> String {
    let output = plan(arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    // A pipe is no terminal: there is no bar.
    assert!(output.status.success() && errors.is_empty(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a run that is refused and prints nothing else.
fn refusal(arguments: &[&str]) -> String {
    let output = plan(arguments);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&good(&[arguments, &["--json"]].concat())).unwrap()
}

fn assert_80_columns(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

/// The line of text that starts with `label`, its cells.
fn cells<'a>(text: &'a str, label: &str) -> Vec<&'a str> {
    let line = text.lines().find(|line| line.starts_with(label));
    line.unwrap_or_else(|| panic!("no {label}\n{text}"))[label.len()..].split_whitespace().collect()
}

/// Overflows of each capacity in percent.
fn rates(plan: &Value) -> Vec<(u64, f64)> {
    let size = |size: &Value| (size["capacity"].as_u64().unwrap(), size["rate"]["share"].as_f64().unwrap() * 100.0);
    plan["sizes"].as_array().unwrap().iter().map(size).collect()
}

#[test]
fn a_described_workload_needs_what_its_kernels_ask_for() {
    let plan = json(&["--scopes", "1000"]);
    let call = |position: usize| {
        let call = &plan["calls"][position];
        assert!(call["median_us"].as_f64().unwrap() > 0.0);
        (call["call"].as_str().unwrap(), call["kernel"].as_str().unwrap(), call["needs"].clone())
    };
    // The buckets of 3,075,072 bytes, of 3,072, and of two numbers for each node and a bit.
    assert_eq!(call(0), ("gather", "similarity", json!([[3_145_728, 1000]])));
    assert_eq!(call(1), ("scores", "similarity", json!([[3072, 1000]])));
    assert_eq!(call(2), ("spread", "spreading", json!([[8192, 1000]])));
    assert_eq!(call(3), ("decay", "decay", json!([])));
    assert_eq!(plan["advice"], json!({ "kind": "grow", "to": 4 << 20 }));
    assert_eq!((&plan["capacity_bytes"], &plan["peak_utilisation"]), (&json!(2 << 20), &json!(1.5)));
    let sizes = plan["sizes"].as_array().unwrap();
    assert_eq!((sizes.len(), &sizes[5]["overflows"], &sizes[6]["overflows"]), (11, &json!(1000), &json!(0)));
    assert!(sizes.iter().all(|size| size["birth_us"].as_f64().unwrap() > 0.0 && size["claimed_percent"].is_null()));
}

#[test]
fn other_sizes_have_other_needs_and_calls_inside_others_add_up() {
    let needs = |arguments: &[&str]| {
        let plan = json(&[arguments, &["--scopes", "1"]].concat());
        [0, 1, 2].map(|call: usize| plan["calls"][call]["need"]["largest"].as_u64().unwrap())
    };
    let small = ["--dim", "16", "--candidates", "7", "--nodes", "32", "--memories", "1"];
    assert_eq!(needs(&small), [512, 64, 320]);
    assert_eq!(needs(&[&small[..], &["--nesting", "3"]].concat()), [1536, 192, 960]);
    assert_eq!(needs(&["--nesting", "2"])[0], 6 << 20);
    // Beyond 4 MB of rows a gather is split into tasks.
    assert_eq!(needs(&["--candidates", "100000"])[0], 4_456_448);
}

#[test]
fn the_distribution_overflows_at_the_claimed_rates_and_its_claims_are_checked() {
    let plan = json(&["--distribution", "seed"]);
    let found = rates(&plan);
    for (capacity, percent) in [(512 << 10, 12.3), (1 << 20, 2.1), (2 << 20, 0.1), (4 << 20, 0.0)] {
        let rate = found.iter().find(|rate| rate.0 == capacity).unwrap().1;
        assert!((rate - percent).abs() <= 0.25, "{capacity}: expected {percent} %, found {rate} %");
    }
    assert!(found.is_sorted_by(|a, b| a.1 >= b.1));
    let claims = &plan["claims"];
    assert_eq!((&claims["rates_hold"], &claims["kernel_us"]), (&json!(true), &json!(100.0)));
    let workload = &claims["workload"];
    assert_eq!((&workload["gathered_bytes"], &workload["in_place_bytes"]), (&json!(3_075_072), &json!(3072)));
    assert_eq!(plan["source"]["scopes"], 100_000);
    assert_eq!(
        plan["calls"][0]["needs"].as_array().unwrap().iter().map(|pair| pair[1].as_u64().unwrap()).sum::<u64>(),
        100_000
    );
    assert_eq!(plan["advice"]["kind"], "at_risk");
}

#[test]
fn any_capacity_is_judged() {
    let judged = |capacity: &str| json(&["--scopes", "1000", "--capacity", capacity]);
    for (capacity, advice) in [
        ("3200000", json!({ "kind": "at_risk" })),
        ("4194304", json!({ "kind": "well_sized" })),
        ("8388608", json!({ "kind": "over_provisioned" })),
        ("16777216", json!({ "kind": "shrink", "to": 4 << 20 })),
    ] {
        assert_eq!(judged(capacity)["advice"], advice, "{capacity}");
    }
    let plan = judged("3000001");
    let capacities: Vec<_> = rates(&plan).iter().map(|rate| rate.0).collect();
    assert!(capacities.contains(&3_000_064) && capacities.is_sorted(), "{capacities:?}");
    let huge = judged("4294967296");
    assert!(huge["sizes"][11]["birth_us"].is_null(), "nobody touches the pages of 4 GiB");
    let few = json(&["--scopes", "10"]);
    assert_eq!(few["advice"], json!({ "kind": "insufficient_data", "found": 30, "needed": 300 }));
}

#[test]
fn what_a_program_recorded_is_judged_by_its_own_capacity_or_another() {
    let file = env::temp_dir().join(format!("ecphory-report-{}.json", std::process::id()));
    let path = file.to_str().unwrap();
    let (data, ids) = (vec![1.0; 1024], vec![0; 800]);
    for _ in 0..400 {
        let search = Search::new(Metric::Dot).packing(Packing::Whole).on_overflow(OverflowPolicy::Error);
        search.gather(&data, &Rows::new(&data, 1024).unwrap(), &ids).unwrap_err();
        arena::scope(|scratch| scratch.fill(100, 0u8).map(drop)).unwrap().unwrap();
    }
    fs::write(&file, serde_json::to_string(&ArenaReport::now()).unwrap()).unwrap();

    let plan = json(&["--report", path]);
    let call = |position: usize| {
        let call = &plan["calls"][position];
        (call["call"].as_str().unwrap(), call["needs"].clone(), call["overflows"].as_u64().unwrap())
    };
    // 801 rows of 4 KiB, and two lines.
    assert_eq!(call(0), ("similarity", json!([[3_407_872, 400]]), 400));
    assert_eq!((call(1), call(2)), (("spreading", json!([]), 0), ("decay", json!([]), 0)));
    assert_eq!(call(3), ("caller", json!([[128, 400]]), 0));
    assert!(plan["calls"][0]["median_us"].is_null());
    assert_eq!(
        (&plan["capacity_bytes"], &plan["advice"]),
        (&json!(2 << 20), &json!({ "kind": "grow", "to": 4 << 20 }))
    );
    let source = &plan["source"];
    assert_eq!((&source["kind"], &source["overflows"], &source["arenas"]), (&json!("report"), &json!(400), &json!(1)));
    let text = good(&["--report", path]);
    assert_80_columns(&text);
    assert_eq!(cells(&text, "similarity")[..2], ["400", "3.2"]);
    assert!(text.contains("400 overflows") && !text.contains("time: median"), "{text}");
    let other = json(&["--report", path, "--capacity", "4194304"]);
    assert_eq!(other["advice"], json!({ "kind": "insufficient_data", "found": 800, "needed": 3000 }));
    fs::remove_file(&file).unwrap();

    let refused = |file: &str| refusal(&["--report", file]);
    assert!(refused(path).contains(&format!("--report {path}: ")));
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    assert!(refused(manifest).contains("expected an ArenaReport as JSON, found expected value at line 1"));
}

#[test]
fn the_text_says_what_the_json_says_in_80_columns() {
    let text = good(&["--nesting", "2", "--nodes", "200000", "--scopes", "100"]);
    assert_80_columns(&text);
    assert_eq!(cells(&text, "gather")[..8], ["100", "6.0", "MiB", "6.0", "MiB", "6.0", "MiB", "100.000"]);
    assert_eq!(cells(&text, "decay")[..2], ["0", "none"]);
    assert_eq!(cells(&text, "2.0 MiB *")[..3], ["66.667", "%", "61.151"]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "2 calls hold scratch on one thread",
        "for 8.0 MiB install ArenaConfig::new().capacity(8388608)",
        "rounded up to a step of the histogram, by less than 64 bytes or a sixteenth; overflow of 2.0 MiB",
        "claimed: whether that is under 100 us, as the estimate behind the default arena claims of every kernel",
        "by the largest need ever; shown only: one outlier would keep it high for ever",
        "for comparison, whatever yours is, the workload that the default of 2.0 MiB was estimated for",
        "takes 3,075,072 bytes here; read in place 3,072",
        "birth: pages mapped",
    ] {
        assert!(words.contains(part), "no {part}\n{text}");
    }
    let text = good(&["--distribution", "seed", "--scopes", "3000", "--capacity", "8388608"]);
    assert_80_columns(&text);
    assert_eq!(cells(&text, "512.0 KiB").last_chunk(), Some(&["12.3", "%"]));
    assert!(text.contains("Weibull") && text.contains("points"));
}

#[test]
fn what_cannot_be_run_is_refused_with_what_can() {
    let refused = |arguments: &[&str], expected: &str| {
        let message = refusal(arguments);
        assert!(message.starts_with("error: ") && message.contains(expected), "{message}");
    };
    refused(&["--dim", "0"], "--dim: expected a number from 1 to 65536, found 0");
    refused(&["--candidates", "400000"], "--candidates: expected a number from 1 to 349525, found 400000");
    refused(&["--nodes", "0"], "from 1 to 1000000, found 0");
    refused(&["--memories", "0"], "from 1 to 10000000, found 0");
    refused(&["--nesting", "17"], "from 1 to 16, found 17");
    refused(&["--scopes", "0"], "from 1 to 10000000, found 0");
    refused(&["--capacity", "63"], "--capacity: expected a number from 64 to 4294967296, found 63");
    refused(&["--distribution", "seed", "--dim", "768"], "cannot be used with");
    refused(&["--distribution", "normal"], "seed");
    refused(&["--report", "a", "--scopes", "1"], "cannot be used with");
    refused(&["--report", "a", "--nodes", "1"], "cannot be used with");
    refused(&["--report", "a", "--distribution", "seed"], "cannot be used with");
}
