//! Input files: a path, or stdin copied to a temporary file so that it can be read again.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::error::ReadFault;
use crate::paths::real_path;

/// What the user named as input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    Path(PathBuf),
    Stdin,
}

impl Input {
    /// `-` is stdin, anything else a path.
    pub(crate) fn from_arg(argument: &Path) -> Input {
        if argument == Path::new("-") { Input::Stdin } else { Input::Path(argument.to_path_buf()) }
    }

    /// What messages call it: the file as the user named it, or `stdin`.
    pub(crate) fn name(&self) -> String {
        match self {
            Input::Path(path) => path.display().to_string(),
            Input::Stdin => "stdin".into(),
        }
    }

    /// Its name without folders.
    pub(crate) fn file_name(&self) -> String {
        match self {
            Input::Path(path) => path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            Input::Stdin => "stdin".into(),
        }
    }

    /// The folder of the file, where its result goes. Nobody finds a file in the system's folder of devices and streams, such
    /// as `/dev/stdin` and the `/dev/fd/63` of a shell's `<(...)`: for these it is the current folder, as for stdin.
    pub(crate) fn folder(&self) -> PathBuf {
        match self {
            Input::Path(path) if !is_stream_of_system(path) => path.parent().map(Path::to_path_buf).unwrap_or_default(),
            Input::Path(_) | Input::Stdin => PathBuf::new(),
        }
    }

    /// Whether both are one file, however its path is written.
    pub(crate) fn is_same(&self, other: &Input) -> bool {
        match (self, other) {
            (Input::Path(one), Input::Path(other)) => match (real_path(one), real_path(other)) {
                (Some(one), Some(other)) => one == other,
                _ => one == other,
            },
            (one, other) => one == other,
        }
    }

    /// The file's name without folder and extension, to guess from what the file holds; `stdin` for streams.
    pub(crate) fn stem(&self) -> String {
        match self {
            Input::Path(path) if !is_stream_of_system(path) => {
                path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
            }
            Input::Path(_) | Input::Stdin => "stdin".into(),
        }
    }
}

/// Whether the path is that of a stream by which the system hands it over. `/dev/shm` is a folder for files like any other.
fn is_stream_of_system(path: &Path) -> bool {
    let is_of_system = path.starts_with("/dev") && !path.starts_with("/dev/shm");
    cfg!(unix) && (is_of_system || path.starts_with("/proc"))
}

/// An input that can be opened as often as wanted.
#[derive(Debug)]
pub(super) struct ReopenableInput {
    backing: Backing,
    /// In bytes.
    len: u64,
}

#[derive(Debug)]
enum Backing {
    /// The user's file, and when it was written last.
    Path(PathBuf, Option<SystemTime>),
    /// A file without a name: nobody else can open it, and nothing stays of it however this process ends.
    Spooled(Arc<File>),
}

/// An input opened once more, with a position of its own.
#[derive(Debug)]
pub(super) struct InputFile {
    file: Arc<File>,
    position: u64,
    /// In bytes.
    len: u64,
}

impl Read for InputFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = read_at(&self.file, buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for InputFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, position)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, position)
}

impl ReopenableInput {
    pub(super) fn new(input: &Input) -> Result<ReopenableInput, ReadFault> {
        let path = match input {
            Input::Stdin => return ReopenableInput::spool(&mut io::stdin().lock()),
            Input::Path(path) => path,
        };
        let metadata = std::fs::metadata(path).map_err(|error| missing(path, error))?;
        if metadata.is_dir() {
            return Err(if has_extension(path, "numbers") { NUMBERS_DOCUMENT } else { ReadFault::Directory });
        }
        if has_extension(path, "gsheet") {
            return Err(ReadFault::Foreign { what: "a link to a Google sheet", hint: DOWNLOAD_SHEET });
        }
        if is_lock_file(path) {
            return Err(ReadFault::LockFile);
        }
        if !metadata.is_file() {
            // A pipe, such as bash's `<(...)`: it can be read only once.
            return ReopenableInput::spool(&mut File::open(path)?);
        }
        Ok(ReopenableInput { backing: Backing::Path(path.clone(), metadata.modified().ok()), len: metadata.len() })
    }

    /// Copies a stream that can be read only once into a temporary file.
    ///
    /// It holds a company's inventory, so it has no name and is gone with this process, even if that is killed.
    pub(super) fn spool(stream: &mut dyn Read) -> Result<ReopenableInput, ReadFault> {
        let mut file = tempfile::tempfile()?;
        let len = io::copy(stream, &mut file)?;
        Ok(ReopenableInput { backing: Backing::Spooled(Arc::new(file)), len })
    }

    /// In bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// As [`ReopenableInput::open`], for those who have it open.
    pub(super) fn check_unchanged(&self) -> Result<(), ReadFault> {
        self.open().map(drop)
    }

