//! What `deny.toml` allows, against the dependencies as they are: the part of `cargo deny check` that needs neither the
//! network nor a tool of its own. Security advisories are not among it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn names(value: Option<&toml::Value>) -> BTreeSet<String> {
    let items = value.and_then(toml::Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().or_else(|| item.get("crate")?.as_str())).map(str::to_owned).collect()
}

/// Whether one of the alternatives of an SPDX expression consists of allowed licences alone.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace(['(', ')'], " ").replace('/', " OR ");
    // `A OR B AND C` binds as SPDX says: AND first. Brackets around alternatives occur with AND only in licences that
    // are all allowed.
    expression.split(" OR ").any(|all| all.split(" AND ").all(|licence| allowed.contains(licence.trim())))
}

#[test]
fn dependencies_are_what_deny_toml_allows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules: toml::Table = std::fs::read_to_string(root.join("deny.toml")).unwrap().parse().unwrap();
    let allowed = names(rules["licenses"].get("allow"));
    let banned = names(rules["bans"].get("deny"));
    let wrapped: BTreeSet<String> = (rules["bans"]["deny"].as_array().unwrap().iter())
        .filter(|ban| ban.get("wrappers").is_some())
        .filter_map(|ban| ban["crate"].as_str().map(str::to_owned))
        .collect();
    let metadata = |features: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(root).args(["metadata", "--locked", "--offline", "--format-version", "1"]).args(features);
        cargo.args(["--filter-platform", "x86_64-unknown-linux-gnu"]).output().unwrap()
    };
    // What only other features need is not on a machine that has never built them.
    let all = metadata(&["--all-features"]);
    let listed = if all.status.success() { all } else { metadata(&[]) };
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let metadata: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "{} packages", packages.len());
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or_default();
        if !is_allowed(licence, &allowed) {
            wrong.push(format!("{name}: the licence `{licence}` is not allowed"));
        }
        if banned.contains(name) && !wrapped.contains(name) {
            wrong.push(format!("{name} is banned"));
        }
        if package["source"].as_str().is_some_and(|source| !source.starts_with("registry+")) {
            wrong.push(format!("{name} comes from {}", package["source"]));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Packages with the features that they are built with.
#[cfg(target_os = "linux")]
fn built(edges: &str) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["tree", "--locked", "--offline", "--prefix", "none"]);
    let listed = cargo.args(["--format", "{p} [{f}]", "--edges", edges]).output().unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).unwrap();
    listed.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

/// A feature that only the tests' dependencies turn on makes `cargo test` build a crate again, and all that depend on it.
#[cfg(target_os = "linux")]
#[test]
fn the_program_and_its_tests_share_what_is_built() {
    let (program, tests) = (built("normal,build"), built("normal,build,dev"));
    assert!(program.len() > 100, "{} packages", program.len());
    let twice: Vec<_> = program.difference(&tests).collect();
    assert!(twice.is_empty(), "turn the features on for the program, too: {twice:#?}");
}

#[test]
fn licence_expressions_are_read_as_spdx_says() {
    let allowed = BTreeSet::from(["MIT", "Apache-2.0", "Unicode-3.0"].map(str::to_owned));
    for (expression, expected) in [
        ("MIT", true),
        ("MIT OR GPL-3.0", true),
        ("MIT/Apache-2.0", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("GPL-3.0", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
