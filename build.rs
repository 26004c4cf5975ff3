//! Finds Zig, has every CPU tier of zig/tiers.txt compiled into OUT_DIR, links the archive.
//!
//! The objects come from `zig build-obj`, two at a time, not from `zig build`: that would compile Zig's own build
//! runner first, which takes longer than all else (benches/RECORD.md). build.zig makes the same archive from the
//! same list for those who work on the Zig side.

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const ZIG_VERSION: &str = "0.17.1";

/// The wheels of `ziglang` on PyPI that hold `ZIG_VERSION`, by host: operating system, architecture, sha256.
const WHEELS: [(&str, &str, &str); 6] = [
    ("linux", "x86_64", "ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54"),
    ("linux", "aarch64", "b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e"),
    ("macos", "x86_64", "4e0b4b9c02b8d0d220e9948010f860b62ff11d96abb39762eca5fa2ef3f7bc97"),
    ("macos", "aarch64", "09953b6af7f64168b915180a42774f520f92d86ef6331b28e33915c7e1f0bb23"),
    ("windows", "x86_64", "69c3dfc3aff6a297ec4017aa904782c0e450eb988982d7f675d83edce27526fb"),
    ("windows", "aarch64", "27a8da5f8eaa0e76ebbc7c2594130ed4646c1101ada2ce0aa86fe580c74154b9"),
];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() {
    if let Err(error) = build() {
        // Cargo shows what a failed build script wrote to standard error; a panic would add noise.
        eprintln!("\nerror: {error}\n");
        std::process::exit(1);
    }
}

