//! Exports to a bucket, and to folders partitioned for query engines.

mod server;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::harness::{CliTest, CommandOutput, assert_output};
use server::{BUCKET, SECRET, Server};

/// An account with two assets in two locations.
fn account() -> CliTest {
    CliTest::new()
        .with_lookups()
        .holds("locations", json!({"name": "Berlin"}))
        .holds("locations", json!({"name": "Zürich"}))
        .holds("assets", json!({"asset_id": "A-1", "product_id": 1, "status_id": 1, "location_id": 1}))
        .holds("assets", json!({"asset_id": "A-2", "product_id": 1, "status_id": 1, "purchase_cost": 5}))
}

/// The command with credentials for this server only.
fn command(account: &CliTest, server: &Server, arguments: &[&str]) -> Command {
    let mut command = account.command(arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.envs(server.environment());
    command
}

#[track_caller]
fn run(account: &CliTest, server: &Server, arguments: &[&str]) -> CommandOutput {
    let ran = CommandOutput::run(command(account, server, arguments));
    assert!(!ran.text().contains(SECRET), "{}", ran.text());
    ran
}

/// The date of the snapshot in a key.
fn day_of(key: &str) -> &str {
    key.split("snapshot=").nth(1).and_then(|rest| rest.get(..10)).unwrap_or_else(|| panic!("{key}"))
}

#[test]
fn an_uploaded_file_equals_the_local_one() {
    let (account, server) = (account(), Server::start());
    assert_output!(run(&account, &server, &["export", "assets", "-o", "s3://backups/out of here/assets.csv"]), @"
    exit code 0
    --- stdout
    Export of http://127.0.0.1:49152/api/v1, in 0.5 s (15 requests)
      assets          2 rows  read in full
    wrote `s3://backups/out of here/assets.csv`
    ");
    account.run(&["export", "assets", "-o", "assets.csv"]).exits(0);
    assert_eq!(server.object("out of here/assets.csv"), fs::read(account.path("assets.csv")).unwrap());
    assert_eq!((server.keys().len(), server.unfinished()), (1, 0));
}

#[test]
fn files_become_visible_after_all_uploads() {
    let (account, server) = (account(), Server::start());
    run(&account, &server, &["export", "assets", "locations", "-o", "s3://backups/x/{date}/"]).exits(0);
    let log = server.log();
    let first = log.iter().position(|request| request.ends_with("complete")).unwrap();
    let last = log.iter().rposition(|request| request.contains(" part ")).unwrap();
    assert!(last < first, "{log:#?}");
    let keys = server.keys();
    let names: Vec<&str> = keys.iter().map(|key| &key["x/2026-11-24/".len()..]).collect();
    assert_eq!(names, ["assets.csv", "locations.csv"]);
}

#[test]
fn bucket_access_is_checked_before_the_account_is_read() {
    let (account, server) = (account(), Server::start());
    assert_output!(run(&account, &server, &["export", "assets", "-o", "s3://elsewhere/"]), @"
    exit code 3
    --- stderr
    error: bucket `s3://elsewhere` does not exist
      hint: create it first, or check its name and AWS_REGION, AWS_ENDPOINT_URL, AWS_ALLOW_HTTP
    ");
    server.refuse("POST locked/a.csv begin");
    assert_output!(run(&account, &server, &["export", "assets", "-o", "s3://backups/locked/a.csv"]), @"
    exit code 3
    --- stderr
    error: access to the bucket `s3://backups` was denied: AccessDenied: Access Denied
      hint: check that the credentials in the environment may write, list and delete there
    ");
    assert!(server.keys().is_empty());
}

#[test]
fn a_failed_upload_leaves_the_previous_files() {
    let (account, server) = (account(), Server::start());
    let export = ["export", "assets", "locations", "--format", "jsonl", "-o", "s3://backups/x/"];
    run(&account, &server, &export).exits(0);
    let before = server.object("x/assets.jsonl");
    let account = account.holds("assets", json!({"asset_id": "A-3", "product_id": 1, "status_id": 1}));
    server.refuse("PUT x/locations.jsonl part 1");
    assert_output!(run(&account, &server, &export), @"
    exit code 3
    --- stderr
    error: access to the bucket `s3://backups` was denied: AccessDenied: Access Denied
      hint: check that the credentials in the environment may write, list and delete there
    ");
    assert_eq!(server.object("x/assets.jsonl"), before);
    assert_eq!(server.unfinished(), 0);
}

#[test]
fn a_partial_upload_lists_new_and_missing_files() {
    let (account, server) = (account(), Server::start());
    let export = ["export", "assets", "locations", "statuses", "-o", "s3://backups/x/"];
    server.refuse("POST x/locations.csv complete");
    assert_output!(run(&account, &server, &export), @"
    exit code 3
    --- stderr
    error: the bucket failed halfway: new: `s3://backups/x/assets.csv`; unknown: `s3://backups/x/locations.csv`; unchanged: `s3://backups/x/statuses.csv`: access to the bucket `s3://backups` was denied: AccessDenied: Access Denied
      hint: run the export again; it replaces every file
    ");
    assert_eq!((server.keys(), server.unfinished()), (vec![String::from("x/assets.csv")], 0));
}

#[test]
fn retention_keeps_the_newest_files_and_ignores_others() {
    let (account, server) = (account(), Server::start());
    let older = ["n-2019-01-01.csv", "n-2019-01-02.csv", "n-2019-01-02.changes.csv", "n-2019-01-03.csv"];
    let others = ["n-latest.csv", "m-2019-01-01.csv", "old/n-2019-01-01.csv"];
    older.iter().chain(&others).for_each(|name| server.put(&format!("x/{name}"), b"old"));
    let export = ["export", "assets", "-o", "s3://backups/x/n-{date}.csv", "--keep", "2"];
    assert_output!(run(&account, &server, &export), @"
    exit code 0
    --- stdout
    Export of http://127.0.0.1:49152/api/v1, in 0.5 s (15 requests)
      assets          2 rows  read in full
    wrote `s3://backups/x/n-2026-11-24.csv`
    deleted 2 older files
    ");
    let keys = server.keys();
    assert_eq!(keys.len(), 6, "{keys:?}");
    assert!(keys.contains(&String::from("x/n-2019-01-02.changes.csv")), "this export writes no such file");
    assert!(others.iter().all(|name| keys.contains(&format!("x/{name}"))));
    assert!(keys.contains(&String::from("x/n-2019-01-03.csv")));
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_is_partitioned_and_a_day_replaces_itself() {
    let (account, server) = (account(), Server::start());
    let key = |day: &str| format!("lake/collection=assets/snapshot={day}/part-0.parquet");
    ["2019-01-01", "2019-01-02"].iter().for_each(|day| server.put(&key(day), b"old"));
    server.put("lake/collection=licenses/snapshot=2019-01-01/part-0.parquet", b"other");
    let export = [
        "export", "assets", "locations", "--format", "parquet", "-o", "s3://backups/lake/", "--name", "nightly",
        "--incremental", "--keep", "2",
    ];
    assert_output!(run(&account, &server, &export), @"
    exit code 0
    --- stdout
    Export of http://127.0.0.1:49152/api/v1, in 0.5 s (15 requests)
      assets             2 rows  read in full
      locations          2 rows  read in full
      changes: none yet, this is the first export of this name
    wrote `s3://backups/lake/collection=assets/snapshot=2026-11-24/part-0.parquet`
    wrote `s3://backups/lake/collection=locations/snapshot=2026-11-24/part-0.parquet`
    wrote `s3://backups/lake/collection=changes/snapshot=2026-11-24/part-0.parquet`
    deleted 1 older file
    ");
    let keys = server.keys();
    let today = day_of(keys.iter().find(|key| key.contains("collection=changes")).unwrap()).to_owned();
    let expected = [
        key("2019-01-02"),
        key(&today),
        format!("lake/collection=changes/snapshot={today}/part-0.parquet"),
        String::from("lake/collection=licenses/snapshot=2019-01-01/part-0.parquet"),
        format!("lake/collection=locations/snapshot={today}/part-0.parquet"),
    ];
    assert_eq!(keys, expected);
    assert!(server.object(&key(&today)).starts_with(b"PAR1"));
    let before = server.keys().len();
    run(&account, &server, &export).exits(0);
    assert_eq!(server.keys().len(), before);
}

#[cfg(feature = "parquet")]
#[test]
fn local_folders_are_partitioned_by_tenant_first() {
    use tallyport::sandbox::{SandboxOptions, Seed};
    let tenants = vec![(7, String::from("North")), (8, String::from("South"))];
    let account = CliTest::with(SandboxOptions { seed: Seed::Empty, tenants, ..SandboxOptions::default() });
    let export = ["export", "assets", "--partitioned", "--all-tenants", "-o", "lake"];
    account.run(&export).exits(0);
    let file = |tenant: &str| {
        let folder = account.path("lake").join(tenant).join("collection=assets");
        let day = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
        day.join("part-0.parquet")
    };
    assert!(file("tenant=7").is_file() && file("tenant=8").is_file());
    let old = account.path("lake/tenant=7/collection=assets/snapshot=2019-01-01");
    fs::create_dir(&old).unwrap();
    fs::write(old.join("part-0.parquet"), "old").unwrap();
    assert_output!(account.run(&[&export[..], &["--keep", "1"]].concat()), @"
    exit code 0
    --- stdout
    Export of 2 tenants, in 0.5 s (21 requests)
      tenant 7  assets          0 rows  read in full
      tenant 8  assets          0 rows  read in full
    wrote `lake/tenant=7/collection=assets/snapshot=2026-11-24/part-0.parquet`
    wrote `lake/tenant=8/collection=assets/snapshot=2026-11-24/part-0.parquet`
    --- stderr
    warning: --keep leaves 1 older file that this export has not written, by the list in the state folder, or that was edited since: `lake/tenant=7/collection=assets/snapshot=2019-01-01/part-0.parquet`
    ");
    assert!(Path::new(&old).exists());
}

#[test]
fn the_register_is_uploaded_with_its_manifest_last() {
    let (account, server) = (account(), Server::start());
    assert_output!(run(&account, &server, &["export", "register", "-o", "s3://backups/books/register.xlsx"]), @"
    exit code 0
    --- stdout
    Register as of 2026-11-24, in 0.5 s (16 requests)
      unstated         2 items held  cost             5.00  book value             0.00
    wrote `s3://backups/books/register.xlsx`
    wrote `s3://backups/books/register.xlsx.manifest.json`
    --- stderr
    warning: 2 items without a book value; the register gives the reasons
    warning: 1 item without a currency, totalled separately as `unstated`
    ");
    let completed: Vec<String> = server.log().into_iter().filter(|request| request.ends_with("complete")).collect();
    assert!(completed.len() > 1 && completed.last().unwrap().contains("manifest"), "{completed:?}");
    assert!(server.keys().iter().all(|key| key.starts_with("books/register")), "{:?}", server.keys());
}

#[test]
fn an_invalid_url_is_rejected_without_showing_its_secret() {
    let (account, server) = (account(), Server::start());
    let urls = [
        "https://bucket.example/hush", "s3://hush:hush@backups/x.csv", "az://backups/x.csv?sig=hush",
        "s3://backups/a//b.csv",
    ];
    let outputs = urls.map(|url| run(&account, &server, &["export", "assets", "-o", url]).redacted()).concat();
    insta::assert_snapshot!(outputs, @"
    exit code 2
    --- stderr
    error: unsupported bucket URL scheme
      hint: use s3://bucket/path/, az://container/path/, gs://bucket/path/, or abfss://container@account.dfs.core.windows.net/path/
    exit code 2
    --- stderr
    error: the bucket URL contains credentials
      hint: remove them: other users can read a command line; set the provider's environment variables instead
    exit code 2
    --- stderr
    error: the bucket URL contains credentials
      hint: remove them: other users can read a command line; set the provider's environment variables instead
    exit code 2
    --- stderr
    error: the path in the bucket contains an empty part, `.` or `..`
      hint: separate the parts of the path with a single `/`
    ");
    assert!(!outputs.contains("hush"));
    let partitioned = ["export", "assets", "--partitioned", "-o"];
    let refused = |output: &str| run(&account, &server, &[&partitioned[..], &[output]].concat());
    assert_output!(refused("assets.csv"), @"
    exit code 2
    --- stderr
    error: a partitioned export needs a folder
      hint: end the path with /
    ");
    assert_output!(refused("s3://backups/{date}/"), @"
    exit code 2
    --- stderr
    error: a partitioned export has the date in its folders (snapshot=2026-11-24)
      hint: leave {date} and {time} out of the path
    ");
    assert!(server.log().is_empty());
}

#[test]
fn missing_credentials_name_the_variables() {
    let (account, server) = (account(), Server::start());
    let mut command = command(&account, &server, &["export", "assets", "-o", &format!("s3://{BUCKET}/x/")]);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        command.env_remove(name);
    }
    // No metadata service answers there.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    command.env("AWS_METADATA_ENDPOINT", format!("http://{nobody}"));
    assert_output!(CommandOutput::run(command), @"
    exit code 2
    --- stderr
    error: no credentials for the bucket `s3://backups`: OS ERROR)
      hint: set the variables for your way of signing in
    ");
}

#[test]
fn a_file_url_is_a_local_path() {
    let account = account();
    let folder = url::Url::from_directory_path(account.folder()).unwrap();
    account.run(&["export", "assets", "locations", "-o", &format!("{folder}out/")]).exits(0);
    assert!(account.path("out/assets.csv").is_file() && account.path("out/locations.csv").is_file());
    assert_output!(account.run(&["export", "assets", "-o", &format!("{folder}a-{{date}}.csv")]), @"
    exit code 0
    --- stdout
    Export of http://127.0.0.1:49152/api/v1, in 0.5 s (13 requests)
      assets          2 rows  read in full
    wrote `~/a-2026-11-24.csv`
    ");
}
