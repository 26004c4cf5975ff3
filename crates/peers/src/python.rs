//! Peers that are called from Python: a child process in an environment of its own that does the work so many times and
//! says how long its thread had a CPU for that, so that its peers take turns with all others. Started by a thread that
//! is bound to a CPU, it is bound to the same one: one of them works while the other waits. For cases on one thread.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use ecphory_measure::cases::check;
use ecphory_measure::cases::decay::{EXPONENT, HALF_LIFE, Law, SCALE, right};
use ecphory_measure::cases::ranks::{RESTART, TIME, TOLERANCE, Walk, check_all};
use ecphory_measure::cases::similarity::Vectors;
use ecphory_measure::data::Csr;
use ecphory_measure::{Case, Contender, Metric};
use serde_json::{Value, json};

const VENV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.venv");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/peers.py");
const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/requirements.txt");

/// Makes the environment anew, from released wheels.
pub fn make_venv() -> Result<(), String> {
    run(Command::new("python3").args(["-m", "venv", "--clear", VENV]))?;
    run(Command::new(interpreter()).args(["-m", "pip", "install", "--only-binary", ":all:", "-r", REQUIREMENTS]))
}

/// Runs `command` to its end, and what it prints goes to stderr.
pub fn run(command: &mut Command) -> Result<(), String> {
    let told = format!("{command:?}");
    let status = command.stdout(std::io::stderr()).status().map_err(|error| format!("{told}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{told}: {status}")) }
}

fn interpreter() -> PathBuf {
    Path::new(VENV).join("bin/python")
}

/// The child and its pipes.
struct Session {
    /// It ends with its stdin.
    _child: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
}

/// Whether there is an environment; where there is none, that is said once.
static THERE: LazyLock<bool> = LazyLock::new(|| {
    let there = interpreter().exists();
    if !there {
        eprintln!("python: no peers from Python; `cargo run --release -p ecphory-peers -- --make-venv` makes {VENV}");
    }
    there
});

/// What the child answers. One that ends or says nonsense is asked no more: the next request goes to another.
fn ask(request: &Value) -> Result<Value, String> {
    static SESSION: Mutex<Option<Session>> = Mutex::new(None);
    let mut session = SESSION.lock().unwrap_or_else(PoisonError::into_inner);
    let mut kept = session.take().map_or_else(Session::start, Ok).map_err(|error| format!("python: {error}"))?;
    let reply = kept.ask(request).map_err(|error| format!("python: {error}"))?;
    *session = Some(kept);
    match reply["error"].as_str() {
        Some(error) => Err(format!("python: {error}")),
        None => Ok(reply),
    }
}

impl Session {
    fn start() -> std::io::Result<Self> {
        let mut command = Command::new(interpreter());
        command.arg(SCRIPT).stdin(Stdio::piped()).stdout(Stdio::piped());
        for pool in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"] {
            command.env(pool, "1");
        }
        let mut child = command.spawn()?;
        let (Some(requests), Some(replies)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        };
        Ok(Self { _child: child, requests, replies: BufReader::new(replies) })
    }

    fn ask(&mut self, request: &Value) -> std::io::Result<Value> {
        writeln!(self.requests, "{request}")?;
        let mut line = String::new();
        self.replies.read_line(&mut line)?;
        let wrong = |error| std::io::Error::other(format!("expected one object as the reply, found {line:?}: {error}"));
        serde_json::from_str(&line).map_err(wrong)
    }
}

/// A folder that is gone when this is.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("ecphory-peers-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }

    fn write(&self, name: &str, bytes: impl Iterator<Item = u8>) -> Result<(), String> {
        let path = self.0.join(name);
        fs::write(&path, bytes.collect::<Vec<_>>()).map_err(|error| format!("{}: {error}", path.display()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

fn f32_bytes(values: &[f32]) -> impl Iterator<Item = u8> + '_ {
    values.iter().flat_map(|value| value.to_le_bytes())
}

fn u32_bytes(values: &[u32]) -> impl Iterator<Item = u8> + '_ {
    values.iter().flat_map(|value| value.to_le_bytes())
}

fn f64_bytes(values: &[f64]) -> impl Iterator<Item = u8> + '_ {
    values.iter().flat_map(|value| value.to_le_bytes())
}

