//! Undoing twice, and importing what was undone: nothing is doubled, and nothing that was undone counts as done.

use std::process::Stdio;
use std::sync::mpsc;

use serde_json::{Value, json};

use crate::harness::{CliTest, CommandOutput};
use crate::kills::proxy::{KillPoint, KillTiming, Proxy};

const OUT: &str = "Accessory,Employee,Quantity,Checkout Date\nMouse,ada@example.com,2,2026-01-02\n";
const BACK: &str = "Accessory,Employee,Checkin Date\nMouse,ada@example.com,2026-02-01\n";
const LEAVES: &str = "Email,_action\nada@example.com,delete\n";

/// An account with ten mice, an asset and Ada, and sheets that hand them out and take them back.
fn account() -> CliTest {
    CliTest::new()
        .with_lookups()
        .holds("categories", json!({"name": "Mice", "type": "accessory"}))
        .holds("accessories", json!({"name": "Mouse", "category_id": 2, "quantity": 10}))
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .holds("employees", json!({"name": "Bob Hale", "email": "bob@example.com"}))
        .holds("assets", json!({"asset_id": "T-1", "product_id": 1, "status_id": 1}))
        .sheet("checkout_accessory.csv", OUT)
        .sheet("checkin_accessory.csv", BACK)
        .sheet("employees.csv", LEAVES)
        .sheet("checkout_asset.csv", "Asset Tag,Employee,Checkout Date\nT-1,ada@example.com,2026-01-02\n")
        .sheet("checkin_asset.csv", "Asset Tag,Checkin Date,Status\nT-1,2026-02-01,Ready\n")
}

/// Imports sheets; gives the run, and how many rows were sent and how many were not.
#[track_caller]
fn import(account: &CliTest, files: &[&str]) -> (String, u64, u64) {
    let (code, summary) = account.json(&[&["import"], files, &["--yes"]].concat());
    assert_eq!(code, 0, "{summary:#}");
    let count = |name: &str| summary["counts"][name].as_u64().unwrap();
    (summary["run_id"].as_str().unwrap().to_owned(), count("created") + count("updated"), count("unchanged"))
}

#[track_caller]
fn imported(account: &CliTest, files: &[&str]) -> (u64, u64) {
    let (_, sent, unchanged) = import(account, files);
    (sent, unchanged)
}

fn mice(account: &CliTest) -> i64 {
    account.records("accessories")[0]["available"].as_i64().unwrap()
}

fn holder(account: &CliTest) -> Value {
    account.records("assets")[0]["deployed_to"][0]["employee_id"].clone()
}

#[test]
fn what_an_undo_gave_back_to_a_holder_whom_it_created_again_does_not_go_out_twice() {
    let account = account();
    let (handed_out, ..) = import(&account, &["checkout_accessory.csv", "checkout_asset.csv"]);
    let (run, ..) = import(&account, &["checkin_accessory.csv", "checkin_asset.csv", "employees.csv"]);
    account.run(&["undo", &run, "--yes"]).exits(0);
    assert_eq!((mice(&account), holder(&account)), (8, json!(3)));
    for _ in 0..2 {
        let again = account.run(&["undo", &run, "--yes"]).exits(0);
        assert!(again.stdout.contains("nothing is left to undo"), "{}", again.text());
    }
    // Both sheets have been done, whatever id Ada has.
    assert_eq!(imported(&account, &["checkout_accessory.csv", "checkout_asset.csv"]), (0, 2));
    assert_eq!(mice(&account), 8);
    let undone = account.run(&["undo", &handed_out, "--dry-run"]);
    assert!(undone.stdout.contains("check in       1 asset"), "{}", undone.text());
}

#[test]
fn check_outs_whose_check_in_was_undone_are_done() {
    let account = account();
    import(&account, &["checkout_accessory.csv"]);
    import(&account, &["checkin_accessory.csv"]);
    account.run(&["undo", "--last", "--yes"]).exits(0);
    assert_eq!(mice(&account), 8);
    account.run(&["verify", "checkout_accessory.csv"]).exits(0);
    assert_eq!(imported(&account, &["checkout_accessory.csv"]), (0, 1));
    assert_eq!(mice(&account), 8);
}

#[test]
fn check_outs_that_no_journal_knows_are_asked_about_though_an_undo_restored_them() {
    let out = json!({"accessory_id": 1, "employee_id": 1, "quantity": 2, "checkout_date": "2026-01-02"});
    let account = account().holds("checkout/accessory", out);
    import(&account, &["checkin_accessory.csv"]);
    account.run(&["undo", "--last", "--yes"]).exits(0);
    let (code, summary) = account.json(&["import", "checkout_accessory.csv", "--yes"]);
    assert_eq!((code, &summary["problems"][0]["code"]), (1, &json!("checkout.repeated")), "{summary:#}");
    assert_eq!(mice(&account), 8);
}