fn build() -> Outcome<()> {
    for path in ["build.rs", "zig"] {
        println!("cargo:rerun-if-changed={path}");
    }
    if read_env("DOCS_RS").is_some() {
        return Ok(()); // Documentation needs no archive.
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let archive_name = if env::var("CARGO_CFG_TARGET_ENV")? == "msvc" { "ecphory.lib" } else { "libecphory.a" };
    let folder = match read_env("ECPHORY_LIB_DIR") {
        Some(folder) => prebuilt(Path::new(&folder), archive_name)?,
        None => {
            let zig = Zig::find()?;
            println!("cargo:rustc-env=ECPHORY_ZIG={}", zig.display());
            compile(&zig, &out, archive_name)?;
            out
        }
    };
    println!("cargo:rustc-link-search=native={}", folder.display());
    println!("cargo:rustc-link-lib=static=ecphory");
    println!("cargo:rustc-env=ECPHORY_ARCHIVE={}", folder.join(archive_name).display());
    println!("cargo:root={}", folder.display());
    Ok(())
}

/// An environment variable that cargo shall watch; empty counts as unset.
fn read_env(name: &str) -> Option<String> {
    println!("cargo:rerun-if-env-changed={name}");
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn prebuilt(folder: &Path, archive: &str) -> Outcome<PathBuf> {
    let file = folder.join(archive);
    if !file.is_file() {
        return Err(
            format!("ECPHORY_LIB_DIR is {}: expected a file {archive} in it, found none", folder.display()).into()
        );
    }
    println!("cargo:rerun-if-changed={}", file.display());
    // rustc runs elsewhere than this script: a relative path would be another folder there.
    Ok(fs::canonicalize(folder)?)
}

/// A command that runs Zig: a program and what comes before Zig's own arguments.
struct Zig {
    program: PathBuf,
    prefix: &'static [&'static str],
}

impl Zig {
    fn binary(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), prefix: &[] }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.prefix);
        // An empty cache folder means "here" to Zig: it would write into the sources.
        if env::var_os("ZIG_GLOBAL_CACHE_DIR").is_some_and(|folder| folder.is_empty()) {
            command.env_remove("ZIG_GLOBAL_CACHE_DIR");
        }
        command
    }

    fn display(&self) -> String {
        [self.program.display().to_string()]
            .into_iter()
            .chain(self.prefix.iter().map(|arg| arg.to_string()))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// What `zig version` prints, or why it prints nothing.
    fn version(&self) -> Result<String, String> {
        match self.command().arg("version").stderr(Stdio::null()).output() {
            Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
            Ok(_) => Err("is not there or does not answer".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The first of the known places that holds the pinned version.
    fn find() -> Outcome<Self> {
        if let Some(path) = read_env("ZIG") {
            let zig = Self::binary(&path);
            return match zig.version() {
                Ok(version) if version == ZIG_VERSION => Ok(zig),
                Ok(version) => Err(format!("ZIG is {path}: expected Zig {ZIG_VERSION}, found {version}").into()),
                Err(why) => {
                    Err(format!("ZIG is {path}: expected Zig {ZIG_VERSION}, found that it cannot be run ({why})")
                        .into())
                }
            };
        }
        println!("cargo:rerun-if-env-changed=PATH");
        let python = if cfg!(windows) { "python" } else { "python3" };
        let mut looked_at = vec!["ECPHORY_LIB_DIR and ZIG: not set".to_owned()];
        for zig in [Self::binary("zig"), Self { program: python.into(), prefix: &["-m", "ziglang"] }] {
            match zig.version() {
                Ok(version) if version == ZIG_VERSION => return Ok(zig),
                Ok(version) => {
                    println!(
                        "cargo:warning=passed over `{}`: it is Zig {version}, this build is pinned to {ZIG_VERSION}",
                        zig.display()
                    );
                    looked_at.push(format!("`{}`: version {version}", zig.display()));
                }
                Err(why) => looked_at.push(format!("`{}`: {why}", zig.display())),
            }
        }
        let fetch = read_env("ECPHORY_ZIG_FETCH").as_deref() == Some("1");
        let Some(cache) = user_cache() else {
            looked_at.push("a cache folder of this user: none known (HOME is not set)".to_owned());
            return Err(not_found(&looked_at));
        };
        let home = cache.join("ecphory").join(format!("zig-{ZIG_VERSION}-{}-{}", env::consts::OS, env::consts::ARCH));
        let cached = Self::binary(home.join("ziglang").join(if cfg!(windows) { "zig.exe" } else { "zig" }));
        if cached.version().as_deref() == Ok(ZIG_VERSION) {
            return Ok(cached);
        }
        looked_at.push(format!("{}: no Zig there", home.display()));
        if !fetch {
            return Err(not_found(&looked_at));
        }
        fetch_wheel(python, &home, &cached).map_err(|error| {
            let (home, looked_at) = (home.display(), looked_at.join("\n  "));
            format!(
                "fetching Zig {ZIG_VERSION} into {home}: {error}\nLooked at before:\n  {looked_at}\n\
                 This mends it: a network and pip for {python}, or Zig {ZIG_VERSION} by other ways and ZIG set to it"
            )
        })?;
        match cached.version() {
            Ok(version) if version == ZIG_VERSION => Ok(cached),
            other => {
                Err(format!("fetched ziglang {ZIG_VERSION} into {}, found that it answers {other:?}", home.display())
                    .into())
            }
        }
    }
}

fn not_found(looked_at: &[String]) -> Box<dyn Error> {
    format!(
        "ecphory compiles its kernels with Zig {ZIG_VERSION} and found none.\nLooked at:\n  {}\n\
         This mends it:\n  ECPHORY_ZIG_FETCH=1 cargo build\n\
         (once: it fetches the PyPI package into the cache folder above; pip install ziglang=={ZIG_VERSION} puts it \
         into python3's own)",
        looked_at.join("\n  ")
    )
    .into()
}

fn user_cache() -> Option<PathBuf> {
    let set = |name: &str| read_env(name).map(PathBuf::from);
    if cfg!(windows) {
        set("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        set("HOME").map(|home| home.join("Library/Caches"))
    } else {
        set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))
    }
}

/// Fetches the pinned wheel with pip, which checks its sha256, and moves it to `home` in one step.
fn fetch_wheel(python: &str, home: &Path, cached: &Zig) -> Outcome<()> {
    let (os, arch) = (env::consts::OS, env::consts::ARCH);
    let Some((.., sha256)) = WHEELS.iter().find(|wheel| wheel.0 == os && wheel.1 == arch) else {
        return Err(
            format!("no pinned ziglang wheel for {os} on {arch}: install Zig {ZIG_VERSION} and set ZIG to it").into()
        );
    };
    let cache = home.parent().ok_or("the cache folder has no parent")?;
    fs::create_dir_all(cache)?;
    let lock = File::create(cache.join("lock"))?;
    lock.lock()?; // Another build of this user may be fetching the same.
    if cached.version().as_deref() == Ok(ZIG_VERSION) {
        return Ok(());
    }
    let _ = fs::remove_dir_all(home); // What is there does not run.
    println!(
        "cargo:warning=fetching Zig {ZIG_VERSION} once (about 100 MB, the PyPI package ziglang) into {}",
        home.display()
    );
    let fresh = cache.join("fetching");
    let _ = fs::remove_dir_all(&fresh);
    fs::create_dir_all(&fresh)?;
    let wanted = fresh.join("wanted.txt");
    fs::write(&wanted, format!("ziglang=={ZIG_VERSION} --hash=sha256:{sha256}\n"))?;
    let output = Command::new(python)
        .env("PIP_USER", "0") // A user's pip.conf may ask for what goes with no target folder.
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-cache-dir",
            "--only-binary=:all:",
            "--require-hashes",
        ])
        .arg("--disable-pip-version-check")
        .arg("--target")
        .arg(fresh.join("site"))
        .arg("-r")
        .arg(&wanted)
        .output();
    let outcome = match output {
        Ok(output) if output.status.success() => fs::rename(fresh.join("site"), home).map_err(Into::into),
        Ok(output) => Err(format!(
            "pip could not fetch ziglang=={ZIG_VERSION} with sha256 {sha256}:\n{}",
            String::from_utf8_lossy(&output.stderr).trim()
        )
        .into()),
        Err(error) => {
            Err(format!("expected `{python} -m pip` to fetch Zig {ZIG_VERSION}, found that it cannot be run: {error}")
                .into())
        }
    };
    let _ = fs::remove_dir_all(&fresh);
    outcome
}

