//! What the archive's machine code must not hold: a locked instruction where scratch is taken and given back, or a call
//! that is not known. Read from a disassembly, where there is a program that makes one.

use std::collections::BTreeSet;
use std::process::Command;

/// One object of the archive: functions by section and address.
#[derive(Default)]
struct Object {
    functions: Vec<Function>,
}

#[derive(Default)]
struct Function {
    section: String,
    address: u64,
    name: String,
    instructions: Vec<Instruction>,
}

struct Instruction {
    text: String,
    /// Symbol or section, and the place in it, that the linker puts in.
    relocation: Option<(String, i64)>,
}

/// None, with a line that says so, where this machine cannot tell.
fn disassembly() -> Option<Vec<Object>> {
    if cfg!(not(all(target_arch = "x86_64", target_os = "linux"))) {
        println!("skipped: the archive is not of x86-64 Linux");
        return None;
    }
    let command = ["-d", "-r", "-w", "--no-show-raw-insn", env!("ECPHORY_ARCHIVE")];
    let Ok(output) = Command::new("objdump").args(command).output() else {
        println!("skipped: no objdump");
        return None;
    };
    assert!(output.status.success(), "objdump: {}", String::from_utf8_lossy(&output.stderr));
    Some(parse(&String::from_utf8_lossy(&output.stdout)))
}

fn parse(text: &str) -> Vec<Object> {
    let (mut objects, mut section) = (Vec::<Object>::new(), String::new());
    for line in text.lines() {
        if line.contains("file format ") {
            objects.push(Object::default());
        } else if let Some(name) = line.strip_prefix("Disassembly of section ") {
            section = name.trim_end_matches(':').to_owned();
        } else if let Some((address, name)) = line.strip_suffix(">:").and_then(|line| line.split_once(" <")) {
            let address = u64::from_str_radix(address, 16).unwrap();
            let function = Function { section: section.clone(), address, name: plain(name), instructions: vec![] };
            objects.last_mut().unwrap().functions.push(function);
        } else if let Some((at, rest)) = line.trim().split_once(':') {
            let function = objects.last_mut().and_then(|object| object.functions.last_mut());
            let (Some(function), true) = (function, u64::from_str_radix(at, 16).is_ok()) else { continue };
            // objdump -w puts relocations on the line of their instruction.
            let mut parts = rest.trim().split('\t');
            let text = parts.next().unwrap().trim().to_owned();
            let relocation = rest.contains("R_X86_64_").then(|| rest.split_whitespace().last()).flatten().map(place);
            function.instructions.push(Instruction { text, relocation });
        }
    }
    objects
}

/// A name without the number that Zig gives to each instance of a generic function.
fn plain(name: &str) -> String {
    let numbered = |(plain, number): &(&str, &str)| !plain.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let known = ["__func_", "__anon_"].iter().filter_map(|mark| name.rsplit_once(mark)).find(numbered);
    known.map_or(name, |(plain, _)| plain).to_owned()
}

/// `name+0x10` or `name-0x4`.
fn place(text: &str) -> (String, i64) {
    let split = text.rfind("+0x").or(text.rfind("-0x"));
    let Some(split) = split else { return (text.to_owned(), 0) };
    let size = i64::from_str_radix(&text[split + 3..], 16).unwrap();
    (text[..split].to_owned(), if text[split..].starts_with('-') { -size } else { size })
}

impl Object {
    fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// Names of what `function` calls or jumps to.
    fn calls(&self, function: &Function) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for instruction in &function.instructions {
            let (operation, target) = instruction.text.split_once(' ').unwrap_or((&instruction.text, ""));
            // A jump to what a register holds goes by the table of a switch, within the function.
            let within = operation == "jmp" && target.trim_start().starts_with("*%");
            if within || operation != "call" && !operation.starts_with('j') {
                continue;
            }
            let name = match &instruction.relocation {
                // The displacement counts from the end of its four bytes.
                Some((section, offset)) if section.starts_with('.') => self.at(section, offset + 4),
                Some((symbol, _)) => plain(symbol),
                None if target.contains('<') => plain(&place(target.split(['<', '>']).nth(1).unwrap()).0),
                None => target.trim().to_owned(),
            };
            if name != function.name {
                names.insert(name);
            }
        }
        names
    }

    fn at(&self, section: &str, address: i64) -> String {
        let found = |one: &&Function| one.section == section && i64::try_from(one.address) == Ok(address);
        let function = self.functions.iter().find(found);
        function.map_or(format!("{section}{address:+}"), |function| function.name.clone())
    }
}

