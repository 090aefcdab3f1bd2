//! Ctrl-C: requests in flight finish, waiting rows are not sent, and the result says so.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use tallyport::sandbox::{SandboxOptions, Seed};

use crate::harness::{CliTest, CommandOutput, assert_output, sheet_rows};

#[test]
fn ctrl_c_stops_a_run_that_waits_for_the_quota() {
    // Three requests prepare the account, six are lookups, two create; then the service asks to wait for an hour.
    let options = SandboxOptions { seed: Seed::Empty, quota: Some(11), ..SandboxOptions::default() };
    let mut text = String::from("asset_id,product,status\n");
    (1..=20).for_each(|number| text.push_str(&format!("A-{number},MacBook Pro 14,Ready\n")));
    let account = CliTest::with(options).with_lookups().sheet("assets.csv", &text);
    let mut child =
        account.command(&["import", "assets.csv"]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let waiting = said.lines().map_while(Result::ok).find(|line| line.contains("waiting until"));
    assert!(waiting.is_some());
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let output = CommandOutput::of(child.wait_with_output().unwrap(), account.folder());
    assert_output!(output, @r#"
    exit code 4
    --- stdout
    Import of assets.csv: stopped after 0.5 s: interrupted (run 20261124-093015-abcd)
      20 rows: 2 created, 18 not_sent (assets)
      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id
      requests  8: 6 to look up, 2 to create or move
      result    assets.result.xlsx
      next      tallyport resume 20261124-093015-abcd
    "#);
    let rows = sheet_rows(&account.path("assets.result.xlsx"), "assets");
    let count = |status: &str| rows.iter().filter(|row| row[0] == status).count();
    assert_eq!((rows.len(), count("created"), count("not_sent")), (21, 2, 18));
    assert!(rows.iter().filter(|row| row[0] == "not_sent").all(|row| row[2].contains("not sent")), "{rows:?}");
}

/// As `nohup` starts a program, and a shell one in the background.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_is_ignored_from_the_start_stays_ignored() {
    let options = SandboxOptions { seed: Seed::Empty, quota: Some(11), ..SandboxOptions::default() };
    let mut text = String::from("asset_id,product,status\n");
    (1..=20).for_each(|number| text.push_str(&format!("A-{number},MacBook Pro 14,Ready\n")));
    let account = CliTest::with(options).with_lookups().sheet("assets.csv", &text);
    let mut command = through_shell(&account, "trap '' HUP INT; exec \"$@\"", &["import", "assets.csv"]);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(said.any(|line| line.contains("waiting until")));
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    assert_eq!(u64::from_str_radix(ignored.trim(), 16).unwrap() & 0b11, 0b11, "{status}");
    for signal in ["-HUP", "-INT", "-TERM"] {
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    }
    // Of three requests to stop, the second would have ended it at once, without this.
    let output = CommandOutput::of(child.wait_with_output().unwrap(), account.folder()).exits(4);
    assert!(output.stdout.contains("18 not_sent"), "{}", output.stdout);
}

/// A limit of the system on the size of files ends a program, unless it is prepared for it.
#[test]
fn a_file_that_may_not_be_that_large_is_an_error() {
    let rows: String = (1..=2_000).map(|number| format!("Location {number},no address\n")).collect();
    let account = CliTest::new().sheet("locations.csv", &format!("name,email\n{rows}"));
    let check = ["check", "locations.csv", "--result", "result.csv"];
    let output = CommandOutput::run(through_shell(&account, "ulimit -f 8; exec \"$@\"", &check));
    assert_output!(output, @"
    exit code 2
    --- stderr
    error: cannot write `result.csv`: it is larger than a file may be here
      hint: raise the limit (`ulimit -f`), or name a file on another disk
    ");
    assert!(!account.path("result.csv").exists());
}

/// A command that a shell starts after it has set something.
fn through_shell(account: &CliTest, script: &str, arguments: &[&str]) -> Command {
    let own = account.command(arguments);
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(own.get_program()).args(own.get_args());
    for (name, value) in own.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(account.folder());
    command
}

#[test]
fn a_stream_of_the_system_has_its_result_in_the_current_folder() {
    let account = CliTest::new().sheet("locations.csv", "name\nBerlin\n");
    let import = ["import", "/dev/stdin", "--entity", "locations"];
    CommandOutput::run(through_shell(&account, "cat locations.csv | \"$@\"", &import)).exits(0);
    assert!(account.path("stdin.result.xlsx").is_file());
    // A file that a shell has opened is a stream to us, too.
    CommandOutput::run(through_shell(&account, "\"$@\" < locations.csv", &import)).exits(0);
    assert!(account.path("stdin.result-2.xlsx").is_file());
}

#[test]
fn closed_output_does_not_stop_a_run() {
    let account = CliTest::seeded().sheet("locations.csv", "name,email\nBerlin,b@example.com\nUlm,no address\n");
    let mut child =
        account.command(&["import", "locations.csv"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(1), "the exit code tells of the row that failed");
    assert_eq!(sheet_rows(&account.path("locations.result.xlsx"), "locations").len(), 3);
}
