//! `ecphory bench` as its users meet it. Figures are not judged here: they are the machine's business.

use std::process::{Command, Output};
use std::{env, fs};

use serde_json::Value;

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ecphory")).args(["bench", "--quick"]).args(arguments).output().unwrap()
}

fn good(arguments: &[&str]) -> String {
    let output = bench(arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    // A pipe is no terminal: there is no bar.
    assert!(output.status.success() && errors.is_empty(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn figures_are_printed_kept_compared_and_plotted() {
    let folder = env::temp_dir().join(format!("ecphory-bench-{}", std::process::id()));
    let (file, pages) = (folder.join("kept/figures.jsonl"), folder.join("page"));
    let (file, pages) = (file.to_str().unwrap(), pages.to_str().unwrap());
    let filter = ["--filter", "1xN 1000x100 dot"];

    let text = good(&[&filter[..], &["--save", file, "--report", pages]].concat());
    for part in ["read L2", "read DRAM", "multiply-add", "empty call", "1xN 1000x100 dot", "GB/s", file, "index.html"] {
        assert!(text.contains(part), "no {part}\n{text}");
    }
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["scalar how many times as long the plain Rust loop takes", "sql2: squared Euclidean distance"] {
        assert!(words.contains(part), "no {part}\n{text}");
    }
    assert!(!text.contains("pl1k"), "only what was run is explained\n{text}");
    for line in text.replace(folder.to_str().unwrap(), "").lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }

    let kept = objects(&fs::read_to_string(file).unwrap());
    let of = |who: &str| kept.iter().find(|line| line["impl"] == who).unwrap();
    for who in ["ecphory", "scalar"] {
        let line = of(who);
        assert_eq!(
            (&line["suite"], &line["case"], &line["dtype"]),
            (&"similarity".into(), &"1xN".into(), &"f32".into())
        );
        assert_eq!((&line["n"], &line["dim"], &line["unit"]), (&1000.into(), &100.into(), &"GB/s".into()));
        assert!(line["best_ns"].as_f64().unwrap() > 0.0 && line["best_ns"].as_f64() <= line["median_ns"].as_f64());
        let (rate, limit) = (line["rate"].as_f64().unwrap(), line["limit"].as_f64().unwrap());
        assert!((line["of_limit"].as_f64().unwrap() - rate / limit).abs() < 1e-9);
    }
    assert_eq!(of("machine")["suite"], "limits");

    let page = fs::read_to_string(format!("{pages}/index.html")).unwrap();
    assert_eq!(page.matches("<svg").count(), 2, "a roofline and one dimension");
    let elsewhere = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!elsewhere.contains("http") && !elsewhere.contains("<script"), "the page must stand alone");

    let compared = objects(&good(&[&filter[..], &["--json", "--compare", file]].concat()));
    let ours = compared.iter().find(|line| line["impl"] == "ecphory").unwrap();
    assert!(ours["compared"]["ratio"].as_f64().unwrap() > 0.0 && ours["compared"]["significant"].is_boolean());
    assert!(good(&[&filter[..], &["--compare", file]].concat()).contains("compared: "));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn births_of_arenas_and_how_often_they_overflow_are_plotted() {
    let pages = env::temp_dir().join(format!("ecphory-bench-arena-{}", std::process::id()));
    good(&["--filter", "arena birth", "--report", pages.to_str().unwrap()]);
    let page = fs::read_to_string(pages.join("index.html")).unwrap();
    assert_eq!(page.matches("<svg").count(), 3, "a roofline, births, overflows");
    assert!(page.contains("% of gathers that overflow it") && page.contains("claimed"));
    fs::remove_dir_all(pages).unwrap();
}

#[test]
fn what_cannot_be_done_is_said_before_anything_is_measured() {
    let refused = |arguments: &[&str]| {
        let output = bench(arguments);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let unknown = refused(&["--filter", "nonsense"]);
    assert!(unknown.contains("\"nonsense\"") && unknown.contains("decay power 10000 t1"), "{unknown}");
    let missing = refused(&["--compare", "no/such/file"]);
    assert!(missing.contains("--compare no/such/file: "), "{missing}");
    let malformed = refused(&["--compare", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    assert!(malformed.contains("line 1: expected a figure"), "{malformed}");
}
