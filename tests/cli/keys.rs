//! The API key goes only to the base URL that it is configured for, and no file that may hold it is shown.

use std::fs;
use std::net::TcpListener;

use tempfile::TempDir;

use crate::harness::{CliTest, CommandOutput, KEY, assert_output, tallyport};

const SHEET: &str = "name\nBerlin\n";

/// A service that nobody may talk to.
struct Elsewhere(TcpListener);

impl Elsewhere {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn base_url(&self) -> String {
        format!("http://{}/api/v1", self.0.local_addr().unwrap())
    }

    fn heard_nothing(&self) {
        assert_eq!(self.0.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}

/// An account with one imported location.
fn imported() -> CliTest {
    let account = CliTest::new().sheet("locations.csv", SHEET);
    account.run(&["import", "locations.csv"]).exits(0);
    account
}

#[test]
fn a_journal_does_not_say_where_the_key_goes() {
    let account = imported();
    let run =
        |arguments: &[&str]| CommandOutput::run(tallyport(account.folder(), arguments).env("BLUETALLY_API_KEY", KEY));
    assert_output!(run(&["undo", "--last", "--yes"]), @"
    exit code 2
    --- stderr
    error: the run belongs to http://127.0.0.1:49152/api/v1, and flags, environment or profile say https://app.bluetallyapp.com/api/v1
      hint: if you trust that address with the API key, pass `--base-url http://127.0.0.1:49152/api/v1`; resume, undo and verify work only on the account of the run
    ");
    assert_eq!(account.records("locations").len(), 1);
    let base_url = format!("http://{}/api/v1", account.address());
    run(&["undo", "--last", "--yes", "--base-url", &base_url]).exits(0);
    assert_eq!(account.records("locations").len(), 0);
}

#[test]
fn a_profile_in_a_journal_sends_no_other_key() {
    let account = imported();
    let elsewhere = Elsewhere::new();
    let folder = account.path("config/tallyport");
    fs::create_dir_all(&folder).unwrap();
    let profiles = format!(
        "default_profile = \"b\"\n[profiles.b]\nbase_url = \"{}\"\napi_key = \"b-key\"\n",
        elsewhere.base_url()
    );
    fs::write(folder.join("config.toml"), profiles).unwrap();
    CommandOutput::run(tallyport(account.folder(), &["undo", "--last", "--yes"])).exits(2);
    CommandOutput::run(tallyport(account.folder(), &["resume", "--last", "--profile", "b"])).exits(2);
    elsewhere.heard_nothing();
}

#[test]
fn another_key_is_asked_about() {
    let account = imported();
    let other =
        |arguments: &[&str]| CommandOutput::run(account.command(arguments).env("BLUETALLY_API_KEY", "rotated-key-1"));
    assert_output!(other(&["undo", "--last"]), @"
    exit code 2
    --- stderr
    error: run 20261124-093015-abcd was started with another API key than the one in use now; continue only if both keys belong to the same account; nothing was sent
      hint: pass --yes to confirm
    ");
    let confirmed = other(&["undo", "--last", "--yes"]);
    assert_eq!(confirmed.code, 3, "{}", confirmed.text());
    assert!(confirmed.stderr.contains("warning: run ") && confirmed.stderr.contains("does not accept the API key"));
    account.run(&["undo", "--last", "--yes"]).exits(0);
}

#[test]
fn a_run_on_a_sandbox_file_stays_in_that_file() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("locations.csv"), SHEET).unwrap();
    let run =
        |arguments: &[&str]| CommandOutput::run(tallyport(folder.path(), arguments).env("BLUETALLY_API_KEY", KEY));
    run(&["import", "locations.csv", "--sandbox=a.db"]).exits(0);
    let elsewhere = Elsewhere::new();
    run(&["undo", "--last", "--yes", "--base-url", &elsewhere.base_url()]).exits(2);
    elsewhere.heard_nothing();
    run(&["undo", "--last", "--yes", "--sandbox=b.db"]).exits(2);
    run(&["undo", "--last", "--yes"]).exits(0);
    fs::remove_file(folder.path().join("a.db")).unwrap();
    let gone = run(&["undo", "--last", "--yes"]);
    assert!(gone.code == 2 && gone.stderr.contains("there is no such file"), "{}", gone.text());
    assert!(!folder.path().join("a.db").exists());
}

#[test]
fn the_key_of_the_environment_does_not_go_to_the_host_of_a_profile() {
    let folder = TempDir::new().unwrap();
    let elsewhere = Elsewhere::new();
    fs::create_dir_all(folder.path().join("config/tallyport")).unwrap();
    let profile = format!("[profiles.b]\nbase_url = \"{}\"\n", elsewhere.base_url());
    fs::write(folder.path().join("config/tallyport/config.toml"), profile).unwrap();
    fs::write(folder.path().join("locations.csv"), SHEET).unwrap();
    let run =
        |arguments: &[&str]| CommandOutput::run(tallyport(folder.path(), arguments).env("BLUETALLY_API_KEY", KEY));
    assert_output!(run(&["import", "locations.csv", "--profile", "b"]), @"
    exit code 2
    --- stderr
    error: the API key from BLUETALLY_API_KEY is for the default base URL, not for `http://127.0.0.1:49152/api/v1` from profile `b`
      hint: put `api_key_file` into profile `b` and name it with `--profile b`, or pass `--base-url http://127.0.0.1:49152/api/v1` to send this key there
    ");
    run(&["export", "locations", "-o", "out.csv", "--profile", "b"]).exits(2);
    assert_eq!(run(&["doctor", "--profile", "b"]).code, 2);
    elsewhere.heard_nothing();
}

#[test]
fn files_that_may_hold_the_key_are_not_quoted() {
    const SECRET: &str = "btk_q7Xw93LmZp0RtY5e";
    let folder = TempDir::new().unwrap();
    let files = [
        ("acme.key", format!("{SECRET}\n")),
        ("two.key", format!("# the key\n{SECRET} = \n")),
        ("quoted.key", format!("\"{SECRET}\n")),
        ("table.key", format!("[{SECRET}]\nx = 1\n")),
        ("config.toml", format!("[profiles.acme]\napi_key = {SECRET}\n")),
        ("odd.toml", format!("[profiles.acme]\ntenant = \"{SECRET}\"\n{SECRET} = 1\n")),
    ];
    for (name, text) in &files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::write(folder.path().join("locations.csv"), SHEET).unwrap();
    for (name, text) in &files {
        let at = format!("@{name}");
        fs::create_dir_all(folder.path().join("config/tallyport")).unwrap();
        fs::write(folder.path().join("config/tallyport/config.toml"), text).unwrap();
        for arguments in [
            &["check", "locations.csv", "--mapping", name][..],
            &["check", "locations.csv", "--mapping", name, "--json", "-vvv"],
            &["sandbox", "--faults", &at],
            &["sandbox", "--faults", &at, "--json"],
            &["doctor"],
            &["doctor", "--json"],
            &["import", "locations.csv", "--profile", "acme"],
            &["export", "--name", "nightly"],
        ] {
            let ran = CommandOutput::run(tallyport(folder.path(), arguments));
            assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.text());
            assert!(!ran.text().contains("q7Xw93"), "{arguments:?}: {}", ran.text());
        }
    }
    let run = |arguments: &[&str]| CommandOutput::run(tallyport(folder.path(), arguments));
    assert_output!(run(&["check", "locations.csv", "--mapping", "two.key"]), @r#"
    exit code 2
    --- stderr
    error: two.key, line 2: string values must be quoted, expected literal string
      hint: a mapping file is TOML: a line is `key = "text"`, a group begins with `[fields.NAME]`
    "#);
    assert_output!(run(&["sandbox", "--faults", "@two.key"]), @"
    exit code 2
    --- stderr
    error: `two.key`, line 2, column 1: not a fault
      hint: write a fault on each line, e.g. `POST assets nth=3 reset after`
    ");
}

#[test]
fn a_base_url_with_a_password_is_never_shown_whole() {
    let account = CliTest::new().sheet("locations.csv", SHEET);
    for base_url in [
        "https://ada:hunter-2-hunter@app.example/api/v1",
        "https://app.example/api/v1?key=hunter-2-hunter",
        "https://app.example/api/v1#hunter-2-hunter",
        "http://ada:hunter-2-hunter@app.example/api/v1",
        "ada:hunter-2-hunter@app.example",
        "//ada:hunter-2-hunter@app.example",
        "https://ada:hunter-2-hunter@",
    ] {
        for arguments in [
            &["import", "locations.csv"][..],
            &["import", "locations.csv", "--json", "-vvv"],
            &["check", "locations.csv", "--result", "result.csv", "--force"],
            &["doctor"],
            &["doctor", "--json", "-vvv"],
            &["export", "locations", "-o", "out.csv"],
            &["--help"],
            &["import", "--help"],
            &["import"],
        ] {
            let by_variable = CommandOutput::run(account.command(arguments).env("BLUETALLY_BASE_URL", base_url));
            let by_flag = account.run(&[arguments, &["--base-url", base_url]].concat());
            for ran in [by_variable, by_flag] {
                assert!(!ran.text().contains("hunter"), "{arguments:?}: {}", ran.text());
                assert!([0, 2].contains(&ran.code), "{arguments:?}: {}", ran.text());
            }
        }
    }
}
