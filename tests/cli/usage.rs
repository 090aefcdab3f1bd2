//! Usage errors: a clear message, the right exit code, and no request.

use std::process::Stdio;

use crate::harness::{CliTest, CommandOutput, assert_output, tallyport};

const ASSETS: &str = "asset_id,product,status\nA-1,MacBook Pro 14,Ready\n";

#[test]
fn a_missing_file_is_named() {
    assert_output!(CliTest::new().run(&["import", "asets.csv"]), @"
    exit code 2
    --- stderr
    error: `asets.csv`: file not found
      hint: check the name and the folder
    ");
}

#[test]
fn an_unknown_sheet_name_lists_the_sheets() {
    let account = CliTest::new();
    crate::import::workbook(&account.path("book.xlsx"), &[("assets", &[&["asset_id"]]), ("people", &[&["name"]])]);
    assert_output!(account.run(&["import", "book.xlsx", "--sheet", "Asset"]), @"
    exit code 2
    --- stderr
    error: book.xlsx has no sheet `Asset`
      hint: its sheets are: assets, people
    ");
}

#[test]
fn a_missing_key_lists_the_ways_to_set_one() {
    let account = CliTest::new().sheet("assets.csv", ASSETS);
    let ran = CommandOutput::run(tallyport(account.folder(), &["import", "assets.csv"]));
    assert_output!(ran, @"
    exit code 2
    --- stderr
    error: no API key is set
      hint: set BLUETALLY_API_KEY, pass `--api-key-file FILE`, or put `api_key_file` into a profile of config.toml; the key comes from Settings > API Keys. To try it without an account, add `--sandbox`
    ");
}

#[test]
fn an_unreachable_server_is_exit_code_3() {
    let account = CliTest::new().sheet("assets.csv", ASSETS);
    let mut command = tallyport(account.folder(), &["import", "assets.csv"]);
    // Nothing listens on port 9 of loopback.
    command.env("BLUETALLY_BASE_URL", "http://127.0.0.1:9/api/v1").env("BLUETALLY_API_KEY", "k");
    assert_output!(CommandOutput::run(command), @"
    exit code 3
    --- stderr
    error: could not reach `127.0.0.1:49152`: OS ERROR
      hint: check the network, the proxy and the base URL, then try again
    ");
}

#[test]
fn a_wrong_key_is_exit_code_3_and_never_shown() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    let mut command = account.command(&["import", "assets.csv", "-v"]);
    command.env("BLUETALLY_API_KEY", "not-the-key-4711");
    let ran = CommandOutput::run(command).exits(3);
    assert_output!(ran, @r#"
    exit code 3
    --- stderr
    2026-11-24T09:30:15Z INFO reading file="assets.csv"
    2026-11-24T09:30:15Z INFO answered method="GET" path="/api/v1/statuses" status=401 milliseconds=2
    error: the service does not accept the API key (401): the API key is missing or wrong: send it as `Authorization: Bearer KEY`
      hint: create a key under Settings > API Keys; the one in use is from BLUETALLY_API_KEY
    "#);
    assert!(!ran.text().contains("not-the-key-4711"), "{}", ran.text());
}

#[test]
fn a_wrong_key_is_told_with_where_it_comes_from() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS).sheet("my.key", "not-the-key-4711");
    assert_output!(account.run(&["import", "assets.csv", "--api-key-file", "my.key"]), @r#"
    exit code 3
    --- stderr
    error: the service does not accept the API key (401): the API key is missing or wrong: send it as `Authorization: Bearer KEY`
      hint: create a key under Settings > API Keys; the one in use is from --api-key-file
    "#);
}

#[test]
fn hints_are_quoted_for_a_shell_and_name_only_flags_that_work_there() {
    let account = CliTest::new()
        .sheet("a.csv", "Asset Tagg's,Model,Status\nA-1,Mac,Ready\n")
        .sheet("b.csv", "Colour,Size\nred,5\n")
        .sheet("m.toml", "entity = \"assets\"\n[fields.\"assigned_to.foo\"]\ncolumn = \"Model\"\n");
    assert_output!(account.run(&["check", "a.csv", "--entity", "assets"]), @r"
    exit code 2
    --- stderr
    error: a.csv: no column is mapped to `asset_id` (required); not understood: `Asset Tagg's`
      hint: say which: --map 'Asset Tagg'\''s=asset_id'
    ");
    assert_output!(account.run(&["check", "b.csv"]), @r"
    exit code 2
    --- stderr
    error: b.csv: cannot tell from its name or headers what it contains
      hint: say what it holds with --entity, such as --entity assets
    ");
    assert_output!(account.run(&["check", "b.csv", "--entity", "assets"]), @r"
    exit code 2
    --- stderr
    error: b.csv: no column in the header (row 1) is a field of `assets`
      hint: map a column with --map 'HEADER=FIELD' (`tallyport schema assets` lists the fields), or pass another --entity if it holds something else
    ");
    assert_output!(account.run(&["check", "a.csv", "--map", "Asset Tagg's=asset_id", "--mapping", "m.toml"]), @r"
    exit code 2
    --- stderr
    error: a.csv: m.toml, line 2: `assets` has no field `assigned_to.foo`
      hint: `tallyport schema assets` lists the fields
    ");
    assert_output!(account.run(&["export", "activity", "-o", "log.csv", "--user", "foo"]), @r"
    exit code 2
    --- stderr
    error: `foo` is neither the e-mail address nor the id of a user
      hint: pass the e-mail address of a BlueTally user, or the user's id, a whole number
    ");
    assert_output!(account.run(&["template", "-o", "a.csv"]), @r"
    exit code 2
    --- stderr
    error: cannot write to the folder `a.csv`: it is a file
      hint: name another folder, or move that file away
    ");
    let register = ["export", "register", "-o", "r.xlsx"];
    assert_output!(account.run(&[&register[..], &["--rates", "nope.csv"]].concat()), @r"
    exit code 2
    --- stderr
    error: `nope.csv`: file not found
      hint: check the name and the folder
    ");
    assert_output!(account.run(&[&register[..], &["--previous", "nope.csv"]].concat()), @r"
    exit code 2
    --- stderr
    error: `nope.csv`: file not found
      hint: check the name and the folder
    ");
}

#[test]
fn what_is_said_next_suits_the_result_and_the_limits() {
    let account = CliTest::new()
        .with_lookups()
        .sheet("assets.csv", ASSETS)
        .sheet("bad.csv", "asset_id,product,status\nA-9,None such,Ready\n");
    let over = account.run(&["import", "assets.csv", "--dry-run", "--max-creates", "0"]).text();
    assert!(over.contains("a run would stop before it starts") && !over.contains("  next"), "{over}");
    let bad = account.run(&["import", "bad.csv", "--dry-run", "--result", "bad.result.csv"]).text();
    assert!(bad.contains("correct the failed rows in the result, then run"), "{bad}");
}

#[test]
fn an_unknown_entity_and_a_misspelled_header_get_suggestions() {
    let account = CliTest::new().sheet("a.csv", "asset_id,purchse_cost\nA-1,5\n");
    assert_output!(account.run(&["import", "a.csv", "--entity", "asets"]), @"
    exit code 2
    --- stderr
    error: unknown name `asets`
      hint: did you mean `assets`? `tallyport schema` lists all names
    ");
    assert_output!(account.run(&["import", "a.csv", "--entity", "assets"]), @"
    exit code 2
    --- stderr
    error: a.csv: column `purchse_cost` (B1) looks like the field `purchase_cost`
      hint: pass --map 'purchse_cost=purchase_cost' if it is, or --ignore 'purchse_cost' if not
    ");
}

#[test]
fn a_checkin_sheet_with_quantities_is_a_question() {
    let returns = "Accessory,Employee,Quantity,Checkin date\nMouse,Ada Byron,1,2026-03-01\n";
    let account = CliTest::new().sheet("checkin_accessory.csv", returns);
    assert_output!(account.run(&["import", "checkin_accessory.csv"]), @"
    exit code 2
    --- stderr
    error: checkin_accessory.csv: column `Quantity` (C1) cannot be sent: a check-in takes back a check-out as a whole, whatever the quantity
      hint: pass --ignore 'Quantity' if everything came back; what somebody keeps has to be checked out to them again (checkout_accessory)
    ");
    let mapped = account.run(&["check", "checkin_accessory.csv", "--map", "Quantity=quantity"]).exits(2).stderr;
    assert!(mapped.contains("a check-in takes back a check-out as a whole"), "{mapped}");
    account.run(&["check", "checkin_accessory.csv", "--ignore", "Quantity"]).exits(0);
    let told = account.run(&["schema", "checkin_accessory"]).exits(0).stdout;
    assert!(told.contains("A check-out comes back as a whole: there is no quantity."), "{told}");
    let told = account.run(&["schema", "checkin_asset"]).exits(0).stdout;
    assert!(!told.contains("quantity"), "{told}");
}

#[test]
fn a_file_without_rows_is_an_error() {
    assert_output!(CliTest::new().sheet("assets.csv", "asset_id,product\n").run(&["import", "assets.csv"]), @"
    exit code 2
    --- stderr
    error: assets.csv holds a header but no rows
      hint: fill in the rows below the header
    ");
}

#[test]
fn only_failed_requires_a_result_file() {
    assert_output!(CliTest::new()
        .with_lookups()
        .sheet("assets.csv", ASSETS)
        .run(&["import", "assets.csv", "--only-failed"]), @"
    exit code 2
    --- stderr
    error: assets has no column `_status`, so it is not a result of an earlier run
      hint: give the result workbook, or leave out --only-failed
    ");
}

#[test]
fn a_result_path_is_checked_before_sending() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    assert_output!(account.run(&["import", "assets.csv", "--result", "nowhere/r.xlsx"]), @"
    exit code 2
    --- stderr
    error: folder not found: `nowhere`; the result cannot be written there
      hint: make the folder, or name another place with --result
    ");
    assert_output!(account.run(&["import", "assets.csv", "--result", "r.pdf"]), @"
    exit code 2
    --- stderr
    error: cannot write `r.pdf`: a result is an .xlsx or .csv file
      hint: name it `r.xlsx`
    ");
    assert!(account.records("assets").is_empty());
}

#[test]
fn a_command_without_data_refuses_json_in_json() {
    let account = CliTest::new();
    for arguments in [&["completions", "bash"][..], &["man"]] {
        let (code, document) = account.json(arguments);
        assert_eq!((code, &document["error"]["hint"]), (2, &serde_json::json!("leave out --json")), "{document}");
    }
}

#[test]
fn every_command_shows_its_help() {
    let account = CliTest::new();
    for command in ["check", "import", "template", "schema", "sandbox", "doctor", "completions", "man"] {
        let ran = CommandOutput::run(tallyport(account.folder(), &[command, "--help"])).exits(0);
        assert!(ran.stdout.contains("Usage: tallyport"), "{command}");
    }
}

#[test]
fn what_looks_like_a_flag_is_not_said_to_be_a_file() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    assert_output!(account.run(&["import", "assets.csv", "--max-creates", "-5"]), @"
    exit code 2
    --- stderr
    error: `-5` is not a limit for --max-creates
      hint: write a count such as 250, or a share such as 10%
    ");
    let wrong = account.run(&["import", "assets.csv", "--max-errors", "-1"]).exits(2);
    assert!(wrong.stderr.contains("use a whole number from 1 up"), "{}", wrong.stderr);
    let unknown = account.run(&["check", "assets.csv", "--yes"]).exits(2);
    assert!(!unknown.stderr.contains("as a value"), "{}", unknown.stderr);
}

#[test]
fn a_brace_without_its_other_half_is_no_header() {
    let account = CliTest::new().sheet("assets.csv", "asset_id,product,status,Name\nA-1,MacBook Pro 14,Ready,One\n");
    assert_output!(account.run(&["check", "assets.csv", "--map", "{Name=asset_name"]), @"
    exit code 2
    --- stderr
    error: --map '{Name=asset_name': a brace without its other half
      hint: write headers in braces: --map '{First name} {Last name}=field'; {{ and }} are braces
    ");
}

#[test]
fn a_file_that_is_a_single_table_is_a_sheet_of_that_name() {
    let account = CliTest::new().sheet("assets.csv", ASSETS);
    let (code, checked) = account.json(&["check", "assets.csv", "--sheet", "assets"]);
    assert_eq!((code, &checked["rows"]), (0, &serde_json::json!(1)), "{checked:#}");
}

#[test]
fn headers_that_fit_two_collections_are_asked_about() {
    let account = CliTest::new().sheet("list.csv", "Asset Tag,Name\nA-1,One\n");
    let asked = account.run(&["check", "list.csv"]).exits(2);
    assert!(asked.stderr.contains("the headers match") && asked.stderr.contains("`assets`"), "{}", asked.stderr);
    account.run(&["check", "list.csv", "--entity", "assets", "--mode", "update"]).exits(0);
}

#[test]
fn the_columns_of_a_profile_are_told_from_those_of_a_flag() {
    let account = CliTest::new().with_lookups();
    let config = "default_profile = \"a\"\n[profiles.a.columns]\nstatuses = [\"nmae\"]\n";
    std::fs::create_dir_all(account.path("config/tallyport")).unwrap();
    std::fs::write(account.path("config/tallyport/config.toml"), config).unwrap();
    let refused = account.run(&["export", "statuses", "-o", "-"]);
    assert!(refused.stderr.contains("the profile in config.toml asks for it"), "{}", refused.stderr);
}

/// The exit code of a command whose standard output goes there.
fn exit_code_to(account: &CliTest, stdout: impl Into<Stdio>, arguments: &[&str]) -> i32 {
    CommandOutput::run(account.command(arguments).stdout(stdout)).code
}

/// Two places, one of which cannot be read, and one that the account lacks.
fn places() -> CliTest {
    CliTest::new()
        .sheet("bad.csv", "name,currency\nBerlin,EUR\nKiel,ZZZ\n")
        .sheet("good.csv", "name\nParis\n")
        .sheet("other.csv", "name\nRome\n")
}

#[test]
fn a_reader_that_went_away_does_not_change_the_exit_code() {
    let account = places();
    let closed = || std::io::pipe().unwrap().1;
    for (arguments, code) in [
        (&["check", "bad.csv", "--entity", "locations"][..], 1),
        (&["check", "good.csv", "--entity", "locations"], 0),
        (&["import", "bad.csv", "--entity", "locations", "--dry-run"], 1),
        (&["verify", "good.csv", "--entity", "locations"], 1),
        (&["import", "good.csv", "--entity", "locations"], 0),
        (&["verify", "good.csv", "--entity", "locations"], 0),
        (&["export", "locations", "-o", "out.csv"], 0),
        (&["doctor"], 0),
        (&["schema"], 0),
    ] {
        for json in [&[][..], &["--json"]] {
            let arguments = [arguments, json].concat();
            assert_eq!(exit_code_to(&account, closed(), &arguments), code, "{arguments:?}");
        }
    }
    let mut refused = account.command(&["doctor"]);
    refused.env("BLUETALLY_API_KEY", "another").stdout(closed());
    assert_eq!(CommandOutput::run(refused).code, 3);
}

#[test]
fn a_document_is_printed_though_nobody_reads_the_messages() {
    let account = places();
    let mut command = account.command(&["verify", "good.csv", "--entity", "locations", "--json"]);
    command.stderr(std::io::pipe().unwrap().1);
    let verified = CommandOutput::run(command).exits(1);
    assert!(verified.stdout.contains("\"missing\""), "{}", verified.stdout);
}

#[cfg(target_os = "linux")]
#[test]
fn an_outcome_that_cannot_be_written_is_no_success() {
    let account = places();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for (arguments, code) in [
        (&["import", "good.csv", "--entity", "locations", "--json"][..], 5),
        (&["import", "other.csv", "--entity", "locations"], 5),
        (&["check", "bad.csv", "--entity", "locations"], 1),
        (&["runs", "--json"], 5),
    ] {
        assert_eq!(exit_code_to(&account, full(), arguments), code, "{arguments:?}");
    }
    assert_eq!(account.records("locations").len(), 2, "sent all the same");
}