fn is_locked(instruction: &Instruction) -> bool {
    let text = &instruction.text;
    // An exchange with memory locks without being told to; between registers it is a way to do nothing.
    text.starts_with("lock") || text.starts_with("xchg") && text.contains('(')
}

fn assert_unlocked(function: &Function) {
    let locked = function.instructions.iter().find(|instruction| is_locked(instruction));
    assert!(locked.is_none(), "{}: expected no lock, found `{}`", function.name, locked.unwrap().text);
}

/// What takes scratch and gives it back, and whom it may call: the thread's own storage, and what is rare.
const KNOWN: [(&str, &[&str]); 19] = [
    ("ecp_arena_alloc", &["__tls_get_addr", "abi.refused", "thread.birth"]),
    ("ecp_arena_mark", &["__tls_get_addr", "abi.unmarked", "thread.birth"]),
    ("ecp_arena_rewind", &["__tls_get_addr", "arena.Arena.ended"]),
    ("arena.Arena.ended", &[]),
    ("tier.scores", &["arena.Arena.ended", SCORES, "matrix.", "memcpy", "memset"]),
    ("tier.gather", &["arena.Arena.ended", SCORES, "memcpy"]),
    ("tier.topK", &["arena.Arena.ended", SCORES, "matrix.", "top_k.Best.", "memcpy", "memset"]),
    ("tier.norms", &[SCORES]),
    ("tier.spread", &["arena.Arena.ended", SPREADING, "memcpy", "memset"]),
    ("spreading.spread", &["arena.Arena.ended", SPREADING, "memcpy", "memset"]),
    ("tier.fanActivation", &["arena.Arena.ended", "memcpy"]),
    ("tier.push", &["arena.Arena.ended", SPREADING, "memcpy"]),
    ("push.push", &["arena.Arena.ended", SPREADING]),
    ("tier.pull", &["sweep."]),
    ("tier.settle", &["sweep."]),
    ("tier.applyDecay", &[DECAY, "select."]),
    ("tier.baseLevels", &["base_level.", "memcpy"]),
    ("tier.review", &["fsrs.", "memcpy"]),
    ("tier.retrievability", &["fsrs.", "memcpy"]),
];

/// Functions of a kernel's files, which call each other and what copies and fills.
const WITHIN: [&str; 8] = [SCORES, "matrix.", "top_k.Best.", SPREADING, DECAY, "select.", "base_level.", "fsrs."];

/// Behind the loops that most memories are decayed in.
const DECAY: &str = "decay.";

/// Functions of any of `OF_SPREADING`.
const SPREADING: &str = "spreading.";
const OF_SPREADING: [&str; 9] =
    [SPREADING, "hops.", "fan_out.", "inhibition.", "queue.", "reach.", "push.", "sweep.", "columns."];

/// Functions of any of `OF_SCORES`.
const SCORES: &str = "score.";
const OF_SCORES: [&str; 9] =
    [SCORES, "companion.", "query.", "prepare.", "integers.", "wide.", "elements.", "panels.", "pairs."];

/// Whom `name` may call: names, and beginnings of names that end in a dot; None where it is no function to look at.
fn known_calls(name: &str) -> Option<Vec<&'static str>> {
    let with_scores = |known: &[&'static str]| {
        let more = if known.contains(&SCORES) { &OF_SCORES[..] } else { &[] };
        let spreading = if known.contains(&SPREADING) { &OF_SPREADING[..] } else { &[] };
        [known, more, spreading].concat()
    };
    if let Some((_, known)) = KNOWN.iter().find(|(known, _)| *known == name) {
        return Some(with_scores(known));
    }
    let within = with_scores(&WITHIN);
    within.iter().any(|file| name.starts_with(file)).then(|| [&within[..], &["memcpy", "memset"]].concat())
}

