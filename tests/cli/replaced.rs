//! What somebody edits, or puts in the place of an output, while a command runs is not replaced.

use std::fs;
use std::process::Stdio;
use std::sync::mpsc;

use serde_json::Value;

use crate::harness::{CliTest, CommandOutput};
use crate::kills::proxy::{KillPoint, KillTiming, Proxy};

const MINE: &str = "finance,work,of,hours";

/// An account behind a proxy that holds the first request of a command.
struct HeldCommand {
    account: CliTest,
    proxy: Proxy,
}

impl HeldCommand {
    fn new() -> Self {
        let account = CliTest::seeded().sheet("places.csv", "name\nBerlin\nBonn\n").sheet("gone.csv", "name\nBonn\n");
        let proxy = Proxy::to(account.address());
        Self { account, proxy }
    }

    /// Runs a command; somebody writes to this file while it waits for its first reply.
    fn run(&self, arguments: &[&str], edited: &str) -> CommandOutput {
        let (notify, notified) = mpsc::channel();
        self.proxy.set(Some(KillPoint { at: 1, timing: KillTiming::Arrived, notify }));
        let mut command = self.account.command(arguments);
        command.env("BLUETALLY_BASE_URL", self.proxy.base_url());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let release = notified.recv().unwrap();
        fs::write(self.account.path(edited), MINE).unwrap();
        release.send(()).unwrap();
        CommandOutput::of(child.wait_with_output().unwrap(), self.account.folder())
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.account.path(name)).unwrap()).into_owned()
    }
}

#[test]
fn an_export_leaves_what_was_edited_or_put_there_while_it_ran() {
    let held = HeldCommand::new();
    let export = |output: &'static str| ["export", "statuses", "categories", "-o", output, "-q"];
    held.account.run(&export("out/")).exits(0);
    let before = held.text("out/statuses.csv");
    let edited = held.run(&export("out/"), "out/categories.csv").exits(2);
    assert!(edited.stderr.contains("categories.csv` was edited since tallyport wrote it"), "{}", edited.stderr);
    assert_eq!(
        (held.text("out/categories.csv").as_str(), held.text("out/statuses.csv")),
        (MINE, before),
        "none changed"
    );
    let put = held.run(&export("new.xlsx"), "new.xlsx").exits(2);
    assert!(put.stderr.contains("`new.xlsx` exists already, and tallyport did not write it"), "{}", put.stderr);
    assert_eq!(held.text("new.xlsx"), MINE);
    let forced = [&export("new.xlsx")[..], &["--force"]].concat();
    held.run(&forced, "new.xlsx").exits(0);
    assert_ne!(held.text("new.xlsx"), MINE);
}

#[test]
fn a_result_stands_beside_what_was_put_there_while_the_run_was_under_way() {
    let held = HeldCommand::new();
    let import = ["import", "places.csv", "--entity", "locations"];
    for (arguments, more) in [
        (&import[..], &["--dry-run", "--result", "out.xlsx"][..]),
        (&import, &["--plan", "out.xlsx"]),
        (&import, &["--result", "out.xlsx"]),
        (&["verify", "places.csv", "--entity", "locations"], &["--result", "out.xlsx"]),
        (&["undo", "--last", "--yes"], &["--result", "out.xlsx"]),
    ] {
        let arguments = [arguments, more, &["--json"]].concat();
        let ran = held.run(&arguments, "out.xlsx").exits(0);
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        let remarks = document["remarks"].as_array().unwrap();
        assert!(remarks.iter().any(|remark| remark["code"] == "result.beside"), "{arguments:?}: {document}");
        assert_eq!(document["result"], "out (2).xlsx", "{arguments:?}");
        assert_eq!(held.text("out.xlsx"), MINE, "{arguments:?}");
        ["out.xlsx", "out (2).xlsx"].iter().for_each(|name| fs::remove_file(held.account.path(name)).unwrap());
    }
    let forced = [&import[..], &["--result", "out.xlsx", "--force"]].concat();
    held.run(&forced, "out.xlsx").exits(0);
    assert_ne!(held.text("out.xlsx"), MINE);
}

#[test]
fn a_command_that_is_said_next_names_the_file_that_was_written() {
    let held = HeldCommand::new();
    let ran =
        held.run(&["import", "places.csv", "--entity", "locations", "--plan", "plan.xlsx", "--json"], "plan.xlsx");
    let document: Value = serde_json::from_str(&ran.exits(0).stdout).unwrap();
    let next = document["next"][0].as_str().unwrap();
    assert!(next.contains("plan (2).xlsx"), "{next}");
}

#[test]
fn a_backup_takes_no_place_of_another_file() {
    let held = HeldCommand::new();
    held.account.run(&["import", "places.csv", "--entity", "locations"]).exits(0);
    let before = held.account.records("locations").len();
    let delete = ["delete", "locations", "gone.csv", "--backup", "backup.xlsx", "--yes"];
    held.run(&delete, "backup.xlsx").exits(2);
    assert_eq!((held.text("backup.xlsx").as_str(), held.account.records("locations").len()), (MINE, before));
}