/// One tier of zig/tiers.txt.
struct Tier {
    name: String,
    mcpu: String,
}

fn tiers(arch: &str) -> Outcome<Vec<Tier>> {
    let list = fs::read_to_string("zig/tiers.txt")?;
    let words =
        list.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let tiers: Vec<_> = words
        .filter(|words| words.first() == Some(&arch))
        .map(|words| Tier { name: words[1].to_owned(), mcpu: words[2].to_owned() })
        .collect();
    if tiers.is_empty() { Err(format!("no CPU tier for {arch}: expected x86_64 or aarch64").into()) } else { Ok(tiers) }
}

/// Zig's name of cargo's target.
fn zig_target(arch: &str) -> Outcome<String> {
    let (os, abi) = (env::var("CARGO_CFG_TARGET_OS")?, env::var("CARGO_CFG_TARGET_ENV")?);
    Ok(match (os.as_str(), abi.as_str()) {
        ("linux", "gnu" | "musl") | ("windows", "gnu" | "msvc") => format!("{arch}-{os}-{abi}"),
        ("macos", _) => format!("{arch}-macos"),
        _ => {
            return Err(
                format!("no Zig target known for {}: expected Linux, macOS or Windows", env::var("TARGET")?).into()
            );
        }
    })
}

fn compile(zig: &Zig, out: &Path, archive_name: &str) -> Outcome<()> {
    let arch = env::var("CARGO_CFG_TARGET_ARCH")?;
    let (target, tiers) = (zig_target(&arch)?, tiers(&arch)?);
    let lowest = Tier { name: String::new(), mcpu: tiers[0].mcpu.clone() };
    let mut jobs: Vec<_> = tiers.iter().map(|tier| ("zig/tier.zig", tier)).collect();
    jobs.push(("zig/abi.zig", &lowest));
    let objects = (0..jobs.len()).map(|i| out.join(format!("ecphory_{i}.o"))).collect::<Vec<_>>();
    for (jobs, objects) in jobs.chunks(2).zip(objects.chunks(2)) {
        let running: Vec<_> = jobs
            .iter()
            .zip(objects)
            .map(|((root, tier), object)| -> Outcome<Child> {
                Ok(object_command(zig, out, &target, root, tier, object)?.spawn()?)
            })
            .collect();
        // Every child has ended before the first failure is told: none may go on writing.
        let ended: Vec<Outcome<_>> = running.into_iter().map(|child| Ok(child?.wait_with_output()?)).collect();
        for output in ended {
            finished(output?, "zig build-obj")?;
        }
    }
    let archive = out.join(archive_name);
    let _ = fs::remove_file(&archive);
    finished(zig.command().arg("ar").arg("rcsD").arg(&archive).args(&objects).output()?, "zig ar")
}

/// Optimised in every cargo profile: unoptimised kernels are many times slower and no easier to debug from Rust.
fn object_command(zig: &Zig, out: &Path, target: &str, root: &str, tier: &Tier, object: &Path) -> Outcome<Command> {
    let options = out.join(format!("options_{}.zig", tier.name));
    let bench = env::var_os("CARGO_FEATURE_BENCH").is_some();
    let name = &tier.name;
    let text =
        format!("pub const tier: []const u8 = \"{name}\";\npub const bench = {bench};\npub const poison = false;\n");
    fs::write(&options, text)?;
    let mut command = zig.command();
    command.args([
        "build-obj",
        "-O",
        "fast",
        "-fPIC",
        "-fllvm",
        "-fno-stack-check",
        "-fno-stack-protector",
        "-fno-valgrind",
    ]);
    command.args(["-fno-strip", "-target", target, "-mcpu", &tier.mcpu, "--cache-dir"]).arg(out.join("zig-cache"));
    command.arg(format!("-femit-bin={}", object.display()));
    command.args(["--dep", "options"]).arg(format!("-Mroot={root}")).arg(format!("-Moptions={}", options.display()));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

fn finished(output: std::process::Output, what: &str) -> Outcome<()> {
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{what} ended with {}:\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}
