//! Nothing that comes from outside commands the terminal: names, headers, sheets, files, arguments, old journals.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};
use tallyport::sandbox::{Sandbox, SandboxOptions};
use tempfile::TempDir;

use crate::harness::{CliTest, CommandOutput, KEY, tallyport};

/// Writes the clipboard, fakes a link, clears the screen, fakes our own style, turns the text around, hides text.
const EVIL: &str = "a\u{1b}]52;c;cm0=\u{7}b\u{1b}]8;;http://x\u{1b}\\c\u{9b}2J\u{1b}[1mX\u{8}\u{7f}\u{202e}d\u{2066}e\u{200b}f\u{feff}g\u{2028}h";
/// As it may stand in a file's name.
const EVIL_NAME: &str = "a\u{1b}]52;c;cm0=\u{7}\u{9b}2J\u{202e}b\u{200b}c";

/// Checks that the terminal is told nothing but our own styles, and that something is made visible.
#[track_caller]
fn is_harmless(ran: &CommandOutput) {
    let text = format!("{}{}", ran.stdout, ran.stderr);
    let mut rest = text.clone();
    for style in ["\u{1b}[1m", "\u{1b}[2m", "\u{1b}[0m", "\u{1b}[1;32m", "\u{1b}[1;33m", "\u{1b}[1;31m"] {
        rest = rest.replace(style, "");
    }
    // The colours of clap's own messages.
    for code in [4, 31, 32, 33, 36] {
        rest = rest.replace(&format!("\u{1b}[{code}m"), "");
    }
    let is_bad = |char: char| {
        (char.is_control() && char != '\n')
            || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    assert!(!rest.contains(is_bad), "{rest:?}");
    assert!(!text.contains("\u{1b}[1mX"), "our own style was faked: {text:?}");
}

#[track_caller]
fn shows_escape(ran: &CommandOutput) {
    is_harmless(ran);
    // Where a text is cut to a line, controls are blanks already.
    assert!(ran.text().contains("\\u") || ran.text().contains("<U+"), "{}", ran.text());
}

/// Runs a command as on a terminal with colours.
fn coloured(account: &CliTest, arguments: &[&str]) -> CommandOutput {
    let mut command = account.command(arguments);
    command.env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1").stdin(Stdio::null());
    CommandOutput::run(command)
}

#[test]
fn headers_cells_sheets_and_files_are_shown_and_not_obeyed() {
    // CSV with control characters is refused as binary data.
    let rows = [json!({"name": EVIL, EVIL: "1", "asset_id": "x"}), json!({"name": EVIL, EVIL: "2", "asset_id": "y"})];
    let sheet = rows.map(|row| format!("{row}\n")).concat();
    let account = CliTest::new().sheet("evil.jsonl", &sheet).sheet(&format!("{EVIL_NAME}.jsonl"), &sheet);
    crate::import::workbook(
        &account.path("evil.xlsx"),
        &[("loc\u{202e}\u{200b}x", &[&["name", "x\u{9b}2J"], &["a", "b"]])],
    );
    let name = format!("{EVIL_NAME}.jsonl");
    for arguments in [
        &["check", "evil.jsonl", "--entity", "locations"][..],
        &["check", "evil.jsonl", "--entity", "assets", "--strict", "-vv"],
        &["import", "evil.jsonl", "--entity", "locations", "--dry-run", "-vvv"],
        &["check", &name, "--entity", "locations"],
        &["import", &name, "--entity", "locations"],
        &["runs"],
        &["undo", "--last", "--dry-run"],
        &["check", "evil.jsonl", "--entity", EVIL],
        &["check", "evil.jsonl", "--entity", "assets", "--map", &format!("{EVIL}=nothing")],
        &["check", "evil.jsonl", "--entity", "assets", "--ignore", EVIL],
        &["check", EVIL_NAME],
        &["export", "locations", "-o", "x.csv", "--where", EVIL],
        &["export", EVIL, "-o", "x.csv"],
        &["doctor", "--profile", EVIL],
        &["schema", EVIL],
        &["runs", EVIL],
        &[EVIL],
        &["check", "evil.jsonl", &format!("--{EVIL}")],
        &["check", "evil.jsonl", "--mode", EVIL],
        &["doctor", "--tenant", EVIL],
    ] {
        shows_escape(&coloured(&account, arguments));
        is_harmless(&account.run(arguments));
        is_harmless(&coloured(&account, &[arguments, &["--log-format", "json", "-vvv"]].concat()));
    }
    is_harmless(&coloured(&account, &["check", "evil.xlsx"]));
}

#[test]
fn our_own_styles_stay() {
    let account = CliTest::new().sheet("locations.csv", "name\nBerlin\n");
    let ran = coloured(&account, &["check", "locations.csv"]);
    assert!(ran.stdout.contains("\u{1b}[1m") && ran.stdout.contains("\u{1b}[1;32m"), "{:?}", ran.stdout);
    let ran = coloured(&account, &["check", "none.csv", "-v"]);
    assert!(ran.stderr.contains("\u{1b}[1;31merror:\u{1b}[0m"), "{:?}", ran.stderr);
    let ran = coloured(&account, &["chekc"]);
    assert!(ran.stderr.contains("\u{1b}[") && ran.code == 2, "{:?}", ran.stderr);
    assert!(!account.run(&["check", "locations.csv"]).stdout.contains('\u{1b}'));
}

#[test]
fn json_says_what_the_file_says() {
    let account = CliTest::new().sheet("evil.jsonl", &format!("{}\n", json!({"name": "Berlin", EVIL: "x"})));
    for arguments in [
        &["check", "evil.jsonl", "--entity", "locations", "--json"][..],
        &["import", "evil.jsonl", "--entity", "locations", "--dry-run", "--json"],
    ] {
        let ran = coloured(&account, arguments);
        is_harmless(&ran);
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        let headers = document["mapping"][0]["columns"].to_string();
        assert!(headers.contains(&json!(EVIL).to_string().trim_matches('"').to_string()), "{headers}");
    }
    let ran = coloured(&account, &["doctor", "--profile", EVIL, "--json"]);
    is_harmless(&ran);
    assert!(serde_json::from_str::<Value>(&ran.stdout).unwrap().to_string().contains("]52;c;"));
    let ran = coloured(&account, &[EVIL, "--json"]);
    is_harmless(&ran);
    assert!(serde_json::from_str::<Value>(&ran.stdout).unwrap()["error"]["message"].is_string());
}

#[test]
fn names_in_the_account_are_shown_and_not_obeyed() {
    let evil = |name: &str| json!({ "name": format!("{name}\u{1b}]52;c;x\u{7}\u{202e}"), "type": "deployable" });
    let account =
        CliTest::new().with_lookups().holds("statuses", evil("Stored")).holds("statuses", evil("stored")).sheet(
            "assets.csv",
            "asset_id,product,status\nA-1,MacBook Pro 14,stored\u{202e}\nA-2,MacBook Pro 14,Storred\n",
        );
    for arguments in [&["import", "assets.csv", "--dry-run"][..], &["import", "assets.csv", "-vvv"], &["runs"]] {
        is_harmless(&coloured(&account, arguments));
    }
    let names = [(7, format!("North{EVIL}")), (8, String::from("South"))];
    let options = SandboxOptions { api_key: KEY.into(), tenants: names.into(), ..SandboxOptions::default() };
    let sandbox = Sandbox::start(options).unwrap();
    let folder = TempDir::new().unwrap();
    for arguments in [&["doctor"][..], &["doctor", "--tenant", "9"], &["doctor", "--json"]] {
        let mut command = tallyport(folder.path(), arguments);
        command.env("BLUETALLY_BASE_URL", sandbox.base_url()).env("BLUETALLY_API_KEY", KEY);
        command.env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1");
        shows_escape(&CommandOutput::run(command));
    }
}

#[test]
fn an_old_journal_is_shown_and_not_obeyed() {
    let account = CliTest::new().sheet("locations.csv", "name\nBerlin\n");
    account.run(&["import", "locations.csv"]).exits(0);
    let journal = fs::read_dir(account.path("state/runs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().ends_with(".sqlite"))
        .unwrap();
    let details = json!({ "files": [EVIL], "typed": [EVIL], "options": [[EVIL, EVIL]], "result": EVIL_NAME });
    let connection = rusqlite::Connection::open(&journal).unwrap();
    let place = format!("http://ada:hunter2@x.example/{EVIL}?key=hunter2");
    connection
        .execute("UPDATE run SET details = ?1, place = ?2, profile = ?3", [details.to_string(), place, EVIL.into()])
        .unwrap();
    drop(connection);
    for arguments in [
        &["runs"][..],
        &["runs", "--json"],
        &["resume", "--last"],
        &["undo", "--last", "--yes"],
        &["undo", "--last", "--yes", "--json"],
        &["runs", journal.file_stem().unwrap().to_str().unwrap()],
    ] {
        let ran = coloured(&account, arguments);
        is_harmless(&ran);
        assert!(!ran.text().contains("hunter2"), "{}", ran.text());
    }
}
