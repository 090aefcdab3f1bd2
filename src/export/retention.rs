//! Retention: keeps the newest files of an export and deletes older ones.
//!
//! A file belongs to the export if the export would have written it on another day: the name is the same except for
//! `{date}` and `{time}`. Its sidecar files, such as `.changes.csv`, belong to it too. No other file is ever deleted.
//!
//! [`FileSeries`] decides by name alone which files are outdated; [`prune`] applies that to a folder or a bucket.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::bucket::{Bucket, BucketUrl, is_url};
use super::error::ExportError;
use crate::error::{Error, ErrorKind, Result};

/// The file names of an export over time: patterns, in which `{date}` and `{time}` stand for digits, and [`ANY_FILE`] at
/// the end for the name of any file that an export writes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileSeries(Vec<String>);

const ANY_FILE: &str = "{file}";
/// The placeholders, and what they are replaced by: `d` stands for a digit, any other character for itself.
const STAMPS: &[(&str, &str)] = &[("{date}", "dddd-dd-dd"), ("{time}", "dddddd")];
/// Suffixes of files written beside the main one, in place of its extension.
const SIDECAR_SUFFIXES: &[&str] =
    &[".changes.csv", ".changes.jsonl", ".changes.parquet", ".manifest.json", ".ledger.csv"];
/// Extensions of the files that an export writes.
const FILE_EXTENSIONS: &[&str] = &["csv", "jsonl", "parquet", "xlsx", "json"];

impl FileSeries {
    /// The series of a file or folder name, or of a whole key.
    fn of(name: &str) -> Self {
        let (folder, last) = name.rsplit_once('/').map_or(("", name), |(folder, last)| (&name[..=folder.len()], last));
        let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
        let beside = SIDECAR_SUFFIXES.iter().map(|suffix| format!("{folder}{stem}{suffix}"));
        Self([name.to_owned()].into_iter().chain(beside).collect())
    }

    /// The series of a key in a bucket. A key that ends in a slash stands for the files in that folder.
    fn of_keys(key: &str) -> Self {
        if key.ends_with('/') { Self(vec![format!("{key}{ANY_FILE}")]) } else { Self::of(key) }
    }

    /// The items whose date and time are not among the newest `keep`. Items of other names are never outdated.
    fn outdated<T>(&self, found: impl IntoIterator<Item = (String, T)>, keep: usize) -> Vec<T> {
        let stamped = |(name, item): (String, T)| {
            let stamp = self.0.iter().find_map(|pattern| stamp_of(pattern, &name))?;
            Some((stamp, item))
        };
        let found: Vec<(String, T)> = found.into_iter().filter_map(stamped).collect();
        let stamps: BTreeSet<String> = found.iter().map(|(stamp, _)| stamp.clone()).collect();
        let kept: BTreeSet<String> = stamps.into_iter().rev().take(keep).collect();
        found.into_iter().filter(|(stamp, _)| !kept.contains(stamp)).map(|(_, item)| item).collect()
    }
}

/// Date and time in a name that matches the pattern; none if it does not.
fn stamp_of(pattern: &str, name: &str) -> Option<String> {
    let (mut pattern, mut name, mut stamp) = (pattern, name, String::new());
    loop {
        if pattern == ANY_FILE {
            let is_ours = !name.contains('/') && is_export(Path::new(name));
            return is_ours.then_some(stamp);
        }
        let placeholder = STAMPS.iter().find_map(|(text, shape)| Some((pattern.strip_prefix(text)?, *shape)));
        if let Some((rest, shape)) = placeholder {
            let (part, after) = name.split_at_checked(shape.len())?;
            let fits =
                |(char, wanted): (char, char)| if wanted == 'd' { char.is_ascii_digit() } else { char == wanted };
            if !part.chars().zip(shape.chars()).all(fits) {
                return None;
            }
            stamp.push_str(part);
            (pattern, name) = (rest, after);
            continue;
        }
        let Some(char) = pattern.chars().next() else { return name.is_empty().then_some(stamp) };
        name = name.strip_prefix(char)?;
        pattern = &pattern[char.len_utf8()..];
    }
}

/// Deletes all but the newest `keep` files of an export, and returns how many were deleted. Of the placeholders in
/// `output` only `{date}` and `{time}` may be left.
pub(crate) async fn prune(output: &str, keep: usize) -> Result<usize> {
    if is_url(output) {
        return prune_bucket(&BucketUrl::parse(output).map_err(ExportError::from)?, keep).await;
    }
    prune_folder(output, keep).map_err(|error| Error::new(ErrorKind::Usage, error.to_string(), None))
}

async fn prune_bucket(url: &BucketUrl, keep: usize) -> Result<usize> {
    let bucket = Bucket::open(url)?;
    let fixed = url.key.split('{').next().unwrap_or_default();
    let folder = fixed.rsplit_once('/').map_or("", |(folder, _)| folder);
    let keys = bucket.keys(folder).await?.into_iter().map(|key| (key.clone(), key));
    let outdated = FileSeries::of_keys(&url.key).outdated(keys, keep);
    for key in &outdated {
        bucket.delete(key).await?;
    }
    Ok(outdated.len())
}

