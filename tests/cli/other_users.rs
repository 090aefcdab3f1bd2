//! What other users of the machine can read, change or block: nothing.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::harness::{CliTest, assert_output};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Every file and folder below, with its permissions for others than the owner.
fn open_to_others(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if mode(&path) & 0o077 != 0 {
            found.push(format!("{} {:o}", path.display(), mode(&path)));
        }
        if path.is_dir() {
            open_to_others(&path, found);
        }
    }
}

#[test]
fn state_sandbox_files_and_results_of_private_files_are_private() {
    let account = CliTest::new().sheet("locations.csv", "name\nBerlin\nParis\n");
    set_mode(&account.path("locations.csv"), 0o600);
    account.run(&["import", "locations.csv", "--sandbox=practice.db"]).exits(0);
    account.run(&["export", "locations", "-o", "out.csv", "--sandbox=practice.db", "--name", "nightly"]).exits(0);
    account.run(&["import", "locations.csv"]).exits(0);
    account.run(&["export", "locations", "-o", "again.csv", "--name", "nightly"]).exits(0);
    let mut found = Vec::new();
    open_to_others(&account.path("state"), &mut found);
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(mode(&account.path("state")), 0o700);
    assert_eq!(mode(&account.path("practice.db")), 0o600);
    assert_eq!(mode(&account.path("locations.result.xlsx")), 0o600);
}

#[test]
fn backups_and_the_results_of_undos_are_private_also_where_the_list_is_not() {
    let account = CliTest::new().sheet("locations.csv", "name\nBerlin\n");
    set_mode(&account.path("locations.csv"), 0o644);
    account.run(&["import", "locations.csv"]).exits(0);
    account.run(&["delete", "locations", "locations.csv", "--backup", "old.xlsx", "--yes"]).exits(0);
    account.run(&["undo", "--last", "--result", "undone.xlsx", "--yes"]).exits(0);
    account.run(&["import", "locations.csv"]).exits(0);
    assert_eq!(["old.xlsx", "undone.xlsx"].map(|name| mode(&account.path(name))), [0o600; 2]);
}

#[test]
fn a_state_folder_that_others_can_change_stops_every_command_that_uses_it() {
    let account = CliTest::new().sheet("locations.csv", "name\nBerlin\n");
    fs::create_dir(account.path("state")).unwrap();
    set_mode(&account.path("state"), 0o777);
    assert_output!(account.run(&["import", "locations.csv"]), @"
    exit code 2
    --- stderr
    error: other users of this machine can change the state folder `~/state`
      hint: run `chmod go-w '~/state'`, or set TALLYPORT_HOME to another folder
    ");
    for arguments in [&["runs"][..], &["export", "locations", "-o", "out.csv"], &["resume", "--last"]] {
        account.run(arguments).exits(2);
    }
    assert_eq!(account.records("locations"), Vec::<serde_json::Value>::new());
    set_mode(&account.path("state"), 0o755);
    account.run(&["import", "locations.csv"]).exits(0);
}

#[test]
fn an_export_neither_follows_a_planted_link_nor_deletes_behind_one() {
    let account = CliTest::new().sheet("locations.csv", "name\nBerlin\n").sheet("victim.csv", "mine\n");
    account.run(&["import", "locations.csv"]).exits(0);
    fs::create_dir(account.path("open")).unwrap();
    fs::create_dir_all(account.path("other/2020-01-01")).unwrap();
    fs::write(account.path("other/2020-01-01/locations.csv"), "old").unwrap();
    // A folder of a day that leads to somebody else's.
    fs::create_dir(account.path("days")).unwrap();
    symlink(account.path("other/2020-01-01"), account.path("days/2020-01-01")).unwrap();
    let today = jiff::tz::TimeZone::system().to_datetime(jiff::Timestamp::now()).date().to_string();
    fs::create_dir(account.path("days").join(today)).unwrap();
    let keep = ["export", "locations", "-o", "days/{date}/locations.csv", "--keep", "1"];
    account.run(&keep).exits(0);
    assert!(account.path("other/2020-01-01/locations.csv").exists());
    symlink(account.path("victim.csv"), account.path("open/out.csv")).unwrap();
    // Only root can make a link of another user.
    if std::os::unix::fs::lchown(account.path("open/out.csv"), Some(12_345), None).is_ok() {
        let refused = account.run(&["export", "locations", "-o", "open/out.csv", "--force"]);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        assert!(refused.stderr.contains("is a link that another user made"), "{}", refused.stderr);
    }
    assert_eq!(fs::read_to_string(account.path("victim.csv")).unwrap(), "mine\n");
}
