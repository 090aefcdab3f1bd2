//! Paths of files that are the same file, and how people write them.

use std::path::{Path, PathBuf};

/// The one path of a file, also of one that is yet to be written. None where not even its folder is there.
pub(crate) fn real_path(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok().or_else(|| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    })
}

/// A real path as people know it. Windows puts `\\?\` before one, and `\\?\UNC` before that of a network folder.
pub(crate) fn plain_path(real: PathBuf) -> PathBuf {
    let Some(rest) = real.to_str().and_then(|text| text.strip_prefix(r"\\?\")) else { return real };
    match rest.strip_prefix(r"UNC\") {
        Some(share) => PathBuf::from(format!(r"\\{share}")),
        None if rest.as_bytes().get(1) == Some(&b':') => PathBuf::from(rest),
        // A volume without a letter has no other name.
        None => real,
    }
}

/// The shortest end of a path, in whole names, that none of the others has: `assets.csv`, but `a/assets.csv` where there is
/// a `b/assets.csv`.
pub(crate) fn distinct_name(path: &str, others: &[String]) -> String {
    let parts: Vec<_> = Path::new(path).components().collect();
    let ends = (0..parts.len()).rev().map(|first| parts[first..].iter().collect::<PathBuf>());
    let is_of_another = |end: &PathBuf| others.iter().any(|other| other != path && Path::new(other).ends_with(end));
    ends.into_iter().find(|end| !is_of_another(end)).map_or_else(|| path.to_owned(), |end| end.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_are_told_apart_by_their_folders() {
        let files = ["2025/a/assets.csv", "2025/b/assets.csv", "2026/b/assets.csv", "assets.csv", "sites.csv"];
        let files = files.map(String::from);
        let names: Vec<PathBuf> = files.iter().map(|file| distinct_name(file, &files).into()).collect();
        let expected = ["a/assets.csv", "2025/b/assets.csv", "2026/b/assets.csv", "assets.csv", "sites.csv"];
        assert_eq!(names, expected.map(PathBuf::from));
        assert_eq!(distinct_name("a/assets.csv", &[]), "assets.csv");
        assert_eq!(distinct_name("", &[]), "");
    }

    #[test]
    fn people_see_paths_as_they_know_them() {
        for (real, plain) in [
            (r"\\?\C:\Users\ada\a.db", r"C:\Users\ada\a.db"),
            (r"\\?\UNC\server\share\a.db", r"\\server\share\a.db"),
            (r"\\?\Volume{b75e2c83}\a.db", r"\\?\Volume{b75e2c83}\a.db"),
            (r"C:\a.db", r"C:\a.db"),
            ("/home/ada/a.db", "/home/ada/a.db"),
        ] {
            assert_eq!(plain_path(PathBuf::from(real)), Path::new(plain));
        }
    }
}
