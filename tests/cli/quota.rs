//! The quota over processes and restarts: what all of them send together, a strict service counts.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tallyport::sandbox::{SandboxOptions, Seed};

use crate::rehearsal::{KEY, Rehearsal};

/// A sheet of locations, which need nothing else in the account.
fn locations(prefix: &str, count: usize) -> String {
    let rows: String = (1..=count).map(|number| format!("{prefix}-{number}\n")).collect();
    format!("name\n{rows}")
}

/// A run that has said that it waits for its own quota; gone on drop.
struct Waiting(Child);

impl Waiting {
    /// Runs the command until it says so.
    fn until_it_says_so(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut heard = Vec::new();
        let waits = said.by_ref().any(|line| {
            heard.push(line.clone());
            line.contains("waiting until")
        });
        assert!(waits, "{heard:?}");
        let last = heard.pop().unwrap();
        assert!(last.contains("the quota of requests is used up"), "{last}");
        // Nobody listens any more, and the run must not be stopped by that.
        std::thread::spawn(move || said.for_each(drop));
        Self(child)
    }
}

impl Drop for Waiting {
    /// As hard as it gets: SIGKILL, or what Windows has for it.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn two_processes_and_a_third_after_a_kill_stay_within_one_quota() {
    // The service lets forty-one pass and no more, and the last is for the test's own question.
    let options = SandboxOptions { seed: Seed::Empty, quota: Some(41), ..SandboxOptions::default() };
    let account = Rehearsal::with(options)
        .sheet("one.csv", &locations("one", 60))
        .sheet("two.csv", &locations("two", 60))
        .sheet("three.csv", &locations("three", 5));
    let import = |file: &str| account.command(&["import", "--entity", "locations", file, "--quota", "40/h"]);
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| Waiting::until_it_says_so(import("one.csv")));
        let second = scope.spawn(|| Waiting::until_it_says_so(import("two.csv")));
        (first.join().unwrap(), second.join().unwrap())
    });
    drop(first);
    // The window is used up, and a new process knows it from the start.
    drop(Waiting::until_it_says_so(import("three.csv")));
    drop(second);
    // Had the service seen more than forty, it would refuse this.
    let records = account.records("locations");
    let of = |prefix: &str| {
        records.iter().filter(|record| record["name"].as_str().is_some_and(|name| name.starts_with(prefix))).count()
    };
    assert_eq!(of("three"), 0);
    assert!((30..40).contains(&(of("one") + of("two"))), "{} and {}", of("one"), of("two"));
}

#[test]
fn the_doctor_tells_what_is_left_for_all_processes() {
    let account = Rehearsal::new();
    for left in [7, 6] {
        let words = format!("ours: {left} of 8 requests an hour left on this machine (from --quota)");
        account.run(&["doctor", "--quota", "8/h"]).exits(0).says(&words);
    }
}

#[test]
fn a_ledger_that_cannot_be_used_stops_the_run_before_anything_is_sent() {
    let account = Rehearsal::new().sheet("locations.csv", &locations("new", 2));
    account.run(&["doctor"]).exits(0);
    let folder = account.path("state").join("quota");
    let ledger = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "sqlite"))
        .unwrap();
    std::fs::write(&ledger, "spoilt ".repeat(1_000)).unwrap();
    let name = ledger.file_name().unwrap().to_str().unwrap().to_owned();
    account.run(&["import", "locations.csv"]).exits(2).says(&name).says("is damaged").says("delete `");
    assert_eq!(account.records("locations"), Vec::<serde_json::Value>::new());
    account.run(&["doctor"]).exits(2).says(&name).says("answered in");
}

#[test]
fn nothing_a_run_leaves_behind_holds_the_key() {
    let account = Rehearsal::new();
    let key = format!("bt-{KEY}-0123456789");
    let mut command = account.command(&["doctor"]);
    // A key the service does not know goes the same way.
    assert!(!command.env("BLUETALLY_API_KEY", &key).output().unwrap().status.success());
    let folder = account.path("state").join("quota");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        assert!(!file.to_string_lossy().contains(&key));
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(key.len()).any(|window| window == key.as_bytes()), "{}", file.display());
    }
}
