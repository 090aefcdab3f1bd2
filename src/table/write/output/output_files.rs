//! The files of an output: their paths, and how they appear together.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::super::{AtomicFile, FileSet, WriteError};
use super::table_writer::{OutputTarget, WrittenFile};
use crate::written_files::WrittenFiles;

/// Characters that one system or another does not allow in file names.
const FORBIDDEN: &[char] = &['<', '>', ':', '"', '/', '\\', '|', '?', '*'];

/// The files of an output. Dropped before [`OutputFiles::finish`], they leave nothing behind, provided that no [`Sink`]
/// outlives them: a writer declares its sink before its `OutputFiles`.
pub(super) struct OutputFiles {
    destination: Destination,
    /// The list that the files are to be on.
    list: Option<WrittenFiles>,
    set: FileSet,
    written: Vec<WrittenFile>,
    /// Removed on drop if empty, the innermost first. Declared last: the files in them must be gone by then.
    folders: Vec<CreatedDir>,
}

/// Where tables go. A file and a stream take one table, whose name is kept for the error about a second one.
enum Destination {
    Files { remaining: std::vec::IntoIter<AtomicFile>, last: (PathBuf, String) },
    Folder(FileNames),
    Stream { stream: Option<Box<dyn Write + Send>>, table: String },
}

/// What a table is written to.
pub(super) enum Sink {
    File(AtomicFile),
    Stream(Box<dyn Write + Send>),
}

/// The files that tables of these names will be written to; none for standard output.
pub(crate) fn planned_files<'t>(
    target: &OutputTarget,
    extension: &'static str,
    tables: impl Iterator<Item = &'t str>,
) -> Vec<PathBuf> {
    let (folder, layout) = match target {
        OutputTarget::File(path) => return vec![path.clone()],
        OutputTarget::Files(paths) => return paths.clone(),
        OutputTarget::Folder(folder) => (folder.clone(), FolderLayout::Flat),
        OutputTarget::Partitioned { folder, day } => (folder.clone(), FolderLayout::Partitioned(*day)),
        OutputTarget::Stdout => return Vec::new(),
    };
    let mut names = FileNames { folder, layout, extension, taken: HashSet::new() };
    tables.map(|table| names.claim(table)).collect()
}

impl OutputFiles {
    pub(super) fn open(target: &OutputTarget, extension: &'static str) -> Result<Self, WriteError> {
        let (folder, layout) = match target {
            OutputTarget::File(path) => return Self::open_files(std::slice::from_ref(path)),
            OutputTarget::Files(paths) => return Self::open_files(paths),
            OutputTarget::Folder(folder) => (folder.clone(), FolderLayout::Flat),
            OutputTarget::Partitioned { folder, day } => (folder.clone(), FolderLayout::Partitioned(*day)),
            OutputTarget::Stdout => return Ok(Self::to(crate::terminal::data_output())),
        };
        let folders = Vec::from_iter(CreatedDir::create(&folder)?);
        let names = FileNames { folder, layout, extension, taken: HashSet::new() };
        Ok(Self { folders, ..Self::new(Destination::Folder(names)) })
    }

    /// Puts the files on the list of written files when they are put in place.
    pub(super) fn listed_in(self, list: Option<&WrittenFiles>) -> Self {
        Self { list: list.cloned(), ..self }
    }

