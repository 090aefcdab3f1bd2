//! `resume`: an interrupted run continues from its journal alone.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};

use serde_json::{Value, json};
use tallyport::sandbox::{Sandbox, SandboxOptions, StoreLocation};

use crate::harness::{CliTest, CommandOutput, KEY, assert_output, request, sheet_rows, tallyport};
use crate::kills::proxy::{KillPoint, KillTiming, Proxy};
use crate::redact::{redact, without_split};

const ROWS: usize = 12;

/// An account behind a proxy, and a sheet of assets for it.
struct ResumeTest {
    account: CliTest,
    proxy: Proxy,
}

/// A command that is paused at a request until it is released.
struct PausedCommand {
    child: Child,
    release: Sender<()>,
    folder: PathBuf,
}

impl ResumeTest {
    fn new() -> Self {
        let mut text = String::from("asset_id,product,status,notes\n");
        (1..=ROWS).for_each(|number| text.push_str(&format!("A-{number},MacBook Pro 14,Ready,note {number}\n")));
        let account = CliTest::new().with_lookups().sheet("assets.csv", &text);
        let proxy = Proxy::to(account.address());
        Self { account, proxy }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.account.command(arguments);
        command.env("BLUETALLY_BASE_URL", self.proxy.base_url());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> CommandOutput {
        CommandOutput::run(self.command(arguments))
    }

    /// Starts a command and returns when its request number `at` has reached that point.
    fn pause_at(&self, arguments: &[&str], at: u64, timing: KillTiming) -> PausedCommand {
        let (notify, notified) = mpsc::channel();
        self.proxy.set(Some(KillPoint { at, timing, notify }));
        let child = self.command(arguments).spawn().unwrap();
        let release = notified.recv().unwrap();
        PausedCommand { child, release, folder: self.account.folder().to_owned() }
    }

    /// Imports, one request at a time, and kills the command at request number `at`; the first four are lookups.
    fn killed(&self, at: u64) {
        self.killed_with(&["import", "assets.csv", "--concurrency", "1"], at);
    }

    fn killed_with(&self, arguments: &[&str], at: u64) {
        let mut paused = self.pause_at(arguments, at, KillTiming::Forwarded);
        paused.child.kill().unwrap();
        paused.child.wait().unwrap();
        paused.release.send(()).ok();
        self.proxy.set(None);
        self.proxy.settled();
    }

    fn journal(&self) -> PathBuf {
        let folder = self.account.path("state/runs");
        let mut journals = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        journals.find(|path| path.extension().is_some_and(|extension| extension == "sqlite")).unwrap()
    }

    fn run_id(&self) -> String {
        self.journal().file_stem().unwrap().to_string_lossy().into_owned()
    }

    /// Every row must have exactly one record.
    fn all_there_once(&self) {
        let mut tags: Vec<String> = self
            .account
            .records("assets")
            .iter()
            .map(|record| record["asset_id"].as_str().unwrap().to_owned())
            .collect();
        tags.sort_by_key(|tag| tag[2..].parse::<u32>().unwrap());
        assert_eq!(tags, (1..=ROWS).map(|number| format!("A-{number}")).collect::<Vec<_>>());
    }

    fn statuses(&self, result: &str) -> Vec<String> {
        sheet_rows(&self.account.path(result), "assets").into_iter().skip(1).map(|row| row[0].clone()).collect()
    }
}

impl PausedCommand {
    #[cfg(unix)]
    fn signal(&self, name: &str) {
        Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
    }