fn numbers<const N: usize, T>(bytes: &[u8], of: fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|&chunk| of(chunk)).collect()
}

/// Adds everyone in the child who does this work: `write` puts the data into a folder, `request` names the work, and
/// `right` says whether an answer is. Nobody where there is no child.
fn join(
    case: &mut Case<'static>,
    mut request: Value,
    write: impl FnOnce(&Folder) -> Result<(), String>,
    right: impl Fn(&str, &[u8]) -> Result<(), String>,
) {
    if !*THERE {
        return;
    }
    let loaded = Folder::new().and_then(|folder| {
        write(&folder)?;
        request["folder"] = json!(folder.0);
        Ok((ask(&request)?, folder))
    });
    let (loaded, folder) = match loaded {
        Ok(loaded) => loaded,
        Err(why) => {
            case.try_add("python", None, || Err(why));
            return;
        }
    };
    for peer in loaded["peers"].as_array().into_iter().flatten() {
        let name = peer["name"].as_str().unwrap_or_default();
        let note = peer["note"].as_str().map_or_else(|| "from Python".into(), |note| format!("from Python; {note}"));
        case.try_add(name, Some(note), || {
            let answer = ask(&json!({"answer": name, "folder": folder.0}))?;
            let file = answer["file"].as_str().unwrap_or_default();
            right(name, &fs::read(file).map_err(|error| format!("{name}: {error}"))?)?;
            let run = name.to_owned();
            let sample = move |times: u64| {
                let reply = ask(&json!({"run": run, "times": times})).expect("a peer that has answered before");
                Duration::from_nanos(reply["ns"].as_u64().expect("nanoseconds"))
            };
            Ok(Contender::timing_itself(name, sample))
        });
    }
}

/// Adds `numpy` and, to `topk` by dot or squared distance, `faiss`. `what` is `1xN`, `MxN` or `topk`, the last with
/// `k`; `expected` is every score in f64.
pub fn similarity(
    case: &mut Case<'static>,
    what: &str,
    vectors: &Vectors,
    expected: &[f64],
    metric: Metric,
    k: Option<usize>,
) {
    let request = json!({"load": "similarity", "case": what, "dim": vectors.dim, "metric": metric, "k": k});
    let write = |folder: &Folder| {
        folder.write("queries", f32_bytes(&vectors.queries))?;
        folder.write("rows", f32_bytes(&vectors.rows))
    };
    join(case, request, write, |who, answer| match k {
        None => vectors.check(who, &numbers(answer, f32::from_le_bytes), expected, metric),
        Some(k) => vectors.check_best(who, &numbers(answer, u32::from_le_bytes), expected, metric, k),
    });
}

/// Adds `numpy`.
pub fn decay(case: &mut Case<'static>, law: Law, ages: &[f32]) {
    let request = json!({
        "load": "decay", "law": law.name(), "half_life": HALF_LIFE, "scale": SCALE, "exponent": EXPONENT,
    });
    join(
        case,
        request,
        |folder| folder.write("ages", f32_bytes(ages)),
        |who, answer| right(who, law, &numbers(answer, f32::from_le_bytes), ages, 1e-6),
    );
}

/// Adds to `ppr_iteration`, `ppr_power` or `heat`, which `what` names, those who do it. `expected` is what `heat`
/// finds, and to `ppr_iteration` what `networkit` does, which restarts anywhere, loses what is at nodes without edges,
/// and has it as parts of 1.
pub fn spreading(case: &mut Case<'static>, what: &str, walk: &Walk, expected: &[f64]) {
    let request = json!({
        "load": "spreading", "case": what, "seeds": walk.seeds, "restart": RESTART, "tolerance": TOLERANCE,
        "time": TIME,
    });
    let write = |folder: &Folder| {
        folder.write("offsets", u32_bytes(&walk.offsets))?;
        folder.write("sources", u32_bytes(&walk.sources))?;
        folder.write("shares", f64_bytes(&walk.shares))?;
        folder.write("start", f32_bytes(&walk.start))
    };
    join(case, request, write, |who, answer| match (who, what) {
        ("networkit", _) => check(who, &numbers(answer, f32::from_le_bytes), expected, |_, exact| 1e-5 * exact),
        (_, "heat") => check_all(who, &numbers(answer, f64::from_le_bytes), expected, TOLERANCE).map(|_| ()),
        (_, "ppr_power") => walk.check_solution(who, &numbers(answer, f64::from_le_bytes)),
        _ => walk.check_iteration(who, &numbers(answer, f32::from_le_bytes)),
    });
}

