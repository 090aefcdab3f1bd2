//! Parsers against mutated input, on stable Rust.
//!
//! A test called `fuzz_…` gives valid inputs and a parser to [`each_mutation`]. It is ignored, because it needs a process
//! of its own for its memory limit: [`parsers_withstand_mutated_input`] runs all of them for some seconds, and
//! `tests/fuzz.sh` for as long as one likes. The same seed makes the same inputs.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use fastrand::Rng;
use proptest::test_runner::Config as ProptestConfig;

/// How many inputs each test tries, and from which seed on.
const ROUNDS: &str = "TALLYPORT_FUZZ_ROUNDS";
const SEED: &str = "TALLYPORT_FUZZ_SEED";
/// What a parser may use in all, beyond what the process has when it starts.
#[cfg(unix)]
const MEMORY: u64 = 256 << 20;

/// Runs `parse` on mutations of the valid inputs. A panic shows the input that caused it.
///
/// `words` are pieces of the format that are put in here and there. `cost` is about how many times slower than a short
/// text one input is.
pub(crate) fn each_mutation(inputs: &[&[u8]], words: &[&str], cost: u32, mut parse: impl FnMut(&[u8])) {
    limit_memory();
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (rounds, seed) = (setting(ROUNDS).unwrap_or(500) / u64::from(cost), setting(SEED).unwrap_or(1));
    for input in inputs {
        parse(input);
    }
    for round in seed..seed + rounds {
        let mut rng = Rng::with_seed(round);
        let Some(input) = rng.choice(inputs) else { return };
        let mutated = mutate(input, inputs, words, &mut rng);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| parse(&mutated))) {
            eprintln!("seed {round}, input {:?}", String::from_utf8_lossy(&mutated));
            resume_unwind(panic);
        }
    }
}

/// How many of many cases alike a test tries: `all` of them with `TALLYPORT_TESTS=all`, as in `.ci/run`, and otherwise a `few`, so
/// that `cargo test` ends soon.
pub(crate) fn few_or_all(few: u64, all: u64) -> u64 {
    if std::env::var_os("TALLYPORT_TESTS").is_some_and(|tests| tests == "all") { all } else { few }
}

/// How many cases a property is tried with, unless `PROPTEST_CASES` says it.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    // The default reads the variable.
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(usual),
    }
}

/// Changes an input in one to eight places.
fn mutate(input: &[u8], inputs: &[&[u8]], words: &[&str], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..rng.usize(1..=8) {
        let at = rng.usize(0..=bytes.len());
        let end = (at + rng.usize(0..16)).min(bytes.len());
        match rng.u8(0..9) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(0..8),
            1 if at < bytes.len() => bytes[at] = rng.u8(..),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let part = bytes[at..end].to_vec();
                let times = 1 << rng.u8(0..8);
                bytes.splice(at..at, part.repeat(times));
            }
            4 | 5 => {
                let word = rng.choice(words).unwrap_or(&"");
                bytes.splice(at..end, word.bytes());
            }
            6 => {
                let number = [0, 1, -1, i64::MAX, i64::MIN, 65_536, 4_294_967_296][rng.usize(0..7)];
                bytes.splice(at..at, number.to_string().into_bytes());
            }
            7 => {
                let other = rng.choice(inputs).unwrap_or(&input);
                let from = rng.usize(0..=other.len());
                bytes.splice(at.., other[from..].iter().copied());
            }
            _ => {
                let strange = ["\u{0}", "\u{feff}", "\u{202e}", "é", "\u{1d7d8}", "\r", "\n\n", "\\", "\"", "\u{a0}"];
                bytes.splice(at..at, strange[rng.usize(0..strange.len())].bytes());
            }
        }
    }
    bytes
}

/// Limits the memory of this process, which runs nothing but these tests.
#[cfg(unix)]
fn limit_memory() {
    use std::sync::Once;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let limit = Rlimit { current: Some(MEMORY), maximum: getrlimit(Resource::Data).maximum };
        let _ = setrlimit(Resource::Data, limit);
    });
}

#[cfg(not(unix))]
fn limit_memory() {}

/// Runs every test of this kind in a process of its own.
#[test]
#[allow(clippy::unwrap_used)]
fn parsers_withstand_mutated_input() {
    let tests = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["fuzz_", "--ignored", "--test-threads=2"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tests.stdout);
    assert!(tests.status.success(), "{said}\n{}", String::from_utf8_lossy(&tests.stderr));
    assert!(!said.contains("running 0 tests"), "{said}");
}