    fn ends(self) -> CommandOutput {
        self.release.send(()).ok();
        CommandOutput::of(self.child.wait_with_output().unwrap(), &self.folder)
    }
}

#[test]
fn resume_needs_only_the_journal() {
    let story = ResumeTest::new();
    story.killed(9);
    fs::remove_file(story.account.path("assets.csv")).unwrap();
    let elsewhere = story.account.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let ran = CommandOutput::run(story.command(&["resume", "--last", "--json"]).current_dir(&elsewhere));
    let ran = ran.exits(0);
    insta::assert_snapshot!(without_split(&redact(&ran.stderr, story.account.folder())), @"
    resuming run 20261124-093015-abcd
    ~/assets.csv no longer exists; the run continues with what it contained
    Import of assets.csv: all 12 rows succeeded, in 0.5 s (run 20261124-093015-abcd)
      12 rows: 12 created (assets)
      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id, notes
      requests  N
      result    ~/assets.result.xlsx
    ");
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["counts"]["created"], ROWS as u64, "the whole run is counted, not what was left of it");
    assert_eq!(said["run_id"], story.run_id());
    story.all_there_once();
    assert_eq!(story.statuses("assets.result.xlsx"), vec!["created"; ROWS]);
    let row = &sheet_rows(&story.account.path("assets.result.xlsx"), "assets")[4];
    assert_eq!(row[3..], ["A-4", "MacBook Pro 14", "Ready", "note 4"], "the user's own cells");
}

#[test]
fn resuming_a_finished_run_sends_nothing() {
    let story = ResumeTest::new();
    story.run(&["import", "assets.csv"]).exits(0);
    let requests = story.proxy.requests();
    insta::assert_snapshot!(without_split(&story.run(&["resume", &story.run_id()]).redacted()), @"
    exit code 0
    --- stdout
    Import of assets.csv: all 12 rows succeeded, in 0.5 s (run 20261124-093015-abcd)
      12 rows: 12 created (assets)
      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id, notes
      requests  N
      result    ~/assets.result.xlsx
    --- stderr
    run 20261124-093015-abcd is finished; there is nothing to resume
    ");
    insta::assert_snapshot!(without_split(&story.run(&["resume", "--last"]).redacted()), @"
    exit code 2
    --- stderr
    error: there is nothing to resume: every run is finished
      hint: `tallyport runs` lists all runs
    ");
    assert_eq!(story.proxy.requests(), requests);
}

#[test]
fn records_created_meanwhile_are_not_created_again() {
    let story = ResumeTest::new();
    // One request at a time, so that most rows are not in flight.
    story.killed_with(&["import", "assets.csv", "--concurrency", "1"], 8);
    let first = story.run_id();
    let text = fs::read_to_string(story.account.path("assets.csv")).unwrap();
    let other = story.account.path("other.csv");
    fs::write(&other, text.replace("note 12", "somebody else's")).unwrap();
    story
        .run(&["import", "other.csv", "--entity", "assets", "--result", "other.result.xlsx", "--concurrency", "1"])
        .exits(0);
    let writes = story.proxy.writes();
    insta::assert_snapshot!(without_split(&story.run(&["resume", "--last"]).redacted()), @"
    exit code 1
    --- stdout
    Import of assets.csv: 1 of 12 rows failed, in 0.5 s (run 20261124-093015-abcd)
      N rows: ...

    1 problem in 1 row
           1 × the record was changed on the service meanwhile (record.conflict)
               row 13
               run 20261124-093015-abcd wrote this record after this run was planned; asset `#N` has its `asset_id` and appeared during the run, but differs: `notes` is `somebody else's`; not sent again
               hint: import the row again: what is there now is then compared with it

      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id, notes
      requests  N
      result    ~/assets.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import ~/assets.result.xlsx --concurrency 1 --only-failed
    --- stderr
    resuming run 20261124-093015-abcd
    ");
    assert_eq!(story.proxy.writes(), writes, "nothing was left to send");
    story.all_there_once();
    let statuses = story.statuses("assets.result.xlsx");
    let count = |word: &str| statuses.iter().filter(|status| *status == word).count();
    assert_eq!((count("failed"), count("created") + count("unchanged")), (1, ROWS - 1), "{statuses:?}");
    assert!(count("unchanged") > 0, "what others made is not counted as made: {statuses:?}");
    // An undo keeps what the other import created.
    let ran = story.run(&["undo", &first, "--yes"]);
    assert!(ran.code <= 1, "{}", ran.text());
    assert_eq!(story.account.records("assets").len(), ROWS - count("created"));
}

#[test]
fn an_asset_that_got_the_tag_of_another_meanwhile_is_not_moved_in_its_place() {
    let story = ResumeTest::new();
    let account = story.account.holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}));
    account.run(&["import", "assets.csv", "--yes"]).exits(0);
    let rows: String = (1..=ROWS).map(|number| format!("A-{number},ada@example.com,2026-03-02\n")).collect();
    let account = account.sheet("checkout_asset.csv", &format!("asset_id,employee,checkout_date\n{rows}"));
    fs::remove_dir_all(account.path("state/runs")).unwrap();
    let story = ResumeTest { account, proxy: story.proxy };
    story.killed_with(&["import", "checkout_asset.csv", "--yes", "--concurrency", "1"], 10);
    let id = |tag: &str| story.account.record("assets", "asset_id", tag)["id"].clone();
    let (first, second) = (id("A-11"), id("A-12"));
    for (id, tag) in [(&second, "B-1"), (&first, "A-12")] {
        let (status, answer) = story.account.request("PUT", &format!("assets/{id}"), Some(&json!({"asset_id": tag})));
        assert_eq!(status, 200, "{answer}");
    }
    let resumed = story.run(&["resume", "--last"]).exits(1);
    assert!(resumed.stdout.contains("`A-12` is the tag of another record"), "{}", resumed.text());
    let has_holder = |tag: &str| {
        let holders = story.account.record("assets", "asset_id", tag)["deployed_to"].clone();
        holders.as_array().is_some_and(|holders| !holders.is_empty())
    };
    assert_eq!(["A-1", "A-10", "A-12", "B-1"].map(has_holder), [true, true, false, false], "{}", resumed.text());
}

/// Of three check-outs the second is killed before it reaches the service.
#[test]
fn a_check_out_of_another_run_is_not_taken_for_one_of_ours() {
    let story = ResumeTest::new();
    let header = "Accessory,Employee,Quantity,Checkout Date\n";
    let mut account = story.account;
    let mut rows = header.to_owned();
    for (day, name) in (1..).zip(["Ada", "Bob", "Eve"]) {
        account = account.holds("employees", json!({"name": name, "email": format!("{name}@example.com")}));
        rows.push_str(&format!("Mouse,{name},1,2026-03-0{day}\n"));
    }
    let account = account
        .holds("categories", json!({"name": "Mice", "type": "accessory"}))
        .holds("accessories", json!({"name": "Mouse", "category_id": 2, "quantity": 100}))
        .sheet("earlier.csv", &rows.replace("2026", "2025"))
        .sheet("checkout_accessory.csv", &rows)
        .sheet("other.csv", &format!("{header}Mouse,Bob,1,2026-04-09\n"));
    let story = ResumeTest { account, proxy: story.proxy };
    let import = ["import", "checkout_accessory.csv", "--yes", "--concurrency", "1"];
    let left = || story.account.record("accessories", "name", "Mouse")["available"].clone();
    // As many requests as the import itself, of which three are check-outs.
    let requests = story.proxy.requests();
    story.run(&["import", "earlier.csv", "--entity", "checkout_accessory", "--yes"]).exits(0);
    let requests = story.proxy.requests() - requests;
    let mut paused = story.pause_at(&import, requests - 1, KillTiming::Arrived);
    paused.child.kill().unwrap();
    paused.child.wait().unwrap();
    paused.release.send(()).ok();
    story.proxy.set(None);
    story.proxy.settled();
    assert_eq!(left(), 96);
    let runs = story.account.run(&["runs", "--json"]).exits(0);
    let runs: Value = serde_json::from_str(&runs.stdout).unwrap();
    let run = runs["runs"][0]["run_id"].as_str().unwrap();
    story.run(&["import", "other.csv", "--entity", "checkout_accessory", "--yes"]).exits(0);
    let resumed = story.run(&["resume", run]).exits(0);
    assert!(resumed.stdout.contains("3 created"), "{}", resumed.text());
    assert_eq!(left(), 93, "{}", resumed.text());
}

#[test]
fn a_run_in_use_by_another_process_is_refused() {
    let story = ResumeTest::new();
    let paused = story.pause_at(&["import", "assets.csv"], 7, KillTiming::Arrived);
    let run = story.run_id();
    insta::assert_snapshot!(without_split(&story.run(&["resume", &run]).redacted()), @"
    exit code 2
    --- stderr
    error: another tallyport is working on run 20261124-093015-abcd
      hint: wait until it ends, or stop it with Ctrl-C
    ");
    insta::assert_snapshot!(without_split(&story.run(&["resume", "--last"]).redacted()), @"
    exit code 2
    --- stderr
    error: another tallyport is working on run 20261124-093015-abcd
      hint: wait until it ends, or stop it with Ctrl-C
    ");
    paused.ends().exits(0);
    story.all_there_once();
}

#[test]
fn a_changed_input_file_does_not_change_a_resumed_run() {
    let story = ResumeTest::new();
    story.killed(8);
    fs::write(story.account.path("assets.csv"), "asset_id,product,status\nB-1,MacBook Pro 14,Ready\n").unwrap();
    insta::assert_snapshot!(without_split(&story.run(&["resume", "--last"]).redacted()), @"
    exit code 0
    --- stdout
    Import of assets.csv: all 12 rows succeeded, in 0.5 s (run 20261124-093015-abcd)
      12 rows: 12 created (assets)
      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id, notes
      requests  N
      result    ~/assets.result.xlsx
    --- stderr
    resuming run 20261124-093015-abcd
    ~/assets.csv has changed since the run began; the run continues with what it contained then
    ");
    story.all_there_once();
}

#[test]
fn a_run_can_only_be_resumed_into_its_own_account() {
    let story = ResumeTest::new();
    story.killed(8);
    let ran = CommandOutput::run(story.account.command(&["resume", "--last"]));
    insta::assert_snapshot!(without_split(&ran.redacted()), @"
    exit code 2
    --- stderr
    error: the run belongs to http://127.0.0.1:49152/api/v1, and flags, environment or profile say http://127.0.0.1:49152/api/v1
      hint: if you trust that address with the API key, pass `--base-url http://127.0.0.1:49152/api/v1`; resume, undo and verify work only on the account of the run
    ");
    let base_url = story.proxy.base_url();
    let mut nameless = tallyport(story.account.folder(), &["resume", "--last"]);
    CommandOutput::run(nameless.env("BLUETALLY_API_KEY", KEY)).exits(2);
    let mut named = tallyport(story.account.folder(), &["resume", "--last", "--base-url", &base_url]);
    CommandOutput::run(named.env("BLUETALLY_API_KEY", KEY)).exits(0);
    story.all_there_once();
}

#[test]
fn an_incomplete_plan_cannot_be_resumed() {
    let story = ResumeTest::new();
    story.killed(2);
    insta::assert_snapshot!(without_split(&story.run(&["resume", "--last"]).redacted()), @"
    exit code 2
    --- stderr
    error: run 20261124-093015-abcd was stopped while its plan was made: nothing was sent
      hint: begin again: tallyport import assets.csv --concurrency 1
    ");
    insta::assert_snapshot!(without_split(&story.run(&["resume", &story.run_id()]).redacted()), @"
    exit code 2
    --- stderr
    error: run 20261124-093015-abcd was stopped while its plan was made: nothing was sent
      hint: begin again: tallyport import assets.csv --concurrency 1
    ");
}

#[test]
fn unusable_journals_are_reported_before_sending() {
    let story = ResumeTest::new();
    story.killed(8);
    let (journal, run) = (story.journal(), story.run_id());
    let whole = rusqlite::Connection::open(&journal).unwrap();
    whole.pragma_update(None, "user_version", 99).unwrap();
    drop(whole);
    let requests = story.proxy.requests();
    insta::assert_snapshot!(without_split(&story.run(&["resume", &run]).redacted()), @"
    exit code 2
    --- stderr
    error: the journal `~/state/runs/20261124-093015-abcd.sqlite` was written by a newer tallyport (format 99, this one reads 1)
      hint: update tallyport
    ");
    let bytes = fs::read(&journal).unwrap();
    fs::write(&journal, &bytes[..bytes.len() / 3]).unwrap();
    insta::assert_snapshot!(without_split(&story.run(&["resume", &run]).redacted()), @"
    exit code 2
    --- stderr
    error: the journal `~/state/runs/20261124-093015-abcd.sqlite` is damaged: database disk image is malformed
      hint: import the file again: an upsert finds existing records; compare check-outs by hand
    ");
    fs::write(&journal, "this is no database, and long enough to be looked at as one".repeat(40)).unwrap();
    insta::assert_snapshot!(without_split(&story.run(&["resume", &run]).redacted()), @"
    exit code 2
    --- stderr
    error: the journal `~/state/runs/20261124-093015-abcd.sqlite` is damaged: file is not a database
      hint: import the file again: an upsert finds existing records; compare check-outs by hand
    ");
    insta::assert_snapshot!(without_split(&story.run(&["resume", "20200101-000000-none"]).redacted()), @"
    exit code 2
    --- stderr
    error: there is no run `20261124-093015-abcd`
      hint: `tallyport runs` lists all runs
    ");
    assert_eq!(story.proxy.requests(), requests);
}

#[test]
fn an_unusable_state_folder_stops_an_import_before_sending() {
    let story = ResumeTest::new();
    let occupied = story.account.path("occupied");
    fs::write(&occupied, "a file where the folder should be").unwrap();
    let ran = CommandOutput::run(story.command(&["import", "assets.csv"]).env("TALLYPORT_HOME", &occupied));
    insta::assert_snapshot!(without_split(&ran.redacted()), @"
    exit code 2
    --- stderr
    error: the state folder `~/occupied` is not a folder
      hint: set TALLYPORT_HOME to a folder of your own
    ");
    assert_eq!(story.proxy.writes(), 0);
}

#[test]
fn a_service_restart_fails_no_row() {
    let story = ResumeTest::new();
    let data = story.account.path("account.db");
    let service = || {
        let store = StoreLocation::File(data.clone());
        Sandbox::start(SandboxOptions { store, api_key: KEY.into(), quota: None, ..SandboxOptions::default() }).unwrap()
    };
    let first = service();
    for (collection, record) in [
        ("categories", json!({"name": "Notebooks", "type": "asset"})),
        ("statuses", json!({"name": "Ready", "type": "deployable"})),
    ] {
        assert_eq!(request(first.address(), KEY, "POST", collection, Some(&record)).0, 201);
    }
    let product = json!({"name": "MacBook Pro 14 M9", "category_id": 1});
    assert_eq!(request(first.address(), KEY, "POST", "products", Some(&product)).0, 201);
    let sheet: String = (1..=ROWS).map(|number| format!("A-{number},MacBook Pro 14 M9,Ready\n")).collect();
    fs::write(story.account.path("assets.csv"), format!("asset_id,product,status\n{sheet}")).unwrap();
    story.proxy.moves_to(first.address());
    let paused = story.pause_at(&["import", "assets.csv"], 8, KillTiming::Forwarded);
    drop(first);
    let again = service();
    story.proxy.moves_to(again.address());
    paused.ends().exits(0);
    let (_, body) = request(again.address(), KEY, "GET", "assets?limit=1000", None);
    let records: Vec<Value> = serde_json::from_str(&body).unwrap();
    let mut tags: Vec<&str> = records.iter().filter_map(|record| record["asset_id"].as_str()).collect();
    tags.retain(|tag| tag.starts_with("A-"));
    assert_eq!(tags.len(), ROWS, "{tags:?}");
}

#[cfg(unix)]
mod interrupts {
    use super::*;

    /// Requests in flight finish, the rest waits for `resume`, which completes the same result workbook.
    fn stops_and_resumes(signal: &str) {
        if is_ignored(signal) {
            return;
        }
        let story = ResumeTest::new();
        let paused = story.pause_at(&["import", "assets.csv", "--concurrency", "1"], 8, KillTiming::Forwarded);
        paused.signal(signal);
        let run = story.run_id();
        let output = paused.ends().exits(4);
        assert!(output.text().contains(&format!("tallyport resume {run}")), "{}", output.text());
        let statuses = story.statuses("assets.result.xlsx");
        assert_eq!(statuses.len(), ROWS);
        assert!(statuses.iter().all(|status| matches!(status.as_str(), "created" | "not_sent")), "{statuses:?}");
        assert!(statuses.contains(&"not_sent".to_owned()), "{statuses:?}");
        story.run(&["resume", &run]).exits(0);
        story.all_there_once();
        assert_eq!(story.statuses("assets.result.xlsx"), vec!["created"; ROWS]);
        assert!(!story.account.path("assets.result-2.xlsx").exists());
    }

    /// Whether whoever started the tests has them ignore the signal, as `nohup` does: then tallyport does, too.
    fn is_ignored(signal: &str) -> bool {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
        matches!((signal, mask & 1, mask & 2), ("-HUP", 1, _) | ("-INT", _, 2))
    }

    #[test]
    fn ctrl_c_finishes_requests_in_flight() {
        stops_and_resumes("-INT");
    }

    #[test]
    fn sigterm_finishes_requests_in_flight() {
        stops_and_resumes("-TERM");
    }

    #[test]
    fn sighup_finishes_requests_in_flight() {
        stops_and_resumes("-HUP");
    }

    #[test]
    fn a_second_ctrl_c_stops_immediately_and_resume_reconciles() {
        use std::io::{BufRead, BufReader};
        let story = ResumeTest::new();
        let mut paused = story.pause_at(&["import", "assets.csv", "--concurrency", "1"], 8, KillTiming::Forwarded);
        paused.signal("-TERM");
        let mut said = BufReader::new(paused.child.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(said.any(|line| line.contains("press Ctrl-C again to stop now")));
        paused.signal("-TERM");
        let output = paused.child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stdout));
        paused.release.send(()).ok();
        let statuses = story.statuses("assets.result.xlsx");
        assert_eq!(statuses.iter().filter(|status| *status == "unknown").count(), 1, "{statuses:?}");
        story.proxy.settled();
        story.run(&["resume", "--last"]).exits(0);
        story.all_there_once();
    }

    #[test]
    fn an_edited_partial_result_is_not_overwritten() {
        let story = ResumeTest::new();
        let paused = story.pause_at(&["import", "assets.csv", "--concurrency", "1"], 8, KillTiming::Forwarded);
        paused.signal("-TERM");
        paused.ends().exits(4);
        let partial = story.account.path("assets.result.xlsx");
        let mut bytes = fs::read(&partial).unwrap();
        bytes.extend(b"edited");
        fs::write(&partial, &bytes).unwrap();
        insta::assert_snapshot!(without_split(&story.run(&["resume", "--last"]).redacted()), @"
        exit code 0
        --- stdout
        Import of assets.csv: all 12 rows succeeded, in 0.5 s (run 20261124-093015-abcd)
          12 rows: 12 created (assets)
          read      assets.csv as UTF-8, comma
          header    row 1: asset_id, product → product_id, status → status_id, notes
          requests  N
          result    ~/assets.result-2.xlsx
        --- stderr
        resuming run 20261124-093015-abcd
        ");
        assert_eq!(fs::read(&partial).unwrap(), bytes);
        assert_eq!(story.statuses("assets.result-2.xlsx"), vec!["created"; ROWS]);
    }
}

#[test]
fn a_run_stopped_by_max_errors_can_be_resumed() {
    let text = "name,currency\nHarbour,USD\nQuay,XXQ\nMole,EUR\n";
    let account = CliTest::new().sheet("locations.csv", text);
    assert_output!(account.run(&["import", "locations.csv", "--max-errors", "1"]), @r#"
    exit code 4
    --- stdout
    Import of locations.csv: stopped after 0.5 s: too many rows failed (--max-errors) (run 20261124-093015-abcd)
      3 rows: 1 failed, 2 not_sent (locations)

    1 problem in 1 row
           1 × not a currency code in `currency` (currency.invalid)
               B3 `XXQ`
               invalid currency; expected a code such as `EUR` or `USD`
               hint: use the three-letter ISO 4217 code

      read      locations.csv as UTF-8, comma
      header    row 1: name, currency
      requests  2: 2 to look up
      result    locations.result.xlsx
      next      tallyport resume 20261124-093015-abcd
    "#);
    let over = account.run(&["resume", "--last", "--result", "locations.csv", "--force"]).exits(2);
    assert!(over.stderr.contains("error: the result would overwrite the input"), "{}", over.text());
    assert_eq!(fs::read_to_string(account.path("locations.csv")).unwrap(), text);
    insta::assert_snapshot!(without_split(&account.run(&["resume", "--last"]).redacted()), @"
    exit code 1
    --- stdout
    Import of locations.csv: 1 of 3 rows failed, in 0.5 s (run 20261124-093015-abcd)
      N rows: ...

    1 problem in 1 row
           1 × not a currency code in `currency` (currency.invalid)
               B3 `XXQ`
               invalid currency; expected a code such as `EUR` or `USD`
               hint: use the three-letter ISO 4217 code

      read      locations.csv as UTF-8, comma
      header    row 1: name, currency
      requests  N
      result    ~/locations.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import ~/locations.result.xlsx --max-errors 1 --only-failed
    --- stderr
    resuming run 20261124-093015-abcd
    ");
    account.record("locations", "name", "Mole");
}

#[test]
fn max_errors_stops_only_a_run_with_something_left_to_send() {
    let account = CliTest::new().sheet("locations.csv", "name,currency\nHarbour,USD\nQuay,XXQ\n");
    account.run(&["import", "locations.csv"]).exits(1);
    let (code, again) = account.json(&["import", "locations.csv", "--max-errors", "1"]);
    let counts = &again["counts"];
    assert_eq!((code, &counts["unchanged"], &counts["failed"]), (1, &1.into(), &1.into()));
    assert!(again["stopped"].is_null(), "{again}");
    for wrong in ["0", "x", "-1", "1.5", "99999999999999999999"] {
        let refused = account.run(&["import", "locations.csv", &format!("--max-errors={wrong}")]).exits(2);
        let expected = format!("error: invalid value '{wrong}' for '--max-errors <N>': use a whole number from 1 up\n");
        assert!(refused.stderr.starts_with(&expected), "{}", refused.stderr);
    }
}

#[test]
fn a_result_path_that_is_a_folder_is_rejected_before_sending() {
    let account = CliTest::new().sheet("locations.csv", "name\nHarbour\n");
    fs::create_dir(account.path("there.xlsx")).unwrap();
    assert_output!(account.run(&["import", "locations.csv", "--result", "there.xlsx"]), @"
    exit code 2
    --- stderr
    error: `there.xlsx` is a folder: the result cannot be written there
      hint: name a file with --result
    ");
    assert_output!(account.run(&["runs"]), @"
    exit code 0
    --- stdout
    No runs yet. `tallyport import` makes one, unless it is a dry run or goes to a sandbox in memory.
    ");
}

/// Root can write anywhere, so the folder cannot be made read-only for the test.
#[cfg(target_os = "linux")]
#[test]
fn an_unwritable_result_leaves_no_run_to_resume() {
    let account = CliTest::new().sheet("locations.csv", "name\nHarbour\n");
    assert_output!(account.run(&["import", "locations.csv", "--result", "/proc/r.xlsx"]), @"
    exit code 2
    --- stderr
    error: cannot write `/proc/r.xlsx`: OS ERROR
    ");
    assert_output!(account.run(&["runs"]), @"
    exit code 0
    --- stdout
    No runs yet. `tallyport import` makes one, unless it is a dry run or goes to a sandbox in memory.
    ");
    insta::assert_snapshot!(without_split(&account.run(&["resume", "--last"]).redacted()), @"
    exit code 2
    --- stderr
    error: there is nothing to resume: every run is finished
      hint: `tallyport runs` lists all runs
    ");
}

#[test]
fn a_result_that_somebody_else_has_made_is_not_replaced_unasked() {
    let account = CliTest::new().sheet("locations.csv", "name\nHarbour\n").sheet("mine.csv", "my own notes\n");
    account.run(&["import", "locations.csv"]).exits(0);
    assert_output!(account.run(&["undo", "--last", "--yes", "--result", "mine.csv"]), @"
    exit code 2
    --- stderr
    error: `mine.csv` exists already, and tallyport did not write it
      hint: name another file, or pass --force to replace this one
    ");
    account.run(&["resume", "--last", "--result", "mine.csv"]).exits(2);
    assert_eq!(account.records("locations").len(), 1);
    account.run(&["undo", "--last", "--yes", "--result", "mine.csv", "--force"]).exits(0);
    assert!(fs::read_to_string(account.path("mine.csv")).unwrap().starts_with("_status,"));
}
