//! Where the result of a run is written.

use std::fs::OpenOptions;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::plan::ReportMode;
use crate::report::ResultFile;
use crate::run::input::{InputSet, OutputFile};
use crate::run::journal::{RunKind, SheetHeader};
use crate::state_file::{self, LockFile};
use crate::table::Input;
use crate::table::write::Access;
use crate::written_files::WrittenFiles;

/// Where a run's result is written.
#[derive(Debug, Clone)]
pub(crate) struct ResultPath {
    path: PathBuf,
    /// Who may read the input: others than those must not read the result.
    access: Access,
    /// The list of written files, if there is one: the result is on it from the moment it has its name.
    list: Option<WrittenFiles>,
    /// Held so that no other run writes there.
    _reservation: Option<Arc<Reservation>>,
}

impl ResultPath {
    pub(crate) fn as_path(&self) -> &Path {
        &self.path
    }

    /// Finds out whether the file can be begun, and leaves nothing behind: a run whose result cannot be written leaves
    /// no journal either.
    pub(crate) fn check_writable(&self) -> Result<()> {
        self.create(ReportMode::Done).map(drop)
    }

    /// Begins the file.
    pub(crate) fn create(&self, mode: ReportMode) -> Result<ResultFile> {
        Ok(ResultFile::create(self.as_path(), mode, self.access)?.listed_in(self.list.as_ref()))
    }

    /// A result that is put on this list, and replaces only what the list allows.
    pub(crate) fn listed_in(self, list: Option<WrittenFiles>) -> Self {
        Self { list, ..self }
    }

    /// A result of these files, which only those may read who may read all of them.
    pub(crate) fn made_from<'a>(self, files: impl IntoIterator<Item = &'a Path>) -> Self {
        Self { access: Access::common_to(files), ..self }
    }

    /// The result of a run. It follows the run's inputs; an undo has none, and shows what only its journals have told.
    pub(crate) fn of_run(path: PathBuf, kind: RunKind, sheets: &[SheetHeader]) -> Result<Self> {
        if kind == RunKind::Apply {
            require_xlsx(OutputFile::Result.flag(), &path)?;
        }
        // The sheets as the user has them.
        let own = sheets.iter().filter(|sheet| sheet.owner.is_none());
        let result = Self::new(path, own.count())?;
        Ok(match kind {
            RunKind::Undo => Self { access: Access::private(), ..result },
            _ => result.made_from(sheets.iter().map(|sheet| Path::new(&sheet.file))),
        })
    }
}

/// The path the user asked for, else one beside the input that is not taken. The result of a dry run gives way to the next
/// one, unless somebody has edited it. That of a run, which tells what was done, is never overwritten.
///
/// # Errors
/// Where the folder does not exist or the kind of file is not one a result can be: known before anything is sent.
pub(crate) fn result_path(asked: Option<&Path>, input: &InputSet, state_dir: Option<&Path>) -> Result<ResultPath> {
    let (path, reservation) = match asked {
        Some(path) => (path.to_path_buf(), state_dir.and_then(|folder| Reservation::of(path, folder))),
        None => reserved_path_beside(input, "result", state_dir),
    };
    if asked.is_some() && state_dir.is_some() && reservation.is_none() {
        return Err(Error::usage(
            format!("another run is writing its result to `{}`", path.display()),
            "name another file with --result, or wait until that run has ended",
        ));
    }
    input.protected.check(OutputFile::Result, &path)?;
    let path = ResultPath::new(path, input.sheet_count())?.made_from(input.paths());
    Ok(ResultPath { _reservation: reservation.map(Arc::new), ..path })
}

impl ResultPath {
    /// A place for the result of so many sheets.
    pub(crate) fn new(path: PathBuf, sheets: usize) -> Result<Self> {
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if is_csv && sheets > 1 {
            let what = format!("a .csv result holds one sheet, and there are {sheets}");
            return Err(Error::usage(what, "name a .xlsx file with --result"));
        }
        let folder = folder_of(&path);
        if !folder.is_dir() {
            return Err(Error::usage(
                format!("folder not found: `{}`; the result cannot be written there", folder.display()),
                "make the folder, or name another place with --result",
            ));
        }
        if path.is_dir() {
            return Err(Error::usage(
                format!("`{}` is a folder: the result cannot be written there", path.display()),
                "name a file with --result",
            ));
        }
        Ok(Self { path, access: Access::default(), list: None, _reservation: None })
    }
}

