//! Exports into a bucket, and into folders laid out for data tools.

mod server;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::rehearsal::{Ran, Rehearsal};
use server::{BUCKET, SECRET, Server};

/// An account of two assets in two places.
fn account() -> Rehearsal {
    Rehearsal::new()
        .furnished()
        .holds("locations", json!({"name": "Berlin"}))
        .holds("locations", json!({"name": "Zürich"}))
        .holds("assets", json!({"asset_id": "A-1", "product_id": 1, "status_id": 1, "location_id": 1}))
        .holds("assets", json!({"asset_id": "A-2", "product_id": 1, "status_id": 1, "purchase_cost": 5}))
}

/// The command with nothing of this machine's clouds but this server.
fn command(account: &Rehearsal, server: &Server, arguments: &[&str]) -> Command {
    let mut command = account.command(arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.envs(server.environment());
    command
}

#[track_caller]
fn run(account: &Rehearsal, server: &Server, arguments: &[&str]) -> Ran {
    let ran = Ran::of(command(account, server, arguments).output().unwrap());
    assert!(!ran.said().contains(SECRET), "{}", ran.said());
    ran
}

/// The day of a snapshot, as the keys have it.
fn day_of(key: &str) -> &str {
    key.split("snapshot=").nth(1).and_then(|rest| rest.get(..10)).unwrap_or_else(|| panic!("{key}"))
}

#[test]
fn a_file_stands_under_its_name_as_it_would_on_disk() {
    let (account, server) = (account(), Server::start());
    let ran = run(&account, &server, &["export", "assets", "-o", "s3://backups/out of here/assets.csv"]).exits(0);
    ran.says("wrote `s3://backups/out of here/assets.csv`");
    account.run(&["export", "assets", "-o", "assets.csv"]).exits(0);
    assert_eq!(server.object("out of here/assets.csv"), fs::read(account.path("assets.csv")).unwrap());
    assert_eq!((server.keys().len(), server.unfinished()), (1, 0));
}

#[test]
fn a_folder_becomes_visible_once_all_of_it_is_there() {
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
fn a_bucket_that_refuses_is_known_before_the_account_is_read_or_changed() {
    let (account, server) = (account(), Server::start());
    run(&account, &server, &["export", "assets", "-o", "s3://elsewhere/"])
        .exits(3)
        .says("bucket `s3://elsewhere` does not exist");
    server.refuse("POST locked/a.csv begin");
    let ran = run(&account, &server, &["export", "assets", "-o", "s3://backups/locked/a.csv"]).exits(3);
    ran.says("access to the bucket `s3://backups` was denied: AccessDenied: Access Denied");
    assert!(server.keys().is_empty());
}

#[test]
fn a_part_that_is_refused_leaves_yesterdays_files() {
    let (account, server) = (account(), Server::start());
    let export = ["export", "assets", "locations", "--format", "jsonl", "-o", "s3://backups/x/"];
    run(&account, &server, &export).exits(0);
    let before = server.object("x/assets.jsonl");
    let account = account.holds("assets", json!({"asset_id": "A-3", "product_id": 1, "status_id": 1}));
    server.refuse("PUT x/locations.jsonl part 1");
    run(&account, &server, &export).exits(3).says("AccessDenied");
    assert_eq!(server.object("x/assets.jsonl"), before);
    assert_eq!(server.unfinished(), 0);
}

#[test]
fn a_bucket_that_fails_halfway_is_told_file_by_file() {
    let (account, server) = (account(), Server::start());
    let export = ["export", "assets", "locations", "statuses", "-o", "s3://backups/x/"];
    server.refuse("POST x/locations.csv complete");
    run(&account, &server, &export).exits(3).says(
        "the bucket failed halfway: new: `s3://backups/x/assets.csv`; unknown: `s3://backups/x/locations.csv`; \
         unchanged: `s3://backups/x/statuses.csv`: access to the bucket `s3://backups` was denied: AccessDenied",
    );
    assert_eq!((server.keys(), server.unfinished()), (vec![String::from("x/assets.csv")], 0));
}

#[test]
fn the_newest_files_are_kept_and_others_left_alone() {
    let (account, server) = (account(), Server::start());
    let older = ["n-2019-01-01.csv", "n-2019-01-02.csv", "n-2019-01-02.changes.csv", "n-2019-01-03.csv"];
    let others = ["n-latest.csv", "m-2019-01-01.csv", "old/n-2019-01-01.csv"];
    older.iter().chain(&others).for_each(|name| server.put(&format!("x/{name}"), b"old"));
    let export = ["export", "assets", "-o", "s3://backups/x/n-{date}.csv", "--keep", "2"];
    run(&account, &server, &export).exits(0).says("deleted 3 older files");
    let keys = server.keys();
    assert_eq!(keys.len(), 5, "{keys:?}");
    assert!(others.iter().all(|name| keys.contains(&format!("x/{name}"))));
    assert!(keys.contains(&String::from("x/n-2019-01-03.csv")));
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_lies_as_data_tools_read_it_and_a_day_replaces_its_own() {
    let (account, server) = (account(), Server::start());
    let key = |day: &str| format!("lake/collection=assets/snapshot={day}/part-0.parquet");
    ["2019-01-01", "2019-01-02"].iter().for_each(|day| server.put(&key(day), b"old"));
    server.put("lake/collection=licenses/snapshot=2019-01-01/part-0.parquet", b"other");
    let export = [
        "export", "assets", "locations", "--format", "parquet", "-o", "s3://backups/lake/", "--name", "nightly",
        "--incremental", "--keep", "2",
    ];
    run(&account, &server, &export).exits(0).says("deleted 1 older file");
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
fn a_folder_is_partitioned_alike_with_the_tenants_in_front() {
    use tallyport::sandbox::{SandboxOptions, Seed};
    let tenants = vec![(7, String::from("North")), (8, String::from("South"))];
    let account = Rehearsal::with(SandboxOptions { seed: Seed::Empty, tenants, ..SandboxOptions::default() });
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
    account.run(&[&export[..], &["--keep", "1"]].concat()).exits(0).says("deleted 1 older file");
    assert!(!Path::new(&old).exists());
}

#[test]
fn the_register_goes_there_too_and_its_manifest_last() {
    let (account, server) = (account(), Server::start());
    let ran = run(&account, &server, &["export", "register", "-o", "s3://backups/books/register.xlsx"]).exits(0);
    ran.says("wrote `s3://backups/books/register.xlsx`");
    let completed: Vec<String> = server.log().into_iter().filter(|request| request.ends_with("complete")).collect();
    assert!(completed.len() > 1 && completed.last().unwrap().contains("manifest"), "{completed:?}");
    assert!(server.keys().iter().all(|key| key.starts_with("books/register")), "{:?}", server.keys());
}

#[test]
fn a_url_that_cannot_be_meant_is_refused_at_once_without_its_secret() {
    let (account, server) = (account(), Server::start());
    for (url, words) in [
        ("https://bucket.example/hush", "unsupported bucket URL scheme"),
        ("s3://hush:hush@backups/x.csv", "the bucket URL contains credentials"),
        ("az://backups/x.csv?sig=hush", "the bucket URL contains credentials"),
        ("s3://backups/a//b.csv", "the path in the bucket contains an empty part"),
    ] {
        let ran = run(&account, &server, &["export", "assets", "-o", url]).exits(2).says(words);
        assert!(!ran.said().contains("hush"), "{}", ran.said());
    }
    let partitioned = ["export", "assets", "--partitioned", "-o"];
    let refused = |output: &str| run(&account, &server, &[&partitioned[..], &[output]].concat()).exits(2);
    refused("assets.csv").says("a partitioned export needs a folder");
    refused("s3://backups/{date}/").says("has the date in its folders");
    assert!(server.log().is_empty());
}

#[test]
fn without_credentials_the_variables_are_named() {
    let (account, server) = (account(), Server::start());
    let mut command = command(&account, &server, &["export", "assets", "-o", &format!("s3://{BUCKET}/x/")]);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        command.env_remove(name);
    }
    // Where the machine's own credentials would be is nobody.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    command.env("AWS_METADATA_ENDPOINT", format!("http://{nobody}"));
    let ran = Ran::of(command.output().unwrap()).exits(2).says("no credentials for the bucket");
    ran.says("AWS_ACCESS_KEY_ID");
}

#[test]
fn a_file_url_is_a_path() {
    let account = account();
    let folder = url::Url::from_directory_path(account.folder()).unwrap();
    account.run(&["export", "assets", "locations", "-o", &format!("{folder}out/")]).exits(0);
    assert!(account.path("out/assets.csv").is_file() && account.path("out/locations.csv").is_file());
    account.run(&["export", "assets", "-o", &format!("{folder}a-{{date}}.csv")]).exits(0).says("a-2");
}
