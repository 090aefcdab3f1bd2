//! The folder of remembered mappings: a file for each header row, which appears whole or not at all.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::{HeaderFingerprint, RememberedMapping, RememberedMappingError, UnsavedMapping};
use crate::error::Result;
use crate::mapping::file::MAX_BYTES;
use crate::state_file;
use crate::table::write::{Access, AtomicFile, WriteError};

/// The folder below the state folder.
const FOLDER: &str = "mappings";

const EXTENSION: &str = "toml";

/// The remembered mappings of this machine.
#[derive(Debug, Clone)]
pub(crate) struct RememberedMappings {
    folder: PathBuf,
}

/// A file of the folder.
#[derive(Debug)]
pub(crate) struct StoredMapping {
    /// What `mappings forget` takes: of a file that cannot be read, the fingerprint.
    pub(crate) name: String,
    pub(crate) mapping: Result<RememberedMapping, RememberedMappingError>,
    path: PathBuf,
}

impl RememberedMappings {
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self { folder: state_dir.join(FOLDER) }
    }

    /// The mapping for a header row, if one is remembered.
    ///
    /// # Errors
    /// Where others could have changed the folder, or the file is damaged.
    pub(crate) fn find(&self, fingerprint: &HeaderFingerprint) -> Result<Option<RememberedMapping>> {
        let path = self.path_of(fingerprint);
        if !path.exists() {
            return Ok(None);
        }
        state_file::check_folder(&self.folder)?;
        Ok(Some(read(&path, fingerprint.as_str())?))
    }

    /// Keeps a mapping for its header row, in place of what was kept for it before. Gives its name; none where the row
    /// has no headers.
    ///
    /// # Errors
    /// Where the file cannot be written, or others could change the folder.
    pub(crate) fn remember(&self, unsaved: &UnsavedMapping<'_>) -> Result<Option<String>> {
        let Some(fingerprint) = HeaderFingerprint::of(unsaved.header) else { return Ok(None) };
        let path = self.path_of(&fingerprint);
        state_file::create_folder_of(&path)
            .map_err(|source| RememberedMappingError::Folder { path: self.folder.display().to_string(), source })?;
        state_file::check_folder(&self.folder)?;
        let file = AtomicFile::create_for(&path, Access::private())?;
        let text = unsaved.to_text(&fingerprint);
        file.as_file().write_all(text.as_bytes()).map_err(|source| WriteError::from_io(&path, source))?;
        file.commit()?;
        Ok(Some(unsaved.name(&fingerprint)))
    }

    /// Every file of the folder, by name.
    ///
    /// # Errors
    /// Where the folder cannot be read, or others could have changed it.
    pub(crate) fn list(&self) -> Result<Vec<StoredMapping>> {
        let unreadable =
            |source| RememberedMappingError::Unreadable { path: self.folder.display().to_string(), source };
        state_file::check_folder(&self.folder)?;
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error).into()),
        };
        let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
        let is_ours = |path: &PathBuf| path.extension().is_some_and(|extension| extension == EXTENSION);
        let stored = paths.map_err(unreadable)?.into_iter().filter(is_ours).map(|path| {
            let fingerprint = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let mapping = read(&path, &fingerprint);
            StoredMapping { name: mapping.as_ref().map_or(fingerprint, |found| found.name.clone()), mapping, path }
        });
        let mut stored: Vec<StoredMapping> = stored.collect();
        stored.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(stored)
    }

    /// Deletes the mapping of that name.
    ///
    /// # Errors
    /// Where none has it, or it cannot be deleted.
    pub(crate) fn forget(&self, name: &str) -> Result<()> {
        let stored = self.list()?;
        let Some(found) = stored.iter().find(|stored| stored.name == name) else {
            let similarity = |stored: &&StoredMapping| strsim::jaro_winkler(&stored.name, name);
            let nearest = stored.iter().max_by(|one, other| similarity(one).total_cmp(&similarity(other)));
            let nearest = nearest.filter(|stored| similarity(stored) > 0.7).map(|stored| stored.name.clone());
            return Err(RememberedMappingError::NoSuchName { name: name.to_owned(), nearest }.into());
        };
        fs::remove_file(&found.path)
            .map_err(|source| RememberedMappingError::Undeletable { path: found.path.display().to_string(), source })?;
        Ok(())
    }

    fn path_of(&self, fingerprint: &HeaderFingerprint) -> PathBuf {
        self.folder.join(fingerprint.as_str()).with_extension(EXTENSION)
    }
}

fn read(path: &Path, fingerprint: &str) -> Result<RememberedMapping, RememberedMappingError> {
    let shown = || path.display().to_string();
    let unreadable = |source| RememberedMappingError::Unreadable { path: shown(), source };
    let damaged =
        |reason: String| RememberedMappingError::Damaged { path: shown(), name: fingerprint.to_owned(), reason };
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
        return Err(damaged(String::from("too large for a mapping file")));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| damaged(String::from("it is not text")))?;
    RememberedMapping::parse(&text, fingerprint).map_err(damaged)
}
