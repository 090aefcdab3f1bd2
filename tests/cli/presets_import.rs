//! The exports of other tools, imported with one command into an empty account: into the sandbox, and into the reference
//! server, which takes nothing that the guide does not have.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::harness::{CliTest, CommandOutput, some_of, tallyport};
use crate::reference_server::{self, ReferenceServer, Shapes};

/// Exports that lack a field which every record must have, with what an admin says for it.
const DEFAULTS: &[(&str, &[&str])] = &[("autopilot", &["product=Surface Laptop"]), ("entra-devices", &[])];

/// How many of the exports are imported by a test that need not try all.
const FEW: usize = 6;

fn exports() -> Vec<(String, PathBuf)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/exports");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut exports: Vec<_> =
        files.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path)).collect();
    exports.sort();
    exports
}

fn arguments(name: &str, path: &std::path::Path) -> Vec<String> {
    let known = DEFAULTS.iter().find(|(export, _)| *export == name).map(|(_, defaults)| *defaults).unwrap_or_default();
    let defaults = known.iter().flat_map(|default| ["--default", default]);
    let words =
        ["import", path.to_str().unwrap(), "--create-missing=all", "--yes", "--json", "--result", "r.xlsx", "--force"];
    words.into_iter().chain(defaults).map(str::to_owned).collect()
}

/// Imports an export twice; the second time nothing may be written.
fn import_twice(name: &str, run: &dyn Fn() -> CommandOutput) -> Option<String> {
    let first = run();
    let summary: Value = serde_json::from_str(&first.stdout).unwrap_or_default();
    if first.code != 0 {
        return Some(format!("{name}: exit {}: {} {}", first.code, first.stderr, summary["problems"]));
    }
    let second = run();
    let again: Value = serde_json::from_str(&second.stdout).unwrap_or_default();
    let kinds = again["requests"]["by_kind"].as_object().cloned().unwrap_or_default();
    let writes: Vec<&String> = kinds.keys().filter(|kind| !kind.starts_with("GET")).collect();
    (second.code != 0 || !writes.is_empty())
        .then(|| format!("{name} again: {} {writes:?} {}", second.code, again["problems"]))
}

#[test]
fn every_export_goes_into_an_empty_account_with_one_command() {
    let failed: Vec<String> = some_of(exports(), FEW)
        .iter()
        .filter_map(|(name, path)| {
            let account = CliTest::new();
            let arguments = arguments(name, path);
            let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
            import_twice(name, &|| account.run(&words))
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_export_goes_into_an_account_that_speaks_only_the_guide() {
    let failed: Vec<String> = some_of(exports().into_iter().zip(Shapes::ALL.into_iter().cycle()), FEW)
        .into_iter()
        .filter_map(|((name, path), shapes)| {
            let folder = tempfile::TempDir::new().unwrap();
            let server = ReferenceServer::start(shapes);
            let arguments = arguments(&name, &path);
            let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let run = || {
                let mut command = tallyport(folder.path(), &words);
                command.env("BLUETALLY_BASE_URL", format!("http://{}/api/v1", server.address()));
                command.env("BLUETALLY_API_KEY", reference_server::KEY);
                CommandOutput::run(command)
            };
            import_twice(&name, &run)
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn another_tools_id_is_not_taken_for_ours() {
    for (name, separator) in [("snipe-it-assets", ','), ("glpi-computers", ';')] {
        let path = format!("{}/tests/fixtures/exports/{name}.csv", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
        let with_id = lines.map(|(row, line)| match row {
            0 => format!("{line}{separator}ID\n"),
            row => format!("{line}{separator}{}\n", 7000 + row),
        });
        let account = CliTest::new().sheet("list.csv", &with_id.collect::<String>());
        let import = ["import", "list.csv", "--create-missing=all", "--result", "done.xlsx"];
        let (code, summary) = account.json(&import);
        assert_eq!((code, &summary["counts"]["failed"]), (0, &serde_json::json!(0)), "{name}: {summary}");
        // The result has our ids beside theirs.
        let (code, again) = account.json(&["import", "done.xlsx", "--create-missing=all"]);
        assert_eq!(
            (code, &again["counts"]["failed"], &again["counts"]["created"]),
            (0, &serde_json::json!(0), &serde_json::json!(0)),
            "{name}: {again}"
        );
        let columns = again["mapping"][0]["columns"].as_array().unwrap();
        assert!(
            columns.iter().any(|column| column["header"] == "_id" && column["field"] == "_id"),
            "{name}: {columns:?}"
        );
    }
}

#[test]
fn the_result_of_an_export_is_imported_like_the_export() {
    for name in ["okta-api-users", "snipe-it-assets"] {
        let account = CliTest::new();
        let (_, path) = exports().into_iter().find(|(export, _)| export == name).unwrap();
        account
            .run(&["import", path.to_str().unwrap(), "--create-missing=all", "--yes", "--result", "r.xlsx"])
            .exits(0);
        let (code, again) = account.json(&["import", "r.xlsx", "--create-missing=all", "--dry-run"]);
        assert_eq!(code, 0, "{name}: {again:#}");
        let kinds = ["failed", "created", "updated"].map(|kind| again["counts"][kind].as_u64());
        assert_eq!(kinds, [Some(0); 3], "{name}: {}", again["counts"]);
    }
}
