//! The folder of remembered mappings: a file for each header row and collection, which appears whole or not at all. Earlier
//! versions kept one for each header row.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::{HeaderFingerprint, RememberedMapping, RememberedMappingError, UnsavedMapping};
use crate::error::Result;
use crate::mapping::file::MAX_BYTES;
use crate::schema::{self, Entity};
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
    /// What `mappings forget` takes: of a file that cannot be read, its name without the extension.
    pub(crate) name: String,
    pub(crate) mapping: Result<RememberedMapping, RememberedMappingError>,
    path: PathBuf,
}

impl RememberedMappings {
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self { folder: state_dir.join(FOLDER) }
    }

    /// The mappings for a header row, one for each collection.
    ///
    /// # Errors
    /// Where others could have changed the folder, or a file is damaged.
    pub(crate) fn find(&self, fingerprint: &HeaderFingerprint) -> Result<Vec<RememberedMapping>> {
        let of_entities = schema::importable().map(|entity| self.path_of(fingerprint, entity));
        let paths = of_entities.chain([self.path_of_earlier_version(fingerprint)]).filter(|path| path.exists());
        let mut found: Vec<RememberedMapping> = Vec::new();
        for path in paths {
            state_file::check_folder(&self.folder)?;
            let mapping = read(&path)?;
            if found.iter().all(|known| known.entity.name != mapping.entity.name) {
                found.push(mapping);
            }
        }
        Ok(found)
    }

    /// Keeps a mapping for its header row and collection, in place of what was kept for them before. Gives its name; none
    /// where the row has no headers.
    ///
    /// # Errors
    /// Where the file cannot be written, or others could change the folder.
    pub(crate) fn remember(&self, unsaved: &UnsavedMapping<'_>) -> Result<Option<String>> {
        let Some(fingerprint) = HeaderFingerprint::of(unsaved.header) else { return Ok(None) };
        let path = self.path_of(&fingerprint, unsaved.mapping.entity);
        state_file::create_folder_of(&path)
            .map_err(|source| RememberedMappingError::Folder { path: self.folder.display().to_string(), source })?;
        state_file::check_folder(&self.folder)?;
        let replaced = Some(self.path_of_earlier_version(&fingerprint))
            .filter(|path| path.exists())
            .filter(|path| read(path).map_or(true, |mapping| mapping.entity.name == unsaved.mapping.entity.name));
        let is_kept = |stored: &&StoredMapping| stored.path != path && Some(&stored.path) != replaced.as_ref();
        let stored = self.list()?;
        let name = unsaved.name(&fingerprint, |name| stored.iter().filter(is_kept).any(|stored| stored.name == name));
        let file = AtomicFile::create_for(&path, Access::private())?;
        let text = unsaved.to_text(&fingerprint, &name);
        file.as_file().write_all(text.as_bytes()).map_err(|source| WriteError::from_io(&path, source))?;
        file.commit()?;
        if let Some(path) = replaced {
            delete(&path)?;
        }
        Ok(Some(name))
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
            let mapping = read(&path);
            StoredMapping {
                name: mapping.as_ref().map_or_else(|_| stem(&path), |found| found.name.clone()),
                mapping,
                path,
            }
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
        Ok(delete(&found.path)?)
    }

    fn path_of(&self, fingerprint: &HeaderFingerprint, entity: &Entity) -> PathBuf {
        self.folder.join(format!("{}-{}", fingerprint.as_str(), entity.name)).with_extension(EXTENSION)
    }

    fn path_of_earlier_version(&self, fingerprint: &HeaderFingerprint) -> PathBuf {
        self.folder.join(fingerprint.as_str()).with_extension(EXTENSION)
    }
}

fn delete(path: &Path) -> Result<(), RememberedMappingError> {
    fs::remove_file(path)
        .map_err(|source| RememberedMappingError::Undeletable { path: path.display().to_string(), source })
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn read(path: &Path) -> Result<RememberedMapping, RememberedMappingError> {
    let stem = stem(path);
    let shown = || path.display().to_string();
    let unreadable = |source| RememberedMappingError::Unreadable { path: shown(), source };
    let damaged = |reason: String| RememberedMappingError::Damaged { path: shown(), name: stem.clone(), reason };
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
        return Err(damaged(String::from("too large for a mapping file")));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| damaged(String::from("it is not text")))?;
    let (fingerprint, entity) = stem.split_once('-').map_or((stem.as_str(), None), |(own, entity)| (own, Some(entity)));
    RememberedMapping::parse(&text, fingerprint, entity).map_err(damaged)
}
