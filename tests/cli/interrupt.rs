//! Ctrl-C: those in flight land, those that wait do not go, and the result says so.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use tallyport::sandbox::{SandboxOptions, Seed};

use crate::rehearsal::{Rehearsal, rows_of};

#[test]
fn a_run_that_waits_for_the_quota_stops_at_once_and_accounts_for_every_row() {
    // Three requests furnish the account, three look up, two create; then the service wants an hour's pause.
    let options = SandboxOptions { seed: Seed::Empty, quota: Some(8), ..SandboxOptions::default() };
    let mut text = String::from("asset_id,product,status\n");
    (1..=20).for_each(|number| text.push_str(&format!("A-{number},MacBook Pro 14,Ready\n")));
    let account = Rehearsal::with(options).furnished().sheet("assets.csv", &text);
    let mut child =
        account.command(&["import", "assets.csv"]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let waiting = said.lines().map_while(Result::ok).find(|line| line.contains("waiting until"));
    assert!(waiting.is_some());
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stdout));
    let rows = rows_of(&account.path("assets.result.xlsx"), "assets");
    let count = |status: &str| rows.iter().filter(|row| row[0] == status).count();
    assert_eq!((rows.len(), count("created"), count("failed")), (21, 2, 18));
    assert!(rows.iter().filter(|row| row[0] == "failed").all(|row| row[2].contains("not sent")), "{rows:?}");
}

#[test]
fn nobody_listening_changes_nothing_of_a_run() {
    let account = Rehearsal::seeded().sheet("locations.csv", "name,email\nBerlin,b@example.com\nUlm,no address\n");
    let mut child =
        account.command(&["import", "locations.csv"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(1), "the exit code tells of the row that failed");
    assert_eq!(rows_of(&account.path("locations.result.xlsx"), "locations").len(), 3);
}