    /// The input from its first byte.
    ///
    /// A file that is no longer the one that was opened first is refused: what is known of its encoding, sheets and
    /// headers would not hold for it.
    pub(super) fn open(&self) -> Result<InputFile, ReadFault> {
        let file = match &self.backing {
            Backing::Spooled(file) => Arc::clone(file),
            Backing::Path(path, modified) => {
                let file = File::open(path)?;
                let now = file.metadata()?;
                if now.len() != self.len || now.modified().ok() != *modified {
                    return Err(ReadFault::Changed);
                }
                Arc::new(file)
            }
        };
        Ok(InputFile { file, position: 0, len: self.len })
    }
}

/// Excel's owner file: `~$` and the workbook's name.
fn is_lock_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("~$"))
}

/// What older versions of Numbers save as a folder, and newer ones as a zip archive.
pub(super) const NUMBERS_DOCUMENT: ReadFault = ReadFault::Foreign {
    what: "an Apple Numbers document",
    hint: "export it from Numbers as .xlsx or .csv (File > Export To)",
};

const DOWNLOAD_SHEET: &str =
    "open it in the browser, download it with File > Download > Microsoft Excel (.xlsx), and name that file";

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

fn missing(path: &Path, error: io::Error) -> ReadFault {
    if let Some(address) = path.to_str().and_then(address) {
        return address;
    }
    // On Windows no file can have a name with `*` or `?` in it.
    if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename) {
        return error.into();
    }
    if is_in_icloud(path) {
        return ReadFault::NotDownloaded;
    }
    ReadFault::NotFound { near: near_names(path) }
}

/// Whether macOS has moved the file to iCloud: `.assets.xlsx.icloud` is in its place then.
fn is_in_icloud(path: &Path) -> bool {
    let placeholder = path.file_name().map(|name| format!(".{}.icloud", name.to_string_lossy()));
    placeholder.is_some_and(|placeholder| path.with_file_name(placeholder).is_file())
}

/// What an address that was given in place of a file is.
fn address(text: &str) -> Option<ReadFault> {
    let (scheme, rest) = match text.split_once(':') {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => (String::new(), text),
    };
    // Shells and libraries may have reduced `https://` to `https:/`.
    let rest = rest.trim_start_matches('/');
    let is_host = |prefix: &str| rest.to_ascii_lowercase().starts_with(prefix);
    let (what, hint) = match scheme.as_str() {
        "http" | "https" if is_host("docs.google.com/") || is_host("drive.google.com/") => {
            ("a link to a Google sheet", DOWNLOAD_SHEET.into())
        }
        "http" | "https" | "ftp" | "ftps" | "sftp" => {
            ("a web address", "download it, for example with the browser, and name the downloaded file".into())
        }
        "" if is_host("www.") || is_host("docs.google.com/") => {
            ("a web address", "download it, for example with the browser, and name the downloaded file".into())
        }
        "s3" | "s3a" | "gs" | "az" | "abfs" | "abfss" => {
            ("an address in a bucket", "download it with the tool of your cloud, and name the downloaded file".into())
        }
        "file" => ("a URL", format!("write its path: {}", file_path(text)).into()),
        _ => return None,
    };
    Some(ReadFault::Address { what, hint })
}

fn file_path(url: &str) -> String {
    let path = url::Url::parse(url).ok().and_then(|url| url.to_file_path().ok());
    path.map_or_else(|| url.trim_start_matches("file:").to_owned(), |path| path.display().to_string())
}

/// At most three files of the same folder whose names are nearest, as the user would write them.
fn near_names(path: &Path) -> Vec<String> {
    const ENOUGH_ALIKE: f64 = 0.85;
    let Some(wanted) = path.file_name().map(|name| name.to_string_lossy().to_lowercase()) else { return Vec::new() };
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut near: Vec<(f64, String)> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_dir()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .map(|name| (likeness(&wanted, &name.to_lowercase()), name))
        .filter(|(likeness, name)| *likeness >= ENOUGH_ALIKE && !name.starts_with("~$"))
        .collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    let as_written = |name: String| path.with_file_name(name).display().to_string();
    near.into_iter().take(3).map(|(_, name)| as_written(name)).collect()
}

