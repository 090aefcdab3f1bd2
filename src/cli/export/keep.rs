//! `--keep N`: the newest files of an export stay, older ones go.
//!
//! What counts as a file of the export is what its `-o` would have written on another day: the same name but for
//! `{date}` and `{time}`, and what stands beside it, such as `.changes.csv`. Nothing else is ever touched.
//!
//! What is outdated is told by [`Series`] from names alone; [`prune`] goes by it in a folder, and a bucket by its keys.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The names that an export has on all its days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Series(Vec<Pattern>);

/// The pieces of a name: what has to stand there, and where a day or a time stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// So many characters: digits, and hyphens where they belong.
    Stamp(&'static str),
    /// The name of a file that an export makes. Only at the end.
    File,
}

const PLACEHOLDERS: &[(&str, &str)] = &[("{date}", "dddd-dd-dd"), ("{time}", "dddddd")];
/// What may stand beside a file, in place of its ending.
const BESIDE: &[&str] = &[".changes.csv", ".changes.jsonl", ".changes.parquet", ".manifest.json", ".ledger.csv"];
/// What the names of an export's files end in.
const ENDINGS: &[&str] = &["csv", "jsonl", "parquet", "xlsx", "json"];

impl Series {
    /// Those of a file or folder of that name: one part of a path, or a whole key.
    fn of(name: &str) -> Self {
        let (folder, last) = name.rsplit_once('/').map_or(("", name), |(folder, last)| (&name[..=folder.len()], last));
        let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
        let beside = BESIDE.iter().map(|ending| Pattern::new(&format!("{folder}{stem}{ending}")));
        Self([Pattern::new(name)].into_iter().chain(beside).collect())
    }

    /// Those of the keys of an export: a file's, or, where `key` ends in a slash, those of the files in that folder.
    #[cfg_attr(not(feature = "buckets"), allow(dead_code))]
    pub(super) fn of_keys(key: &str) -> Self {
        match key.ends_with('/') {
            false => Self::of(key),
            true => {
                let mut pattern = Pattern::new(key);
                pattern.0.push(Piece::File);
                Self(vec![pattern])
            }
        }
    }

    /// Of what was found, what is older than the newest `keep`.
    pub(super) fn outdated<T>(&self, found: impl IntoIterator<Item = (String, T)>, keep: usize) -> Vec<T> {
        let stamped = |(name, thing): (String, T)| Some((self.stamp_of(&name)?, thing));
        let found: Vec<(String, T)> = found.into_iter().filter_map(stamped).collect();
        let stamps: BTreeSet<String> = found.iter().map(|(stamp, _)| stamp.clone()).collect();
        let kept: BTreeSet<String> = stamps.into_iter().rev().take(keep).collect();
        found.into_iter().filter(|(stamp, _)| !kept.contains(stamp)).map(|(_, thing)| thing).collect()
    }

    /// The stamps in a name of this series; none where it is another name.
    fn stamp_of(&self, name: &str) -> Option<String> {
        self.0.iter().find_map(|pattern| pattern.stamp_of(name))
    }
}

impl Pattern {
    fn new(name: &str) -> Self {
        let mut pieces = vec![Piece::Text(name.to_owned())];
        for (placeholder, stamp) in PLACEHOLDERS {
            pieces = pieces.into_iter().flat_map(|piece| split(piece, placeholder, stamp)).collect();
        }
        Self(pieces)
    }

    fn has_stamp(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Stamp(_)))
    }

    /// The stamps in a name of this pattern; none where it is another name.
    fn stamp_of(&self, name: &str) -> Option<String> {
        let (mut rest, mut stamp) = (name, String::new());
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Piece::Stamp(shape) => {
                    let part = rest.get(..shape.len())?;
                    let fits = |(char, wanted): (char, char)| match wanted {
                        'd' => char.is_ascii_digit(),
                        other => char == other,
                    };
                    if !part.chars().zip(shape.chars()).all(fits) {
                        return None;
                    }
                    stamp.push_str(part);
                    rest = &rest[shape.len()..];
                }
                Piece::File => {
                    let is_ours = !rest.contains('/') && is_export(Path::new(rest));
                    return is_ours.then_some(stamp);
                }
            }
        }
        rest.is_empty().then_some(stamp)
    }
}

fn split(piece: Piece, placeholder: &str, stamp: &'static str) -> Vec<Piece> {
    let Piece::Text(text) = piece else { return vec![piece] };
    let mut pieces = Vec::new();
    for (index, part) in text.split(placeholder).enumerate() {
        if index > 0 {
            pieces.push(Piece::Stamp(stamp));
        }
        if !part.is_empty() {
            pieces.push(Piece::Text(part.to_owned()));
        }
    }
    pieces
}

/// Deletes the older files of an export whose path has only days and times open, and says how many.
///
/// # Errors
/// A folder that cannot be read, a file that cannot be deleted.
pub(super) fn prune(output: &str, keep: usize) -> io::Result<usize> {
    let output = output.trim_end_matches(['/', std::path::MAIN_SEPARATOR]);
    // The innermost part of the path that differs from day to day.
    let mut at = Path::new(output);
    loop {
        let name = at.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if Pattern::new(&name).has_stamp() {
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
    Series::of(name).outdated(found, keep).iter().map(|path| delete(path)).sum()
}

/// A file, or a folder of files that an export makes; whatever else lies in it stays, and so does the folder then.
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
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
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
    fn only_what_the_export_wrote_on_older_days_goes() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "nightly-2026-11-21.csv", "nightly-2026-11-22.csv", "nightly-2026-11-22.changes.csv",
            "nightly-2026-11-23.csv", "nightly-2026-11-23.changes.csv", "nightly-2026-11-24.csv", "nightly-latest.csv",
            "nightly-2026-11-21.xlsx", "other-2026-11-01.csv", "nightly-2026-11-2x.csv",
        ] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let output = folder.path().join("nightly-{date}.csv");
        assert_eq!(prune(&output.to_string_lossy(), 2).unwrap(), 3);
        assert_eq!(
            names(folder.path()),
            [
                "nightly-2026-11-21.xlsx", "nightly-2026-11-23.changes.csv", "nightly-2026-11-23.csv",
                "nightly-2026-11-24.csv", "nightly-2026-11-2x.csv", "nightly-latest.csv", "other-2026-11-01.csv",
            ]
        );
    }

    #[test]
    fn a_folder_goes_with_what_the_export_put_there() {
        let folder = tempfile::tempdir().unwrap();
        for day in ["2026-11-22", "2026-11-23", "2026-11-24"] {
            fs::create_dir(folder.path().join(day)).unwrap();
            fs::write(folder.path().join(day).join("assets.csv"), "x").unwrap();
        }
        fs::write(folder.path().join("2026-11-23/notes.docx"), "x").unwrap();
        let output = folder.path().join("{date}").join("");
        assert_eq!(prune(&output.to_string_lossy(), 1).unwrap(), 2);
        assert_eq!(names(folder.path()), ["2026-11-23", "2026-11-24"]);
        assert_eq!(names(&folder.path().join("2026-11-23")), ["notes.docx"]);
    }

    #[test]
    fn a_missing_folder_holds_nothing_old() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("none").join("{date}.csv");
        assert_eq!(prune(&output.to_string_lossy(), 1).unwrap(), 0);
    }

    #[test]
    fn of_keys_only_the_older_ones_of_the_export_are_outdated() {
        let outdated = |key: &str, keys: &[&str], keep| {
            let found = keys.iter().map(|key| ((*key).to_owned(), (*key).to_owned()));
            Series::of_keys(key).outdated(found, keep)
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