#[test]
fn check_ins_that_were_undone_are_made_again() {
    let account = account();
    import(&account, &["checkout_accessory.csv", "checkout_asset.csv"]);
    let back = ["checkin_accessory.csv", "checkin_asset.csv"];
    for _ in 0..2 {
        let (run, sent, unchanged) = import(&account, &back);
        assert_eq!((sent, unchanged), (2, 0));
        assert_eq!((mice(&account), holder(&account)), (10, Value::Null));
        assert_eq!(imported(&account, &back), (0, 2));
        account.run(&["undo", &run, "--yes"]).exits(0);
        assert_eq!((mice(&account), holder(&account)), (8, json!(1)));
    }
}

/// A tag goes to another asset: what was checked out to the first was not checked out to the second.
#[test]
fn a_part_of_an_asset_that_had_the_tag_before_is_not_in_the_one_that_has_it_now() {
    let account = CliTest::new()
        .sheet("assets.csv", "Asset Tag,Product,Status\nT-1,iPad Air,In Use\n")
        .sheet("components.csv", "Name,Category,Quantity\nDDR5,Memory,10\n")
        .sheet("checkout_component.csv", "Component,Asset Tag,Quantity,Checkout Date\nDDR5,T-1,2,2026-01-02\n")
        .sheet("renamed.csv", "_id,Asset Tag\n1,T-1 old\n");
    // A sandbox in a file has the clock of this machine.
    let imported = |files: &[&str]| imported(&account, &[files, &["--sandbox=company.sqlite"]].concat());
    assert_eq!(imported(&["assets.csv", "components.csv"]), (2, 0));
    assert_eq!(imported(&["checkout_component.csv"]), (1, 0));
    assert_eq!(imported(&["checkout_component.csv"]), (0, 1));
    assert_eq!(imported(&["renamed.csv", "--entity", "assets"]), (1, 0));
    assert_eq!(imported(&["assets.csv"]), (1, 0));
    assert_eq!(imported(&["checkout_component.csv"]), (1, 0));
    assert_eq!(imported(&["checkout_component.csv"]), (0, 1));
}

/// Ten mice, of which three people have some; the second of three moves of a command is killed before it reaches the
/// service. What resume then says of the run.
fn killed_at_the_second_move(prepare: &[&str], command: &[&str]) -> (CliTest, String) {
    let people = ["Ada", "Bob", "Eve"];
    let (mut out, mut back) = (String::from("Accessory,Employee,Quantity,Checkout Date\n"), String::new());
    let mut account = CliTest::new()
        .with_lookups()
        .holds("categories", json!({"name": "Mice", "type": "accessory"}))
        .holds("accessories", json!({"name": "Mouse", "category_id": 2, "quantity": 10}));
    for (quantity, name) in (1..).zip(people) {
        account = account.holds("employees", json!({"name": name, "email": format!("{name}@example.com")}));
        out.push_str(&format!("Mouse,{name}@example.com,{quantity},2026-01-02\n"));
        back.push_str(&format!("Mouse,{name}@example.com,2026-02-01\n"));
    }
    let account = account
        .sheet("checkout_accessory.csv", &out)
        .sheet("checkin_accessory.csv", &format!("Accessory,Employee,Checkin Date\n{back}"));
    let proxy = Proxy::to(account.address());
    let through = |arguments: &[&str]| {
        let mut command = account.command(arguments);
        command.env("BLUETALLY_BASE_URL", proxy.base_url()).stdin(Stdio::null());
        command
    };
    prepare.iter().for_each(|file| drop(CommandOutput::run(through(&["import", file, "--yes"])).exits(0)));
    // The second time it reads as much as it will then.
    let reads = [(); 2].map(|()| {
        let before = proxy.requests();
        CommandOutput::run(through(&[command, &["--dry-run"]].concat())).exits(0);
        proxy.requests() - before
    });
    let (notify, notified) = mpsc::channel();
    proxy.set(Some(KillPoint { at: reads[1] + 2, timing: KillTiming::Arrived, notify }));
    let arguments = [command, &["--yes", "--concurrency", "1"]].concat();
    let mut child = through(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let done = notified.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    done.send(()).unwrap();
    proxy.set(None);
    proxy.settled();
    let resumed = CommandOutput::run(through(&["resume", "--last"])).exits(0);
    (account, resumed.stdout)
}

#[test]
fn a_killed_check_in_from_stock_and_its_undo_are_finished_by_resume() {
    let (out, back) = ("checkout_accessory.csv", "checkin_accessory.csv");
    for (prepare, command, left) in [
        (&[out][..], &["import", back][..], 10),
        (&[out], &["undo", "--last"], 10),
        (&[out, back], &["undo", "--last"], 4),
    ] {
        let (account, resumed) = killed_at_the_second_move(prepare, command);
        assert_eq!(mice(&account), left, "{command:?}: {resumed}");
        assert!(!resumed.contains("unknown"), "{command:?}: {resumed}");
    }
}