fn prune_folder(output: &str, keep: usize) -> io::Result<usize> {
    let output = output.trim_end_matches(['/', std::path::MAIN_SEPARATOR]);
    // The innermost part of the path that contains a date or time.
    let mut at = Path::new(output);
    loop {
        let name = at.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if STAMPS.iter().any(|(placeholder, _)| name.contains(placeholder)) {
            return prune_in(at.parent().unwrap_or(Path::new("")), &name, keep);
        }
        match at.parent() {
            Some(parent) if parent != Path::new("") => at = parent,
            _ => return Ok(0),
        }
    }
}

fn prune_in(folder: &Path, name: &str, keep: usize) -> io::Result<usize> {
    let folder = if folder == Path::new("") { Path::new(".") } else { folder };
    if folder.to_string_lossy().contains('{') || !folder.is_dir() {
        return Ok(0);
    }
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    FileSeries::of(name).outdated(found, keep).iter().map(|path| delete(path)).sum()
}

/// Deletes a file, or the export files in a folder. A folder that contains anything else stays.
fn delete(path: &Path) -> io::Result<usize> {
    if !path.is_dir() {
        return fs::remove_file(path).map(|()| 1);
    }
    let mut deleted = 0;
    for entry in fs::read_dir(path)? {
        let inner = entry?.path();
        if is_export(&inner) && inner.is_file() {
            fs::remove_file(&inner)?;
            deleted += 1;
        }
    }
    match fs::remove_dir(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
        Err(error) => return Err(error),
    }
    Ok(deleted)
}

fn is_export(path: &Path) -> bool {
    path.extension().is_some_and(|ending| FILE_EXTENSIONS.iter().any(|known| ending == *known))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_older_files_of_the_export_are_deleted() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "nightly-2026-11-21.csv", "nightly-2026-11-22.csv", "nightly-2026-11-22.changes.csv",
            "nightly-2026-11-23.csv", "nightly-2026-11-23.changes.csv", "nightly-2026-11-24.csv", "nightly-latest.csv",
            "nightly-2026-11-21.xlsx", "other-2026-11-01.csv", "nightly-2026-11-2x.csv",
        ] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let output = folder.path().join("nightly-{date}.csv");
        assert_eq!(prune_folder(&output.to_string_lossy(), 2).unwrap(), 3);
        assert_eq!(
            names(folder.path()),
            [
                "nightly-2026-11-21.xlsx", "nightly-2026-11-23.changes.csv", "nightly-2026-11-23.csv",
                "nightly-2026-11-24.csv", "nightly-2026-11-2x.csv", "nightly-latest.csv", "other-2026-11-01.csv",
            ]
        );
    }

    #[test]
    fn a_folder_is_deleted_unless_it_holds_other_files() {
        let folder = tempfile::tempdir().unwrap();
        for day in ["2026-11-22", "2026-11-23", "2026-11-24"] {
            fs::create_dir(folder.path().join(day)).unwrap();
            fs::write(folder.path().join(day).join("assets.csv"), "x").unwrap();
        }
        fs::write(folder.path().join("2026-11-23/notes.docx"), "x").unwrap();
        let output = folder.path().join("{date}").join("");
        assert_eq!(prune_folder(&output.to_string_lossy(), 1).unwrap(), 2);
        assert_eq!(names(folder.path()), ["2026-11-23", "2026-11-24"]);
        assert_eq!(names(&folder.path().join("2026-11-23")), ["notes.docx"]);
    }

    #[test]
    fn a_missing_folder_is_not_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("none").join("{date}.csv");
        assert_eq!(prune_folder(&output.to_string_lossy(), 1).unwrap(), 0);
    }

    #[test]
    fn only_older_keys_of_the_export_are_outdated() {
        let outdated = |key: &str, keys: &[&str], keep| {
            let found = keys.iter().map(|key| ((*key).to_owned(), (*key).to_owned()));
            FileSeries::of_keys(key).outdated(found, keep)
        };
        let files = [
            "exports/n-2026-11-22.csv", "exports/n-2026-11-22.changes.csv", "exports/n-2026-11-23.csv",
            "exports/n-2026-11-24.csv", "exports/old/n-2026-11-01.csv", "exports/n-2026-11-01.xlsx",
        ];
        assert_eq!(outdated("exports/n-{date}.csv", &files, 2), files[..2]);
        let snapshots = [
            "lake/collection=assets/snapshot=2026-11-22/part-0.parquet",
            "lake/collection=assets/snapshot=2026-11-23/part-0.parquet",
            "lake/collection=assets/snapshot=2026-11-23/_SUCCESS",
            "lake/collection=assets/snapshot=2026-11-24/part-0.parquet",
            "lake/collection=assets/snapshot=2026-11-01/mine/part-0.parquet",
            "lake/collection=assets/snapshot=latest/part-0.parquet",
            "lake/collection=licenses/snapshot=2026-11-01/part-0.parquet",
        ];
        assert_eq!(outdated("lake/collection=assets/snapshot={date}/", &snapshots, 1), snapshots[..2]);
        let times = ["2026-11-24/090000.csv", "2026-11-24/210000.csv", "2026-11-23/230000.csv"];
        assert_eq!(outdated("{date}/{time}.csv", &times, 1), [times[0], times[2]]);
    }
}