fn assert_known(object: &Object, function: &Function) {
    let Some(known) = known_calls(&function.name) else { return };
    assert!(function.instructions.len() > 3, "{}: expected a function, found nothing", function.name);
    assert_unlocked(function);
    for call in object.calls(function) {
        let is_known = |known: &&str| call == *known || known.ends_with('.') && call.starts_with(known);
        assert!(known.iter().any(is_known), "{}: expected calls of {known:?}, found {call}", function.name);
    }
}

#[test]
fn what_kernels_and_scopes_run_locks_nothing_and_calls_only_what_is_known() {
    let Some(objects) = disassembly() else { return };
    let tiers: Vec<_> = objects.iter().filter(|object| object.function("tier.scores").is_some()).collect();
    let roots: Vec<_> = objects.iter().filter(|object| object.function("ecp_arena_alloc").is_some()).collect();
    assert_eq!((tiers.len(), roots.len()), (ecphory::tier::all().len(), 1), "objects of tiers, and of the exports");
    tiers.iter().flat_map(|tier| &tier.functions).for_each(assert_unlocked);
    for object in &objects {
        object.functions.iter().for_each(|function| assert_known(object, function));
    }
    // A kernel that the compiler puts into its caller is none to look for.
    for name in [
        "tier.gather",
        "tier.topK",
        "tier.norms",
        "tier.spread",
        "tier.fanActivation",
        "tier.push",
        "tier.pull",
        "tier.settle",
        "tier.applyDecay",
        "tier.baseLevels",
        "tier.review",
        "tier.retrievability",
    ] {
        assert!(tiers.iter().all(|tier| tier.function(name).is_some()), "expected {name} in every tier");
    }
    for name in ["ecp_arena_mark", "ecp_arena_rewind"] {
        assert!(roots[0].function(name).is_some(), "expected {name} among the exports");
    }
    let birth = roots[0].function("thread.birth").expect("a function of the root that locks");
    assert!(birth.instructions.iter().any(is_locked), "expected the lock of a birth to be seen");
}

#[test]
fn calls_jumps_and_locks_are_told_from_the_rest() {
    let text = "one.o:     file format elf64-x86-64\n\nDisassembly of section .text:\n\n\
        0000000000000000 <one>:\n   0:\tcall   5 <one+0x5>\t1: R_X86_64_PLT32\t.text.unlikely.+0xc\n   \
        5:\tjmp    0 <one>\n   7:\tcall   c <one+0xc>\t8: R_X86_64_PLT32\tmemcpy-0x4\n   c:\txchg   %ax,%ax\n\
        \nDisassembly of section .text.unlikely.:\n\n0000000000000010 <two>:\n  10:\tlock addq $0x1,(%rax)\n  \
        14:\txchg   %rax,(%rcx)\n  18:\tcall   *0x8(%rax)\n  1b:\tjmp    *%rax\n";
    let objects = parse(text);
    let [one, two] = ["one", "two"].map(|name| objects[0].function(name).unwrap());
    let calls = |function| objects[0].calls(function).into_iter().collect::<Vec<_>>();
    assert_eq!((calls(one), calls(two)), (vec!["memcpy".into(), "two".into()], vec!["*0x8(%rax)".to_owned()]));
    assert!(!one.instructions.iter().any(is_locked));
    assert_eq!(two.instructions.iter().map(is_locked).collect::<Vec<_>>(), [true, true, false, false]);
}

#[test]
fn instances_of_a_generic_function_have_its_name() {
    assert_eq!(plain("score.Query.scoreGroups__func_10"), "score.Query.scoreGroups");
    assert_eq!(plain("matrix.tile__anon_7"), "matrix.tile");
    assert_eq!((plain("memcpy").as_str(), plain("a__func_b").as_str()), ("memcpy", "a__func_b"));
}
