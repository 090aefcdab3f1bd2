//! Where the files of an output stand, and how they appear together.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::super::{AtomicFile, WriteError};
use super::{OutputTarget, WrittenFile};

/// What a file's name cannot hold on one system or another.
const FORBIDDEN: &[char] = &['<', '>', ':', '"', '/', '\\', '|', '?', '*'];

/// Where the files of an output go. Dropped before [`OutputFiles::finish`], nothing of them is left, as long as no [`Sink`]
/// outlives it: a writer holds its sink in a field before its places.
pub(super) struct OutputFiles {
    destination: Destination,
    done: Vec<FinishedFile>,
    /// Backing for their end, and after the files: a folder can only go once they are gone, the inner ones first.
    folders: Vec<CreatedDir>,
}

enum Destination {
    /// The file waits for its table, and then the table's name stands for it.
    File(PathBuf, Option<AtomicFile>, String),
    Folder(FileNames),
    /// The writer waits for its table likewise.
    Stream(Option<Box<dyn Write + Send>>, String),
}

/// What a table is written to.
pub(super) enum Sink {
    File(AtomicFile),
    Stream(Box<dyn Write + Send>),
}

/// A file that is written and not yet in its destination; none for a stream.
struct FinishedFile {
    file: Option<AtomicFile>,
    tables: Vec<(String, u64)>,
}

impl OutputFiles {
    pub(super) fn open(target: &OutputTarget, extension: &'static str) -> Result<Self, WriteError> {
        let (folder, layout) = match target {
            OutputTarget::File(path) => {
                let destination = Destination::File(path.clone(), Some(AtomicFile::create(path)?), String::new());
                return Ok(Self { destination, done: Vec::new(), folders: Vec::new() });
            }
            OutputTarget::Folder(folder) => (folder.clone(), FolderLayout::Flat),
            OutputTarget::Partitioned { folder, day } => (folder.clone(), FolderLayout::Partitioned(*day)),
            OutputTarget::Stdout => return Ok(Self::to(Box::new(io::stdout()))),
        };
        let folders = Vec::from_iter(CreatedDir::make(&folder)?);
        let names = FileNames { folder, layout, extension, taken: HashSet::new() };
        Ok(Self { destination: Destination::Folder(names), done: Vec::new(), folders })
    }

    /// Everything goes to one stream.
    pub(super) fn to(stream: Box<dyn Write + Send>) -> Self {
        Self { destination: Destination::Stream(Some(stream), String::new()), done: Vec::new(), folders: Vec::new() }
    }

    /// Whether each table has a file of its own.
    pub(super) fn is_folder(&self) -> bool {
        matches!(self.destination, Destination::Folder(_))
    }

    /// What `table` is written to. One file takes one.
    pub(super) fn next(&mut self, table: &str) -> Result<Sink, WriteError> {
        let taken = |place: String, first: &str| WriteError::TablesInOne {
            place,
            first: first.to_owned(),
            second: table.to_owned(),
        };
        match &mut self.destination {
            Destination::File(path, file, first) => {
                let file = file.take().ok_or_else(|| taken(format!("`{}`", path.display()), first))?;
                *first = table.to_owned();
                Ok(Sink::File(file))
            }
            Destination::Folder(names) => {
                let path = names.claim(table);
                let made = path.parent().map(CreatedDir::make).transpose()?.flatten();
                self.folders.splice(..0, made);
                AtomicFile::create(&path).map(Sink::File)
            }
            Destination::Stream(stream, first) => {
                let stream = stream.take().ok_or_else(|| taken(String::from("standard output"), first))?;
                *first = table.to_owned();
                Ok(Sink::Stream(stream))
            }
        }
    }

    /// Takes back what was written file, with the rows of its tables.
    pub(super) fn add(&mut self, mut sink: Sink, tables: Vec<(String, u64)>) -> Result<(), WriteError> {
        sink.flush().map_err(|error| refused(sink.path(), error))?;
        let file = match sink {
            Sink::File(file) => Some(file),
            Sink::Stream(_) => None,
        };
        self.done.push(FinishedFile { file, tables });
        Ok(())
    }

    /// Puts all files into their places, once each of them is safe on the disk.
    pub(super) fn finish(mut self) -> Result<Vec<WrittenFile>, WriteError> {
        for file in self.done.iter_mut().filter_map(|done| done.file.as_mut()) {
            file.sync()?;
        }
        let mut written = Vec::with_capacity(self.done.len());
        for FinishedFile { file, tables } in self.done.drain(..) {
            let path = file.map(AtomicFile::commit).transpose()?;
            written.push(WrittenFile { path, tables });
        }
        Ok(written)
    }
}

/// What a refusal to write means for the file at `path`, or for the stream where there is none.
pub(super) fn refused(path: Option<&Path>, error: io::Error) -> WriteError {
    match path {
        Some(path) => WriteError::from_io(path, error),
        None => WriteError::Stdout { source: error },
    }
}

impl Sink {
    /// Where the file will stand; none for a stream.
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

/// A folder that was not there. It goes again where nothing came to stand in it.
struct CreatedDir {
    /// The outermost first.
    made: Vec<PathBuf>,
}

impl CreatedDir {
    fn make(folder: &Path) -> Result<Option<Self>, WriteError> {
        if folder.is_dir() {
            return Ok(None);
        }
        if folder.exists() {
            return Err(WriteError::NotFolder { folder: folder.to_owned() });
        }
        let missing = folder.ancestors().take_while(|part| !part.as_os_str().is_empty() && !part.exists());
        let mut made: Vec<_> = missing.map(Path::to_owned).collect();
        made.reverse();
        let made = Self { made };
        fs::create_dir_all(folder).map_err(|error| WriteError::from_io(folder, error))?;
        Ok(Some(made))
    }
}

impl Drop for CreatedDir {
    fn drop(&mut self) {
        // A folder that holds something stays: `remove_dir` refuses it.
        self.made.iter().rev().take_while(|folder| fs::remove_dir(folder).is_ok()).count();
    }
}

/// Where in a folder the file of a table stands.
enum FolderLayout {
    Flat,
    Partitioned(Date),
}

/// The names given out in one folder.
struct FileNames {
    folder: PathBuf,
    layout: FolderLayout,
    extension: &'static str,
    /// In lower case: to some systems names that differ only in case are one name.
    taken: HashSet<String>,
}

impl FileNames {
    /// The path of a table's file.
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
            // Lower case, as the names of collections are.
            FolderLayout::Partitioned(day) => self
                .folder
                .join(format!("collection={}", name.to_lowercase()))
                .join(format!("snapshot={day}"))
                .join(format!("part-0.{}", self.extension)),
        }
    }
}
