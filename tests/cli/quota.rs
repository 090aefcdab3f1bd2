//! The shared quota: a strict service counts what all processes send together.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tallyport::sandbox::{SandboxOptions, Seed};

use crate::harness::{CliTest, KEY, assert_output};

/// A sheet of locations, which refer to no other records.
fn locations(prefix: &str, count: usize) -> String {
    let rows: String = (1..=count).map(|number| format!("{prefix}-{number}\n")).collect();
    format!("name\n{rows}")
}

/// A run that is waiting for its quota; killed on drop.
struct Waiting(Child);

impl Waiting {
    /// Starts the command and returns when it is waiting.
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
        // Standard error is closed now, which must not stop the run.
        std::thread::spawn(move || said.for_each(drop));
        Self(child)
    }
}

impl Drop for Waiting {
    /// Kills it: SIGKILL, or its counterpart on Windows.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn processes_share_one_quota_even_after_a_kill() {
    // The service accepts 41 requests; the last one is for the test itself.
    let options = SandboxOptions { seed: Seed::Empty, quota: Some(41), ..SandboxOptions::default() };
    let account = CliTest::with(options)
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
    // The window is used up, and a new process knows that from the start.
    drop(Waiting::until_it_says_so(import("three.csv")));
    drop(second);
    // If the processes had sent more than forty, the service would refuse this one.
    let records = account.records("locations");
    let of = |prefix: &str| {
        records.iter().filter(|record| record["name"].as_str().is_some_and(|name| name.starts_with(prefix))).count()
    };
    assert_eq!(of("three"), 0);
    assert!((30..40).contains(&(of("one") + of("two"))), "{} and {}", of("one"), of("two"));
}

#[test]
fn doctor_shows_the_shared_remaining_quota() {
    let account = CliTest::new();
    assert_output!(account.run(&["doctor", "--quota", "8/h"]), @"
    exit code 0
    --- stdout
    ok    config   no `~/config/tallyport/config.toml` (optional)
    ok    state    `~/state` (from TALLYPORT_HOME)
    ok    key      from BLUETALLY_API_KEY
    ok    service  `http://127.0.0.1:49152/api/v1` (from BLUETALLY_BASE_URL) answered in 2 ms
    ok    tenant   none set (the key needs none)
    ok    quota    9999 of 10000 requests left at the service; ours: 7 of 8 requests an hour left on this machine (from --quota)
    ok    clock    as the service's
    ");
    assert_output!(account.run(&["doctor", "--quota", "8/h"]), @"
    exit code 0
    --- stdout
    ok    config   no `~/config/tallyport/config.toml` (optional)
    ok    state    `~/state` (from TALLYPORT_HOME)
    ok    key      from BLUETALLY_API_KEY
    ok    service  `http://127.0.0.1:49152/api/v1` (from BLUETALLY_BASE_URL) answered in 2 ms
    ok    tenant   none set (the key needs none)
    ok    quota    9998 of 10000 requests left at the service; ours: 6 of 8 requests an hour left on this machine (from --quota)
    ok    clock    as the service's
    ");
}

#[test]
fn an_unusable_quota_file_stops_the_run_before_sending() {
    let account = CliTest::new().sheet("locations.csv", &locations("new", 2));
    account.run(&["doctor"]).exits(0);
    let folder = account.path("state").join("quota");
    let quota = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "sqlite"))
        .unwrap();
    std::fs::write(&quota, "spoilt ".repeat(1_000)).unwrap();
    assert_output!(account.run(&["import", "locations.csv"]), @"
    exit code 2
    --- stderr
    error: the shared quota `~/state/quota/DIGEST.sqlite` is damaged: file is not a database
      hint: delete `~/state/quota/DIGEST.sqlite`; it only holds the times of the last hour's requests, so wait an hour first if the key was used in it
    ");
    assert_eq!(account.records("locations"), Vec::<serde_json::Value>::new());
    assert_output!(account.run(&["doctor"]), @"
    exit code 2
    --- stdout
    ok    config   no `~/config/tallyport/config.toml` (optional)
    ok    state    `~/state` (from TALLYPORT_HOME)
    fail  ledger   the shared quota `~/state/quota/DIGEST.sqlite` is damaged: file is not a database
          hint: delete `~/state/quota/DIGEST.sqlite`; it only holds the times of the last hour's requests, so wait an hour first if the key was used in it
    ok    key      from BLUETALLY_API_KEY
    ok    service  `http://127.0.0.1:49152/api/v1` (from BLUETALLY_BASE_URL) answered in 2 ms
    ok    tenant   none set (the key needs none)
    ok    quota    9997 of 10000 requests left at the service; ours: 9999 of 10000 requests an hour left on this machine (by default)
    ok    clock    as the service's
    ");
}

#[test]
fn the_key_is_in_none_of_the_quota_files() {
    let account = CliTest::new();
    let key = format!("bt-{KEY}-0123456789");
    let mut command = account.command(&["doctor"]);
    // An invalid key is handled the same way.
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
