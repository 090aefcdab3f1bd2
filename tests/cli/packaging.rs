//! The manifests of package managers name the files of a release, their version and their checksums.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ring::digest::{SHA256, digest};
use serde_json::Value;
use tempfile::TempDir;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const ARCHIVES: [&str; 4] = [
    "aarch64-apple-darwin.tar.gz", "x86_64-apple-darwin.tar.gz", "x86_64-unknown-linux-gnu.tar.gz",
    "x86_64-pc-windows-msvc.zip",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn archive(target: &str) -> String {
    format!("tallyport-{VERSION}-{target}")
}

fn sum(content: &str) -> String {
    digest(&SHA256, content.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A folder with these archives, each with its name as content, and what `manifests.sh` said about it.
fn manifests(archives: &[&str]) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    for target in archives {
        fs::write(folder.path().join(archive(target)), target).unwrap();
    }
    let output = Command::new("bash").arg(root().join("packaging/manifests.sh")).arg(folder.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    (folder, said)
}

/// All files below the folder, with their names.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

fn manifest<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
    &files.iter().find(|(file, _)| file == name).unwrap_or_else(|| panic!("no {name}")).1
}

#[test]
fn manifests_name_version_files_and_sums() {
    let (folder, said) = manifests(&ARCHIVES);
    let sums = fs::read_to_string(folder.path().join("SHA256SUMS")).unwrap();
    let mut expected = ARCHIVES.map(|target| format!("{}  {}\n", sum(target), archive(target)));
    expected.sort_by(|one, other| one[64..].cmp(&other[64..]));
    assert_eq!(sums, expected.concat());

    let files = files(&folder.path().join("manifests"));
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let winget = ["tallyport.installer.yaml", "tallyport.json", "tallyport.locale.en-US.yaml", "tallyport.rb"];
    assert_eq!(names, [&winget[..], &["tallyport.yaml"]].concat());
    for (name, text) in &files {
        assert!(text.contains(VERSION), "{name}: {text}");
        assert!(!text.contains('@'), "{name} has a place that was not filled: {text}");
    }

    let formula = manifest(&files, "tallyport.rb");
    for target in &ARCHIVES[..3] {
        let (_, rest) = formula.split_once(&format!("/v{VERSION}/{}\"\n", archive(target))).unwrap();
        assert!(rest.trim_start().starts_with(&format!("sha256 \"{}\"", sum(target))), "{target}: {formula}");
    }
    let windows = ARCHIVES[3];
    let scoop: Value = serde_json::from_str(manifest(&files, "tallyport.json")).unwrap();
    let download = &scoop["architecture"]["64bit"];
    assert!(download["url"].as_str().unwrap().ends_with(&format!("/v{VERSION}/{}", archive(windows))), "{scoop}");
    assert_eq!((&scoop["version"], &download["hash"]), (&VERSION.into(), &sum(windows).into()));
    let installer = manifest(&files, "tallyport.installer.yaml");
    assert!(installer.contains(&format!("InstallerSha256: {}\n", sum(windows))), "{installer}");
    assert_address(&files, &said);
}

/// The public address is that of Cargo.toml, or else a placeholder that the script warns about.
fn assert_address(files: &[(String, String)], said: &str) {
    let repository = env!("CARGO_PKG_REPOSITORY");
    for (name, text) in files {
        let urls = text.split(['"', ' ', '\n', '=']).filter(|word| word.starts_with("https://"));
        for url in urls.filter(|url| !url.starts_with("https://aka.ms/winget-manifest.")) {
            match repository {
                "" => assert!(url.starts_with("https://address-not-set.invalid/"), "{name}: {url}"),
                repository => assert!(url.starts_with(repository), "{name}: {url}"),
            }
        }
    }
    assert_eq!(said.contains("do not publish them"), repository.is_empty(), "{said}");
}

#[test]
fn a_manifest_without_its_archive_is_left_out() {
    let (folder, said) = manifests(&ARCHIVES[..3]);
    let names: Vec<String> = files(&folder.path().join("manifests")).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["tallyport.rb"], "{said}");
    let missing = archive(ARCHIVES[3]);
    assert!(said.contains(&format!("no {missing}: it is needed for tallyport.json")), "{said}");
    assert!(said.contains("left out: scoop") && said.contains("left out: winget"), "{said}");
}

/// `cargo binstall` looks for the archives under the names that `archive.sh` gives them.
#[test]
fn binstall_finds_the_archives() {
    let cargo: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let binstall = &cargo["package"]["metadata"]["binstall"];
    let filled = |text: &toml::Value, suffix: &str| {
        let text = text.as_str().unwrap();
        [("{ repo }", ""), ("{ version }", VERSION), ("{ name }", "tallyport"), ("{ target }", "T"), ("{ bin }", "B")]
            .iter()
            .fold(text.to_owned(), |text, (place, value)| text.replace(place, value))
            .replace("{ archive-suffix }", suffix)
            .replace("{ binary-ext }", "")
    };
    let url = filled(&binstall["pkg-url"], ".tar.gz");
    assert_eq!(url, format!("/releases/download/v{VERSION}/{}", archive("T.tar.gz")));
    assert_eq!(filled(&binstall["bin-dir"], ""), format!("{}/B", archive("T")));
}