/// Refuses a name that does not tell that the file is a workbook.
pub(super) fn require_xlsx(flag: &str, path: &Path) -> Result<()> {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx")) {
        return Ok(());
    }
    Err(Error::usage(
        format!("{flag} must name an .xlsx file, got `{}`", path.display()),
        format!("name a .xlsx file with {flag}"),
    ))
}

/// A place beside the input that is not taken: `NAME.result.xlsx`, `NAME.backup.xlsx`.
pub(crate) fn free_path_beside(input: &InputSet, kind: &str) -> PathBuf {
    reserved_path_beside(input, kind, None).0
}

/// As [`free_path_beside`], reserved from now on where there is a state folder for that.
fn reserved_path_beside(input: &InputSet, kind: &str, state_dir: Option<&Path>) -> (PathBuf, Option<Reservation>) {
    let first = &input.files[0].input;
    let (folder, stem) = (first.folder(), first.stem());
    let is_input = |path: &Path| input.files.iter().any(|file| file.input.is_same(&Input::Path(path.to_path_buf())));
    free_path(&folder, without_result_suffix(&stem), kind, |path| take_free(path, state_dir, &is_input))
}

/// `NAME.result.xlsx`, or the first `NAME.result-2.xlsx` and so on that is not taken.
pub(crate) fn free_path_in(folder: &Path, name: &str) -> PathBuf {
    free_path(folder, name, "result", |path| take_free(path, None, &|_| false)).0
}

/// File systems take names of 255 bytes; what is appended must fit as well.
const MAX_STEM_BYTES: usize = 220;

type TakenPath = (PathBuf, Option<Reservation>);

fn free_path(folder: &Path, name: &str, kind: &str, take: impl Fn(PathBuf) -> Option<TakenPath>) -> TakenPath {
    let name = &name[..name.floor_char_boundary(MAX_STEM_BYTES)];
    let numbered = (2..).map(|number| folder.join(format!("{name}.{kind}-{number}.xlsx")));
    std::iter::once(folder.join(format!("{name}.{kind}.xlsx")))
        .chain(numbered)
        .find_map(take)
        .unwrap_or_else(|| (folder.join(format!("{kind}.xlsx")), None))
}

/// The path, if no file is there that has to stay, and no other run will write one.
fn take_free(path: PathBuf, state_dir: Option<&Path>, is_input: &dyn Fn(&Path) -> bool) -> Option<TakenPath> {
    // A link to nothing takes the name, too.
    let is_there = || path.exists() || path.is_symlink();
    let Some(state_dir) = state_dir else { return (!is_there()).then_some((path, None)) };
    let is_free = || !is_there() || (!is_input(&path) && is_replaceable(&path, state_dir));
    let reservation = is_free().then(|| Reservation::of(&path, state_dir)).flatten()?;
    // Another run may have written it and ended in between.
    is_free().then_some((path, Some(reservation)))
}

/// Whether the file is the result of a rehearsal, as it was written, and no program has it open in a way that keeps it
/// from being replaced.
fn is_replaceable(path: &Path, state_dir: &Path) -> bool {
    WrittenFiles::new(state_dir).is_rehearsal(path) && OpenOptions::new().write(true).open(path).is_ok()
}

/// A file name that belongs to this process until it is dropped: a locked file in the state folder. A file in the place
/// of the result itself would stay there, empty, if the process was killed.
#[derive(Debug)]
struct Reservation(#[expect(dead_code, reason = "held for its lock")] Option<LockFile>);

impl Reservation {
    /// None if another process has it.
    fn of(path: &Path, state_dir: &Path) -> Option<Self> {
        let mut hasher = DefaultHasher::new();
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let folder = absolute.parent().and_then(|folder| folder.canonicalize().ok());
        folder.zip(absolute.file_name()).hash(&mut hasher);
        let place = state_dir.join("results").join(format!("{:016x}", hasher.finish()));
        // Without a state folder nothing can be reserved; the run will say what is wrong with it.
        let lock = state_file::create_folder_of(&place).and_then(|()| LockFile::of(&place));
        match lock.and_then(|lock| Ok((lock.try_lock()?, lock))) {
            Ok((true, lock)) => Some(Self(Some(lock))),
            Ok((false, _)) => None,
            Err(_) => Some(Self(None)),
        }
    }
}

/// `assets.result-2` is a result of `assets`.
fn without_result_suffix(stem: &str) -> &str {
    match stem.rsplit_once(".result") {
        Some((base, rest))
            if rest.is_empty() || rest.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok()) =>
        {
            base
        }
        _ => stem,
    }
}

/// The folder a result goes to must exist before anything is sent.
fn folder_of(path: &Path) -> PathBuf {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}