/// What those who rank in f64 make of `csr`, with their names; nobody where there is no child.
pub fn ranks(mut request: Value, csr: &Csr) -> Result<Vec<(String, Vec<f64>)>, String> {
    if !*THERE {
        return Ok(Vec::new());
    }
    let folder = Folder::new()?;
    folder.write("offsets", u32_bytes(&csr.offsets))?;
    folder.write("targets", u32_bytes(&csr.targets))?;
    folder.write("weights", f32_bytes(&csr.weights))?;
    request["folder"] = json!(folder.0);
    let loaded = ask(&request)?;
    let names = loaded["peers"].as_array().into_iter().flatten().filter_map(|peer| peer["name"].as_str());
    let answer = |name: &str| {
        let answer = ask(&json!({"answer": name, "folder": folder.0}))?;
        let file = answer["file"].as_str().unwrap_or_default();
        let bytes = fs::read(file).map_err(|error| format!("{name}: {error}"))?;
        Ok((name.to_owned(), numbers(&bytes, f64::from_le_bytes)))
    };
    names.map(answer).collect()
}

#[cfg(test)]
mod tests {
    use ecphory_measure::cases::{decay as decays, similarity as similarities};
    use ecphory_measure::{Effort, Unit};

    use super::*;

    /// Where there is an environment; else nobody joins, and nothing is wrong.
    #[test]
    fn who_joins_from_python_has_answered_rightly_and_tells_a_time() {
        let vectors = [Vectors::new(1, 300, 100), Vectors::new(7, 300, 100)];
        for metric in similarities::METRICS {
            for (what, vectors, k) in
                [("1xN", &vectors[0], None), ("topk", &vectors[0], Some(10)), ("MxN", &vectors[1], None)]
            {
                let work = similarities::work(what, vectors.shape(), metric, k);
                let mut case = Case::new(work, 1, Unit::Bytes, vectors.bytes() as f64);
                similarity(&mut case, what, vectors, &vectors.expected(metric), metric, k);
                all_right(case);
            }
        }
        for law in Law::ALL {
            let mut case = Case::new(decays::work(law, 1000), 1, Unit::NsPer("memory"), 1000.0);
            decay(&mut case, law, &decays::ages(1000));
            all_right(case);
        }
    }

    fn all_right(case: Case<'_>) {
        let (lines, left_out) = case.run(Effort::QUICK);
        assert_eq!(left_out, []);
        assert!(lines.iter().all(|line| line.best_ns > 0.0));
    }

    #[test]
    fn a_wrong_row_among_the_best_is_found() {
        let vectors = Vectors::new(2, 50, 8);
        let expected = vectors.expected(Metric::Dot);
        let best = |query: usize| {
            let mut rows: Vec<u32> = (0..50).collect();
            rows.sort_by(|&a, &b| expected[query * 50 + b as usize].total_cmp(&expected[query * 50 + a as usize]));
            rows
        };
        let mut rows = [&best(0)[..3], &best(1)[..3]].concat();
        vectors.check_best("who", &rows, &expected, Metric::Dot, 3).unwrap();
        let second = std::mem::replace(&mut rows[4], best(1)[9]);
        assert!(vectors.check_best("who", &rows, &expected, Metric::Dot, 3).is_err());
        (rows[4], rows[5]) = (second, second);
        assert!(vectors.check_best("who", &rows, &expected, Metric::Dot, 3).is_err());
    }
}
