//! Two runs of one machine at once never make one record twice: the second waits for what the first is writing.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};

use serde_json::{Value, json};

use crate::harness::{CliTest, CommandOutput};
use crate::kills::proxy::{KillPoint, KillTiming, Proxy};

const PLACES: [&str; 6] = ["Berlin", "Bonn", "Kiel", "Köln", "Mainz", "Trier"];

/// An account behind a proxy that can hold a request.
struct TwoRuns {
    account: CliTest,
    proxy: Proxy,
    import: &'static [&'static str],
}

/// A run that is held at its first write, which the service has and answers only to the proxy.
struct HeldRun {
    child: Child,
    release: Sender<()>,
}

impl TwoRuns {
    fn new(account: CliTest, import: &'static [&'static str]) -> Self {
        let proxy = Proxy::to(account.address());
        Self { account, proxy, import }
    }

    fn places() -> Self {
        let rows: String = PLACES.iter().map(|name| format!("{name},DE\n")).collect();
        let account = CliTest::new().sheet("locations.csv", &format!("name,country\n{rows}"));
        Self::new(account, &["import", "locations.csv", "--concurrency", "1"])
    }

    fn command(&self, more: &[&str]) -> Command {
        self.command_of(self.import, more)
    }

    fn command_of(&self, import: &[&str], more: &[&str]) -> Command {
        let mut command = self.account.command(&[import, more].concat());
        command.env("BLUETALLY_BASE_URL", self.proxy.base_url());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn hold(&self) -> HeldRun {
        let before = self.proxy.requests();
        CommandOutput::run(self.command(&["--dry-run", "--result", "dry.xlsx"])).exits(0);
        let reads = self.proxy.requests() - before;
        let (notify, notified) = mpsc::channel();
        self.proxy.set(Some(KillPoint { at: reads + 1, timing: KillTiming::Forwarded, notify }));
        let child = self.command(&["--json"]).spawn().unwrap();
        HeldRun { child, release: notified.recv().unwrap() }
    }

    /// Starts a second run and returns once it says that it waits for the first.
    fn waiting(&self) -> (Child, String) {
        self.waiting_with(self.import)
    }

    fn waiting_with(&self, import: &[&str]) -> (Child, String) {
        let mut child = self.command_of(import, &["--json"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let said = lines.find(|line| line.contains("waiting for run"));
        // Read to the end, so that the child never blocks.
        std::thread::spawn(move || lines.for_each(drop));
        (child, said.expect("the second run does not wait"))
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.account.records("locations").iter().map(|record| record["name"].as_str().unwrap().into()).collect();
        names.sort();
        names
    }
}

/// The exit code and the counts of created, unchanged and failed rows.
fn end(child: Child) -> (i32, [u64; 3], Value) {
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    let counts = ["created", "unchanged", "failed"].map(|name| summary["counts"][name].as_u64().unwrap());
    (output.status.code().unwrap(), counts, summary)
}

#[test]
fn two_imports_of_one_file_make_each_record_once() {
    let runs = TwoRuns::places();
    let first = runs.hold();
    let (second, said) = runs.waiting();
    first.release.send(()).unwrap();
    let (first, second) = (end(first.child), end(second));
    assert_eq!((first.0, second.0), (0, 0), "{:#} {:#}", first.2, second.2);
    assert!(said.contains(first.2["run_id"].as_str().unwrap()), "{said}");
    assert_eq!(runs.names(), PLACES);
    assert_eq!(first.1[0] + second.1[0], 6, "each was created by one of them");
    assert_eq!((first.1[2], second.1[2]), (0, 0));
    let results = [&first.2["result"], &second.2["result"]];
    assert_ne!(results[0], results[1]);
    results.iter().for_each(|path| assert!(runs.account.path(path.as_str().unwrap()).is_file(), "{path}"));
}

#[test]
fn the_spelling_of_the_base_url_makes_no_other_account() {
    let runs = TwoRuns::places();
    let first = runs.hold();
    let spelled = runs.proxy.base_url().replace("/api/v1", "//api/v1/");
    let (second, _) = runs.waiting_with(&[runs.import, &["--base-url", &spelled]].concat());
    first.release.send(()).unwrap();
    let (first, second) = (end(first.child), end(second));
    assert_eq!((first.0, second.0), (0, 0), "{:#} {:#}", first.2, second.2);
    assert_eq!(runs.names(), PLACES);
    // Both are runs of the account, whichever spelling names it.
    for run in [&first.2, &second.2] {
        let undo = ["undo", run["run_id"].as_str().unwrap(), "--yes", "--base-url", &spelled];
        CommandOutput::run(runs.command_of(&undo, &[])).exits(0);
    }
    assert!(runs.names().is_empty());
}

#[test]
fn without_waiting_the_row_is_a_problem() {
    let runs = TwoRuns::places();
    let first = runs.hold();
    let second = CommandOutput::run(runs.command(&["--json", "--no-wait"])).exits(1);
    let summary: Value = serde_json::from_str(&second.stdout).unwrap();
    assert_eq!(summary["problems"][0]["code"], "record.busy", "{summary:#}");
    first.release.send(()).unwrap();
    assert_eq!(end(first.child).0, 0);
    assert_eq!(runs.names(), PLACES);
}

#[test]
fn what_a_killed_run_was_writing_is_looked_for() {
    let runs = TwoRuns::places();
    let mut first = runs.hold();
    let (second, _) = runs.waiting();
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    first.release.send(()).ok();
    let (code, counts, summary) = end(second);
    assert_eq!((code, counts[2]), (0, 0), "{summary:#}");
    assert_eq!(runs.names(), PLACES);
}

#[test]
fn two_imports_of_one_file_check_out_once() {
    let rows = ["2026-03-02", "2026-03-02", "2026-03-03", "2026-03-04"];
    let rows: String = rows.iter().map(|day| format!("Toner,ada@example.com,1,{day}\n")).collect();
    let account = CliTest::new()
        .holds("categories", json!({"name": "Toner", "type": "consumable"}))
        .holds("consumables", json!({"name": "Toner", "category_id": 1, "quantity": 20}))
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .sheet("checkout_consumable.csv", &format!("Consumable,Employee,Quantity,Checkout Date\n{rows}"));
    let runs = TwoRuns::new(account, &["import", "checkout_consumable.csv", "--concurrency", "1"]);
    let first = runs.hold();
    let (second, _) = runs.waiting();
    first.release.send(()).unwrap();
    let (first, second) = (end(first.child), end(second));
    assert_eq!((first.0, second.0), (0, 0), "{:#} {:#}", first.2, second.2);
    assert_eq!(first.1[0] + second.1[0], 4);
    assert_eq!(runs.account.records("consumables")[0]["available"], 16);
}

/// Holds an import of Aachen and Berlin at the first, lets one of `other.csv` wait for the second, and ends both: the
/// exit code, counts and summary of the second run, and the country and city of Berlin.
fn end_with_other_values(other: &str, options: &[&str]) -> ((i32, [u64; 3], Value), [String; 2]) {
    let account =
        CliTest::new().sheet("locations.csv", "name,country\nAachen,DE\nBerlin,DE\n").sheet("other.csv", other);
    let runs = TwoRuns::new(account, &["import", "locations.csv", "--concurrency", "1"]);
    let first = runs.hold();
    let (second, _) = runs.waiting_with(&[&["import", "other.csv", "--entity", "locations"], options].concat());
    first.release.send(()).unwrap();
    assert_eq!(end(first.child).0, 0);
    let second = end(second);
    let records = runs.account.records("locations");
    assert_eq!(records.len(), 2, "{records:?}");
    let text = |name: &str| records[1][name].as_str().unwrap_or_default().to_owned();
    (second, [text("country"), text("city")])
}

#[test]
fn what_another_run_has_just_made_is_updated_like_any_record() {
    let ((code, counts, summary), held) = end_with_other_values("name,country,city\nBerlin,Germany,Berlin\n", &[]);
    assert_eq!((code, counts), (0, [0, 0, 0]), "{summary:#}");
    assert_eq!(summary["counts"]["updated"], 1, "{summary:#}");
    assert_eq!(held, ["Germany", "Berlin"]);
    let ((code, counts, summary), held) = end_with_other_values("name,country\nBERLIN,DE\n", &[]);
    assert_eq!((code, counts[0], summary["counts"]["updated"].as_u64()), (0, 0, Some(1)), "{summary:#}");
    assert_eq!(held[0], "DE");
}

#[test]
fn what_another_run_has_just_made_is_not_updated_where_records_are_only_created() {
    let other = "name,country\nBerlin,Germany\n";
    let ((code, counts, summary), held) = end_with_other_values(other, &["--mode", "create"]);
    assert_eq!((code, counts), (1, [0, 0, 1]), "{summary:#}");
    assert_eq!(summary["problems"][0]["code"], "record.exists");
    assert_eq!(held[0], "DE");
}

#[test]
fn of_two_runs_that_update_one_record_the_later_one_wins() {
    let account = CliTest::new()
        .holds("locations", json!({"name": "Berlin", "country": "old"}))
        .sheet("locations.csv", "name,country\nBerlin,DE\n")
        .sheet("other.csv", "name,country,city\nBerlin,Germany,Berlin\n");
    let runs = TwoRuns::new(account, &["import", "locations.csv"]);
    let first = runs.hold();
    let (second, _) = runs.waiting_with(&["import", "other.csv", "--entity", "locations"]);
    first.release.send(()).unwrap();
    let (first, second) = (end(first.child), end(second));
    assert_eq!((first.0, second.0), (0, 0), "{:#}", second.2);
    let record = &runs.account.records("locations")[0];
    assert_eq!((&record["country"], &record["city"]), (&json!("Germany"), &json!("Berlin")));
    let undo = ["undo", second.2["run_id"].as_str().unwrap(), "--yes"];
    CommandOutput::run(runs.command_of(&undo, &[])).exits(0);
    assert_eq!(runs.account.records("locations")[0]["country"], "DE", "what the later run found");
}