/// From 0 to 1; the extension matters less than the name.
fn likeness(one: &str, other: &str) -> f64 {
    let stem = |name: &str| name.rsplit_once('.').map_or(name.to_owned(), |(stem, _)| stem.to_owned());
    strsim::jaro_winkler(one, other).max(0.99 * strsim::jaro_winkler(&stem(one), &stem(other)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_missing_file_suggests_its_neighbours() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("assets.xlsx"), "x").unwrap();
        std::fs::write(folder.path().join("people.csv"), "x").unwrap();
        let fault = ReopenableInput::new(&Input::Path(folder.path().join("asets.csv"))).unwrap_err();
        let ReadFault::NotFound { near } = fault else { panic!("{fault:?}") };
        assert_eq!(near, [folder.path().join("assets.xlsx").display().to_string()]);
    }

    #[test]
    fn a_file_in_icloud_is_not_taken_for_its_placeholder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".inventory.xlsx.icloud"), "x").unwrap();
        let fault = |name: &str| ReopenableInput::new(&Input::Path(folder.path().join(name))).unwrap_err();
        assert!(matches!(fault("inventory.xlsx"), ReadFault::NotDownloaded));
        assert!(matches!(fault("inventori.xlsx"), ReadFault::NotFound { .. }));
    }

    #[test]
    fn addresses_are_no_missing_files() {
        let what = |text: &str| match ReopenableInput::new(&Input::Path(PathBuf::from(text))).unwrap_err() {
            ReadFault::Address { what, .. } => what,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(what("https://docs.google.com/spreadsheets/d/1a/edit#gid=0"), "a link to a Google sheet");
        assert_eq!(what("HTTPS://example.com/assets.xlsx"), "a web address");
        assert_eq!(what("https:/example.com/assets.xlsx"), "a web address");
        assert_eq!(what("www.example.com/assets.csv"), "a web address");
        assert_eq!(what("s3://bucket/assets.csv"), "an address in a bucket");
        assert_eq!(what("file:///nowhere/assets.csv"), "a URL");
        for path in ["http.csv", "nowhere/https.csv", r"C:\nowhere\assets.csv"] {
            let fault = ReopenableInput::new(&Input::Path(PathBuf::from(path))).unwrap_err();
            assert!(matches!(fault, ReadFault::NotFound { .. }), "{path}: {fault:?}");
        }
    }

    #[test]
    fn documents_of_other_programs_go_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let (numbers, link) = (folder.path().join("a.numbers"), folder.path().join("a.gsheet"));
        std::fs::create_dir(&numbers).unwrap();
        std::fs::write(&link, r#"{"url": "https://docs.google.com/open?id=1"}"#).unwrap();
        for path in [numbers, link] {
            let fault = ReopenableInput::new(&Input::Path(path)).unwrap_err();
            assert!(matches!(fault, ReadFault::Foreign { .. }), "{fault:?}");
        }
    }

    #[test]
    fn folders_and_lock_files_are_named_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let fault = ReopenableInput::new(&Input::Path(folder.path().to_path_buf())).unwrap_err();
        assert!(matches!(fault, ReadFault::Directory));
        let lock = folder.path().join("~$assets.xlsx");
        std::fs::write(&lock, "x").unwrap();
        assert!(matches!(ReopenableInput::new(&Input::Path(lock)).unwrap_err(), ReadFault::LockFile));
    }

    #[test]
    fn a_file_that_grew_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "a\n1\n").unwrap();
        let source = ReopenableInput::new(&Input::Path(path.clone())).unwrap();
        assert!(source.open().is_ok());
        std::fs::write(&path, "a\n1\n2\n").unwrap();
        assert!(matches!(source.open().unwrap_err(), ReadFault::Changed));
    }

    #[test]
    fn a_stream_can_be_read_twice() {
        let source = ReopenableInput::spool(&mut &b"a,b\n"[..]).unwrap();
        for _ in 0..2 {
            let mut text = String::new();
            source.open().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "a,b\n");
        }
        assert_eq!(source.len(), 4);
        // Each has a position of its own.
        let (mut one, mut other) = (source.open().unwrap(), source.open().unwrap());
        let mut bytes = [0; 2];
        one.seek(SeekFrom::End(-2)).unwrap();
        one.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"b\n");
        other.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"a,");
        assert!(other.seek(SeekFrom::Current(-3)).is_err());
    }

    #[test]
    fn names_and_stems() {
        let input = Input::from_arg(Path::new("exports/assets 2024.csv"));
        assert_eq!(input.stem(), "assets 2024");
        assert_eq!(Input::from_arg(Path::new("-")), Input::Stdin);
        assert_eq!(Input::Stdin.name(), "stdin");
        for (path, folder, stem) in [("in/assets.csv", "in", "assets"), ("/dev/shm/a.csv", "/dev/shm", "a")] {
            let input = Input::from_arg(Path::new(path));
            assert_eq!((input.folder(), input.stem().as_str()), (PathBuf::from(folder), stem));
        }
        #[cfg(unix)]
        for path in ["/dev/stdin", "/dev/fd/63", "/proc/self/fd/0", "-"] {
            let input = Input::from_arg(Path::new(path));
            assert_eq!((input.folder(), input.stem().as_str()), (PathBuf::new(), "stdin"), "{path}");
        }
    }
}
