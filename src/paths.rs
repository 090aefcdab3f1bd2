//! Paths of files that are the same file.

use std::path::{Path, PathBuf};

/// The one path of a file, also of one that is yet to be written. None where not even its folder is there.
pub(crate) fn real_path(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok().or_else(|| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    })
}
