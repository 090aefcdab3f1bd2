//! `runs`: list, show and prune the runs of this machine.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use tallyport::sandbox::{SandboxOptions, Seed};

use crate::harness::{CliTest, assert_output};

const ASSETS: &str = "asset_id,product,status\nA-1,MacBook Pro 14,Ready\nA-2,MacBook Pro 14,Reddy\n";

/// An account after a run with one created and one failed row.
fn imported() -> CliTest {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    account.run(&["import", "assets.csv"]).exits(1);
    account
}

/// An account after a run that was killed while it waited for the quota: two rows created, the others not sent.
fn killed() -> CliTest {
    // Three requests prepare the account, six are lookups, two create; then the service asks to wait for an hour.
    let options = SandboxOptions { seed: Seed::Empty, quota: Some(11), ..SandboxOptions::default() };
    let mut text = String::from("asset_id,product,status\n");
    (1..=20).for_each(|number| text.push_str(&format!("A-{number},MacBook Pro 14,Ready\n")));
    let account = CliTest::with(options).with_lookups().sheet("assets.csv", &text);
    kill_once_it_says(&account, &["import", "assets.csv"], "waiting until");
    account
}

fn kill_once_it_says(account: &CliTest, arguments: &[&str], words: &str) {
    let mut child = account.command(arguments).stderr(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    assert!(said.lines().map_while(Result::ok).any(|line| line.contains(words)));
    child.kill().unwrap();
    child.wait().unwrap();
}

fn runs(account: &CliTest) -> Vec<Value> {
    let (code, document) = account.json(&["runs"]);
    assert_eq!(code, 0, "{document}");
    document["runs"].as_array().unwrap().clone()
}

fn only_run(account: &CliTest) -> Value {
    let mut runs = runs(account);
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.remove(0)
}

fn journals(account: &CliTest) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(account.path("state").join("runs")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sqlite"));
    paths
}

fn alter(account: &CliTest, statement: &str) {
    for path in journals(account) {
        rusqlite::Connection::open(path).unwrap().execute(statement, []).unwrap();
    }
}

/// Backdates the start of a run.
fn backdate(account: &CliTest) {
    alter(account, "UPDATE run SET began = '2025-01-31T08:00:00Z'");
}

#[test]
fn an_empty_run_list_says_how_to_create_one() {
    let account = CliTest::new();
    assert_output!(account.run(&["runs"]), @"
    exit code 0
    --- stdout
    No runs yet. `tallyport import` makes one, unless it is a dry run or goes to a sandbox in memory.
    ");
    assert!(runs(&account).is_empty());
    assert_output!(account.run(&["runs", "20261124"]), @"
    exit code 2
    --- stderr
    error: there is no run `20261124`
      hint: `tallyport runs` lists all runs
    ");
}

#[test]
fn a_finished_run_is_listed_and_shown() {
    let account = imported();
    let run = only_run(&account);
    let id = run["run_id"].as_str().unwrap();
    assert_eq!(
        [&run["command"], &run["state"], &run["files"], &run["open"], &run["can_resume"], &run["undoes"]],
        [&json!("import"), &json!("finished"), &json!(["assets.csv"]), &json!(0), &json!(false), &json!(null)]
    );
    assert_eq!((&run["counts"]["created"], &run["counts"]["failed"]), (&json!(1), &json!(1)));
    assert!(run["bytes"].as_u64().unwrap() > 0 && run["account"]["base_url"].as_str().unwrap().contains("127.0.0.1"));
    assert_output!(account.run(&["runs"]), @r#"
    exit code 0
    --- stdout
    run                   what                  state     began
    20261124-093015-abcd  import of assets.csv  finished  just now
                          2026-11-24 09:30, 48 kB; 1 created, 1 failed
    "#);
    assert_output!(account.run(&["runs", &id[id.len() - 4..]]), @"
    exit code 0
    --- stdout
    Run 20261124-093015-abcd: import of assets.csv
      state     finished
      rows      1 created, 1 failed
      began     just now, 2026-11-24 09:30
      account   http://127.0.0.1:49152/api/v1
      file      ~/assets.csv, as it was
      attempts  1
      journal   ~/state/runs/20261124-093015-abcd.sqlite, 48 kB

    Import of assets.csv: 1 of 2 rows failed, in 0.5 s (run 20261124-093015-abcd)
      2 rows: 1 created, 1 failed (assets)

    1 problem in 1 row
           1 × no record of that name in `status` (name.not_found)
               C3 `Reddy`
               `Reddy` not found in statuses
               hint: did you mean `Ready`? Or create it with --create-missing=statuses

      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id
      requests  7: 6 to look up, 1 to create or move
      result    ~/assets.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import ~/assets.result.xlsx --only-failed
      or        tallyport undo 20261124-093015-abcd
    ");
    let (_, document) = account.json(&["runs", id]);
    assert_eq!((&document["run_id"], &document["attempts"]["total"]), (&json!(id), &json!(1)), "{document}");
    let account = account.sheet("assets.csv", "asset_id\n");
    assert_output!(account.run(&["runs", id]), @"
    exit code 0
    --- stdout
    Run 20261124-093015-abcd: import of assets.csv
      state     finished
      rows      1 created, 1 failed
      began     just now, 2026-11-24 09:30
      account   http://127.0.0.1:49152/api/v1
      file      ~/assets.csv, changed since
      attempts  1
      journal   ~/state/runs/20261124-093015-abcd.sqlite, 48 kB

    Import of assets.csv: 1 of 2 rows failed, in 0.5 s (run 20261124-093015-abcd)
      2 rows: 1 created, 1 failed (assets)

    1 problem in 1 row
           1 × no record of that name in `status` (name.not_found)
               C3 `Reddy`
               `Reddy` not found in statuses
               hint: did you mean `Ready`? Or create it with --create-missing=statuses

      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id
      requests  7: 6 to look up, 1 to create or move
      result    ~/assets.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import ~/assets.result.xlsx --only-failed
      or        tallyport undo 20261124-093015-abcd
    ");
}

#[test]
fn a_killed_run_is_shown_as_interrupted_with_its_counts() {
    let account = killed();
    let run = only_run(&account);
    assert_eq!(
        [&run["state"], &run["can_resume"], &run["open"], &run["counts"]["created"], &run["counts"]["failed"]],
        [&json!("cut_off"), &json!(true), &json!(18), &json!(2), &json!(0)],
        "{run}"
    );
    assert_output!(account.run(&["runs"]), @r#"
    exit code 0
    --- stdout
    run                   what                  state    began
    20261124-093015-abcd  import of assets.csv  cut off  just now
                          2026-11-24 09:30, 48 kB; 2 created, 18 unknown; its
                          process was killed, or the machine went down
    "#);
    let id = run["run_id"].as_str().unwrap();
    assert_output!(account.run(&["runs", id]), @"
    exit code 0
    --- stdout
    Run 20261124-093015-abcd: import of assets.csv
      state     cut off: its process was killed, or the machine went down
      rows      2 created, 18 unknown
      unsettled 18 rows without a response; `resume` checks them first
      began     just now, 2026-11-24 09:30
      account   http://127.0.0.1:49152/api/v1
      file      ~/assets.csv, as it was
      attempts  2
      journal   ~/state/runs/20261124-093015-abcd.sqlite, 48 kB

    Import of assets.csv: stopped after 0.5 s: its process was killed, or the machine went down (run 20261124-093015-abcd)
      20 rows: 2 created, 18 unknown (assets)
      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id
      requests  2: 2 to create or move
      next      tallyport resume 20261124-093015-abcd
    ");
}

#[test]
fn a_stopped_run_shows_its_reason_until_it_is_resumed() {
    let account = killed();
    alter(&account, "UPDATE run SET phase = 'stopped', reason = 'interrupted'");
    assert_output!(account.run(&["runs"]), @r#"
    exit code 0
    --- stdout
    run                   what                  state    began
    20261124-093015-abcd  import of assets.csv  stopped  just now
                          2026-11-24 09:30, 48 kB; 2 created, 18 unknown;
                          interrupted
    "#);
    kill_once_it_says(&account, &["resume", "--last"], "checking whether");
    assert_eq!(only_run(&account)["state"], "cut_off");
}

#[test]
fn a_live_run_is_shown_as_running_and_cannot_be_pruned() {
    let options = SandboxOptions { seed: Seed::Empty, quota: Some(10), ..SandboxOptions::default() };
    let account = CliTest::with(options).with_lookups().sheet("assets.csv", &ASSETS.replace("Reddy", "Ready"));
    let mut child = account.command(&["import", "assets.csv"]).stderr(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    assert!(said.lines().map_while(Result::ok).any(|line| line.contains("waiting until")));
    let run = only_run(&account);
    let (_, pruned) = account.json(&["runs", "prune", "--older-than", "0s", "--force"]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        [&run["state"], &run["can_resume"], &run["open"], &run["counts"]["created"]],
        [&json!("running"), &json!(false), &json!(1), &json!(1)],
        "{run}"
    );
    assert_eq!((&pruned["deleted"], &pruned["kept"][0]["why"]), (&json!([]), &json!("at_work")), "{pruned}");
}

#[test]
fn an_unreadable_journal_is_listed_without_failing() {
    let account = imported();
    std::fs::write(account.path("state").join("runs").join("20260101-000000-abcd.sqlite"), "no journal").unwrap();
    let listed = runs(&account);
    assert_eq!((&listed[0]["state"], &listed[1]["state"]), (&json!("finished"), &json!("unreadable")), "{listed:?}");
    assert_output!(account.run(&["runs"]), @r#"
    exit code 0
    --- stdout
    run                   what                  state       began
    20261124-093015-abcd  import of assets.csv  finished    just now
                          2026-11-24 09:30, 48 kB; 1 created, 1 failed
    20261124-093015-abcd                        unreadable  11 months ago
                          2026-01-01 00:00, 10 B; the journal
                          `~/state/runs/20261124-093015-abcd.sqlite`
                          is damaged: file is not a database
    "#);
    assert_output!(account.run(&["runs", "abcd"]), @"
    exit code 2
    --- stderr
    error: the journal `~/state/runs/20261124-093015-abcd.sqlite` is damaged: file is not a database
      hint: import the file again: an upsert finds existing records; compare check-outs by hand
    ");
}

#[test]
fn prune_deletes_old_finished_runs() {
    let account = imported();
    let (_, young) = account.json(&["runs", "prune", "--older-than", "1h"]);
    assert_eq!(young, json!({"deleted": [], "bytes_freed": 0, "kept": []}));
    backdate(&account);
    assert_output!(account.run(&["runs", "prune", "--older-than", "6 months"]), @"
    exit code 0
    --- stdout
    Deleted 1 journal of runs that began before 2026-11-24 09:30: 48 kB freed
    ");
    assert!(journals(&account).is_empty() && runs(&account).is_empty());
}

#[test]
fn prune_keeps_resumable_and_unreadable_runs_unless_forced() {
    let account = killed();
    backdate(&account);
    let folder = account.path("state").join("runs");
    std::fs::write(folder.join("20250101-000000-abcd.sqlite"), "no journal").unwrap();
    assert_output!(account.run(&["runs", "prune", "--older-than", "90d"]), @"
    exit code 0
    --- stdout
    No journal of a run that began before 2026-11-24 09:30 was deleted
      kept      20261124-093015-abcd: it can still be resumed
      kept      20261124-093015-abcd: the journal `~/state/runs/20261124-093015-abcd.sqlite` is damaged: file is not a database
      next      add --force to delete these 2 too
    ");
    assert_eq!(journals(&account).len(), 2);
    let (_, forced) = account.json(&["runs", "prune", "--older-than", "90d", "--force"]);
    assert_eq!((forced["deleted"].as_array().unwrap().len(), &forced["kept"]), (2, &json!([])), "{forced}");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0, "nothing is left beside them");
}

#[test]
fn an_invalid_age_is_a_usage_error() {
    assert_output!(CliTest::new().run(&["runs", "prune", "--older-than", "soon"]), @"
    exit code 2
    --- stderr
    error: invalid duration `soon`
      hint: write one such as 90d, 12h, `6 months` or `1 year 2 weeks`
    ");
}