    fn open_files(paths: &[PathBuf]) -> Result<Self, WriteError> {
        let files = paths.iter().map(|path| AtomicFile::create(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(Destination::Files { remaining: files.into_iter(), last: Default::default() }))
    }

    /// Writes to one stream.
    pub(super) fn to(stream: Box<dyn Write + Send>) -> Self {
        Self::new(Destination::Stream { stream: Some(stream), table: String::new() })
    }

    fn new(destination: Destination) -> Self {
        Self { destination, list: None, set: FileSet::default(), written: Vec::new(), folders: Vec::new() }
    }

    /// Whether each table has a file of its own.
    pub(super) fn is_folder(&self) -> bool {
        matches!(self.destination, Destination::Folder(_))
    }

    /// What the next table is written to.
    ///
    /// # Errors
    /// [`WriteError::TablesInOne`] for the second table of a file or stream.
    pub(super) fn next(&mut self, name: &str) -> Result<Sink, WriteError> {
        let taken = |place: String, first: &str| WriteError::TablesInOne {
            place,
            first: first.to_owned(),
            second: name.to_owned(),
        };
        match &mut self.destination {
            Destination::Files { remaining, last: (path, table) } => {
                let file = remaining.next().ok_or_else(|| taken(format!("`{}`", path.display()), table))?;
                (*path, *table) = (file.path().to_owned(), name.to_owned());
                Ok(Sink::File(file.listed_in(self.list.as_ref())))
            }
            Destination::Folder(names) => {
                let path = names.claim(name);
                let created = path.parent().map(CreatedDir::create).transpose()?.flatten();
                self.folders.splice(..0, created);
                Ok(Sink::File(AtomicFile::create(&path)?.listed_in(self.list.as_ref())))
            }
            Destination::Stream { stream, table } => {
                let stream = stream.take().ok_or_else(|| taken(String::from("standard output"), table))?;
                *table = name.to_owned();
                Ok(Sink::Stream(stream))
            }
        }
    }

    /// Takes back a sink that has been written in full, with its tables and their numbers of rows.
    pub(super) fn add(&mut self, mut sink: Sink, tables: Vec<(String, u64)>) -> Result<(), WriteError> {
        sink.flush().map_err(|error| WriteError::from_output(sink.path(), error))?;
        self.written.push(WrittenFile { path: sink.path().map(Path::to_owned), tables });
        if let Sink::File(file) = sink {
            self.set.add(file);
        }
        Ok(())
    }

    /// Puts all files in place: all of them, or none.
    pub(super) fn finish(self) -> Result<Vec<WrittenFile>, WriteError> {
        self.set.commit()?;
        Ok(self.written)
    }
}

impl Sink {
    /// The path that the file will have; none for a stream.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Sink::File(file) => Some(file.path()),
            Sink::Stream(_) => None,
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::File(file) => file.write(bytes),
            Sink::Stream(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::File(file) => file.flush(),
            Sink::Stream(stream) => stream.flush(),
        }
    }
}

/// Folders that did not exist before. Those that are still empty are removed on drop.
struct CreatedDir {
    /// The outermost first.
    created: Vec<PathBuf>,
}

impl CreatedDir {
    fn create(folder: &Path) -> Result<Option<Self>, WriteError> {
        if folder.is_dir() {
            return Ok(None);
        }
        if folder.exists() {
            return Err(WriteError::NotFolder { folder: folder.to_owned() });
        }
        let missing = folder.ancestors().take_while(|part| !part.as_os_str().is_empty() && !part.exists());
        let mut created: Vec<_> = missing.map(Path::to_owned).collect();
        created.reverse();
        let created = Self { created };
        fs::create_dir_all(folder).map_err(|error| WriteError::from_folder(folder, error))?;
        Ok(Some(created))
    }
}

impl Drop for CreatedDir {
    fn drop(&mut self) {
        // `remove_dir` refuses a folder that is not empty.
        self.created.iter().rev().take_while(|folder| fs::remove_dir(folder).is_ok()).count();
    }
}

/// How files are arranged in the folder.
enum FolderLayout {
    Flat,
    Partitioned(Date),
}

/// The file names taken in one folder.
struct FileNames {
    folder: PathBuf,
    layout: FolderLayout,
    extension: &'static str,
    /// In lower case: some file systems do not distinguish case.
    taken: HashSet<String>,
}

impl FileNames {
    /// A free path for the file of `table`.
    fn claim(&mut self, table: &str) -> PathBuf {
        let is_forbidden = |char: char| char.is_control() || FORBIDDEN.contains(&char);
        let allowed: String = table.chars().map(|char| if is_forbidden(char) { '_' } else { char }).collect();
        let base = match allowed.trim_matches(['.', ' ']) {
            "" => "table",
            base => base,
        };
        let mut name = base.to_owned();
        let mut number = 2;
        while !self.taken.insert(name.to_lowercase()) {
            name = format!("{base} ({number})");
            number += 1;
        }
        match self.layout {
            FolderLayout::Flat => self.folder.join(format!("{name}.{}", self.extension)),
            // In lower case, like the names of collections.
            FolderLayout::Partitioned(day) => self
                .folder
                .join(format!("collection={}", name.to_lowercase()))
                .join(format!("snapshot={day}"))
                .join(format!("part-0.{}", self.extension)),
        }
    }
}
