//! File names with `*` and `?`, which the shells of Windows hand over as they were typed.

use std::fs;
use std::path::{Path, PathBuf};

use wildmatch::WildMatch;

use super::args::Command;

impl Command {
    /// The command with the files that its wildcards mean. The shells of Unix have put them in place already.
    pub(super) fn with_files_of_wildcards(mut self) -> Self {
        if let (true, Some(files)) = (cfg!(windows), self.spreadsheets()) {
            *files = files.iter().flat_map(|file| expanded(file)).collect();
        }
        self
    }

    /// The spreadsheets of a command that takes several.
    fn spreadsheets(&mut self) -> Option<&mut Vec<PathBuf>> {
        match self {
            Self::Check(args) => Some(&mut args.reading.files),
            Self::Import(args) => Some(&mut args.reading.files),
            Self::Verify(args) => Some(&mut args.reading.files),
            _ => None,
        }
    }
}

/// The files that `*` and `?` in the last part of a path mean, sorted and in upper or lower case; the path itself if there
/// are none. Files that Excel keeps beside open workbooks are not meant.
fn expanded(path: &Path) -> Vec<PathBuf> {
    let as_typed = || vec![path.to_owned()];
    let Some(pattern) = path.file_name().and_then(|name| name.to_str()).filter(|name| name.contains(['*', '?'])) else {
        return as_typed();
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let wanted = WildMatch::new_case_insensitive(pattern);
    let is_meant = |name: &str| wanted.matches(name) && !name.starts_with("~$");
    let mut files: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_meant) && entry.path().is_file())
        .map(|entry| path.with_file_name(entry.file_name()))
        .collect();
    files.sort();
    if files.is_empty() { as_typed() } else { files }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn wildcards_mean_the_files_whose_names_are_alike() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("old.xlsx")).unwrap();
        for name in ["b.xlsx", "A.XLSX", "~$b.xlsx", "[1].xlsx", "b.csv", "größe.xlsx"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let means = |pattern: &str| {
            let files = expanded(&folder.path().join(pattern));
            assert!(files.iter().all(|file| file.parent() == Some(folder.path())));
            files.iter().map(|file| file.file_name().unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(means("*.xlsx"), ["A.XLSX", "[1].xlsx", "b.xlsx", "größe.xlsx"]);
        assert_eq!(means("?.xlsx"), ["A.XLSX", "b.xlsx"]);
        assert_eq!(means("GRÖ*"), ["größe.xlsx"]);
        assert_eq!(means("[1]*"), ["[1].xlsx"]);
        assert_eq!(means("b.*"), ["b.csv", "b.xlsx"]);
        assert_eq!(means("c*"), ["c*"], "none");
        assert_eq!(means("b.xlsx"), ["b.xlsx"]);
        assert_eq!(expanded(Path::new("missing/*.xlsx")), [Path::new("missing/*.xlsx")]);
        assert_eq!(expanded(Path::new("-")), [Path::new("-")]);
    }

    #[test]
    fn a_pattern_in_this_folder_stays_in_this_folder() {
        assert_eq!(expanded(Path::new("Cargo.to??")), [Path::new("Cargo.toml")]);
    }
}
