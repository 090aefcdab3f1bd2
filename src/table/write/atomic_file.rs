//! A file that appears whole or not at all.
//!
//! What is no regular file (a device, a pipe, `/dev/stdout`) is not replaced: the complete content is written into it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use super::error::WriteError;
use crate::paths::plain_path;
#[cfg(unix)]
use crate::state_file::own_user;
use crate::temporary_file;
use crate::written_files::WrittenFiles;

/// What the names of temporary files end with.
const PART: &str = ".part";
/// What the names of the second names of files end with that a set of files is about to replace.
pub(super) const PREVIOUS: &str = ".previous";
/// A name with a number that is free is looked for up to this one, and so many of them are tried.
const MAX_NUMBER: u32 = 100;
const MAX_NUMBERED: usize = 8;
/// How long a process may take to lock the temporary file that it has created.
const LOCK_DELAY: Duration = Duration::from_millis(100);

/// A file that is written under a temporary name in its folder and renamed at the end. It keeps the permissions, owner
/// and group of the file that it replaces, as far as the system allows.
///
/// A file that [`AtomicFile::listed_in`] a list of written files replaces only what that list allows at the time of the
/// rename: the work may have taken hours, in which somebody may have edited what was there.
///
/// Dropped before [`AtomicFile::commit`], it is removed, and a file that was at its path stays as it is.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    path: PathBuf,
    file: NamedTempFile,
    placement: Placement,
    /// The list that the file is to be on, which says what it may replace.
    list: Option<WrittenFiles>,
}

/// How the content comes to its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placement {
    Rename,
    /// The content is copied into a device or pipe.
    CopyInto,
}

/// Who may read a new file, as permission bits of Unix: what the process's umask allows, and no more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Access(u32);

impl Default for Access {
    /// An ordinary file.
    fn default() -> Self {
        Self(0o666)
    }
}

impl Access {
    /// For this user only.
    pub(crate) fn private() -> Self {
        Self(0o600)
    }

    /// For those who may read all these files. One that is not there, such as standard input, does not count.
    pub(crate) fn common_to<'a>(files: impl IntoIterator<Item = &'a Path>) -> Self {
        #[cfg(unix)]
        let access_to = |path: &Path| fs::metadata(path).ok().map(|found| std::os::unix::fs::MetadataExt::mode(&found));
        // A new file has the access list of its folder.
        #[cfg(not(unix))]
        let access_to = |_: &Path| None;
        let all = files.into_iter().filter_map(access_to);
        // The owner may write to the new file, even if it is made from one that is write-protected.
        Self(all.fold(0o666, |common, mode: u32| common & mode) | 0o600)
    }
}

impl AtomicFile {
    /// Creates the temporary file for `path`. What would make [`AtomicFile::commit`] fail fails here, before the work.
    pub(crate) fn create(path: &Path) -> Result<Self, WriteError> {
        Self::create_for(path, Access::default())
    }

    /// As [`AtomicFile::create`]; a file that is not there yet is for those whom `access` names.
    pub(crate) fn create_for(path: &Path, access: Access) -> Result<Self, WriteError> {
        refuse_links_of_others(path)?;
        if is_special(path) {
            let file = tempfile::Builder::new().prefix("tallyport-").tempfile();
            let file = file.map_err(WriteError::temporary)?;
            return Ok(Self { path: path.to_owned(), file, placement: Placement::CopyInto, list: None });
        }
        let path = behind_link(path)?;
        let folder = folder_of(&path);
        if !folder.is_dir() {
            return Err(WriteError::FolderMissing { folder: folder.to_owned(), path });
        }
        try_target(&path)?;
        let file = temporary(&path, folder, access).map_err(|error| WriteError::from_io(&path, error))?;
        Ok(Self { path, file, placement: Placement::Rename, list: None })
    }

    /// Puts the file on the list of written files when it is renamed, so that it is known even if this process is killed
    /// right after.
    pub(crate) fn listed_in(mut self, list: Option<&WrittenFiles>) -> Self {
        self.list = list.cloned();
        self
    }

    /// Whether a file at the path is replaced. What is no regular file is written into instead.
    pub(super) fn is_replacing(&self) -> bool {
        self.placement == Placement::Rename
    }

    /// The path that the file will have.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the file: `.` if the path names none.
    pub(crate) fn folder(&self) -> &Path {
        folder_of(&self.path)
    }

    /// The open file, for writers that need to seek.
    pub(crate) fn as_file(&self) -> &File {
        self.file.as_file()
    }

    /// Syncs the file to disk under its temporary name and checks its destination again, so that the rename of
    /// [`AtomicFile::commit`] is unlikely to fail.
    pub(crate) fn sync(&mut self) -> Result<(), WriteError> {
        let durable = self.file.flush().and_then(|()| self.file.as_file().sync_all());
        durable.map_err(|error| WriteError::from_io(&self.path, error))?;
        if !self.is_replacing() {
            return Ok(());
        }
        try_target(&self.path)?;
        self.check_replaced(&self.path)
    }

    /// Finds out whether what is at `path` now may be replaced.
    fn check_replaced(&self, path: &Path) -> Result<(), WriteError> {
        let Some(list) = &self.list else { return Ok(()) };
        Ok(list.check(&[path.to_path_buf()])?)
    }

    /// Syncs the file to disk and renames it to its path.
    pub(crate) fn commit(self) -> Result<PathBuf, WriteError> {
        let path = self.path.clone();
        self.persist(&path).map_err(|refused| refused.error)
    }

    /// As [`AtomicFile::commit`]; where the place is taken by a file that another program holds open, or that must not
    /// be replaced, the file stands beside it as `name (2).xlsx`, or with the next number that is free. Gives back where it
    /// stands.
    pub(crate) fn commit_or_numbered(self) -> Result<PathBuf, WriteError> {
        let path = self.path.clone();
        let mut refused = match self.persist(&path) {
            Ok(path) => return Ok(path),
            Err(refused) => *refused,
        };
        let free = (2..MAX_NUMBER).map(|number| numbered(&path, number)).filter(|path| !path.exists());
        let mut free = free.take(MAX_NUMBERED);
        while refused.error.is_about_the_name()
            && let (Some(whole), Some(path)) = (refused.whole.take(), free.next())
        {
            match whole.persist(&path) {
                Ok(path) => return Ok(path),
                Err(again) => refused.whole = again.whole,
            }
        }
        Err(refused.error)
    }

    /// Renames to `path`, or gives the file back with the reason.
    fn persist(mut self, path: &Path) -> Result<PathBuf, Box<FailedRename>> {
        let durable = self.file.flush().and_then(|()| self.file.as_file().sync_all());
        if let Err(error) = durable {
            return Err(Box::new(FailedRename { error: WriteError::from_io(path, error), whole: None }));
        }
        if self.placement == Placement::CopyInto {
            return match copy_into(self.file.as_file_mut(), path) {
                Ok(()) => Ok(written(path)),
                Err(error) => Err(Box::new(FailedRename { error: WriteError::from_io(path, error), whole: None })),
            };
        }
        if let Err(error) = self.check_replaced(path) {
            return Err(Box::new(FailedRename { error, whole: Some(self) }));
        }
        if let Some(list) = &self.list {
            list.announce(path, self.file.path());
        }
        let (file, name) = self.file.into_parts();
        match temporary_file::put_in_place(name, path) {
            Ok(()) => {
                sync_folder(folder_of(path));
                if let Some(list) = &self.list {
                    list.confirm(path);
                }
                Ok(written(path))
            }
            Err(refused) => {
                let error = WriteError::from_rename(path, refused.error);
                let file = NamedTempFile::from_parts(file, refused.path);
                Err(Box::new(FailedRename { error, whole: Some(Self { file, ..self }) }))
            }
        }
    }
}

/// The path of a file that is in place now.
fn written(path: &Path) -> PathBuf {
    tracing::info!(file = %path.display(), "wrote");
    path.to_owned()
}

/// A rename that failed, and the file that still has its temporary name.
struct FailedRename {
    error: WriteError,
    /// None if the file itself is incomplete.
    whole: Option<AtomicFile>,
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Follows a symbolic link: a rename would replace the link instead of the file it points to.
fn behind_link(path: &Path) -> Result<PathBuf, WriteError> {
    if !path.is_symlink() {
        return Ok(path.to_owned());
    }
    fs::canonicalize(path).map(plain_path).map_err(|error| match fs::read_link(path) {
        Ok(target) if error.kind() == io::ErrorKind::NotFound => {
            WriteError::DanglingLink { link: path.to_owned(), target }
        }
        _ => WriteError::from_io(path, error),
    })
}

/// Refuses a path that leads through a link which another user made: it may lead to any file that this user can
/// replace. In a folder that everybody can write to, the same goes for a file that another user made there: it would
/// keep that owner, who could read it, or be a pipe that they read.
#[cfg(unix)]
fn refuse_links_of_others(path: &Path) -> Result<(), WriteError> {
    use std::os::unix::fs::MetadataExt;
    let is_of_other = |found: &Metadata| found.uid() != 0 && found.uid() != own_user();
    for part in path.ancestors().filter(|part| !part.as_os_str().is_empty()) {
        if fs::symlink_metadata(part).is_ok_and(|found| found.is_symlink() && is_of_other(&found)) {
            return Err(WriteError::LinkOfOther { path: path.to_owned(), link: part.to_owned() });
        }
    }
    let is_open_folder = fs::metadata(folder_of(path)).is_ok_and(|folder| folder.mode() & 0o002 != 0);
    if is_open_folder && fs::metadata(path).is_ok_and(|found| !found.is_dir() && is_of_other(&found)) {
        return Err(WriteError::FileOfOther { path: path.to_owned() });
    }
    Ok(())
}

/// On Windows only administrators make links.
#[cfg(not(unix))]
fn refuse_links_of_others(_: &Path) -> Result<(), WriteError> {
    Ok(())
}

/// Whether there is something at the path that is neither a regular file nor a folder. What lies in `/dev` and `/proc`
/// counts as well: `/dev/stdout` is a link to the file that a shell has opened, which must not be replaced either. Of the
/// null device of Windows the system tells nothing.
fn is_special(path: &Path) -> bool {
    if cfg!(windows) && path.as_os_str().eq_ignore_ascii_case("nul") {
        return true;
    }
    let is_of_system = cfg!(unix) && (path.starts_with("/dev") || path.starts_with("/proc"));
    fs::metadata(path).is_ok_and(|found| !found.is_dir() && (!found.is_file() || is_of_system))
}

/// Writes the whole content of a file into a device or pipe.
fn copy_into(content: &mut File, path: &Path) -> io::Result<()> {
    content.rewind()?;
    let mut target = open_special(path)?;
    io::copy(content, &mut target)?;
    target.flush()
}

/// Opens a device or pipe. A named pipe that no program reads would block forever: it is tried for a while.
#[cfg(unix)]
fn open_special(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
    use std::time::Instant;
    /// How long to wait for a program that reads a named pipe.
    const READER_WAIT: Duration = Duration::from_secs(10);
    let mut options = OpenOptions::new();
    options.write(true);
    if !fs::metadata(path)?.file_type().is_fifo() {
        return options.open(path);
    }
    let mut without_waiting = options.clone();
    without_waiting.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let give_up = Instant::now() + READER_WAIT;
    loop {
        match without_waiting.open(path) {
            // While this one is open, the other is opened at once; it waits for a slow reader, as it should.
            Ok(_reader_is_there) => return options.open(path),
            Err(_) if Instant::now() < give_up => std::thread::sleep(Duration::from_millis(20)),
            Err(_) => return Err(io::Error::new(io::ErrorKind::BrokenPipe, "no program reads this pipe")),
        }
    }
}

#[cfg(not(unix))]
fn open_special(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Checks that a file at `path` may be replaced: it is not a folder, not write-protected, not open in Excel.
fn try_target(path: &Path) -> Result<(), WriteError> {
    if path.is_dir() {
        return Err(WriteError::IsFolder { path: path.to_owned() });
    }
    if !path.exists() {
        return Ok(());
    }
    OpenOptions::new().append(true).open(path).map(drop).map_err(|error| WriteError::from_io(path, error))
}

/// The name begins with a dot and the target's name, so that a leftover is hidden and shows where it came from.
fn temporary(path: &Path, folder: &Path, access: Access) -> io::Result<NamedTempFile> {
    let prefix = hidden_prefix(path);
    remove_leftovers(folder, &prefix);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(PART);
    let previous = fs::metadata(path).ok();
    if previous.is_none() {
        allow(&mut builder, access);
    }
    let file = temporary_file::create(&builder, folder)?;
    // Held until the file has its name: a temporary file that nobody has locked is a leftover. On Windows, where nobody
    // removes leftovers, a lock would keep this process from reading its own file by its name.
    if cfg!(unix)
        && let Err(error) = file.as_file().try_lock()
    {
        tracing::debug!(%error, "cannot lock the temporary file");
    }
    if let Some(previous) = previous {
        keep_access(file.as_file(), &previous);
    }
    Ok(file)
}

/// Temporary files are private by default; a new one becomes a file that colleagues may read.
#[cfg(unix)]
fn allow(builder: &mut tempfile::Builder<'_, '_>, access: Access) {
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(access.0));
}

/// On Windows a new file has the access list of its folder.
#[cfg(not(unix))]
fn allow(_: &mut tempfile::Builder<'_, '_>, _: Access) {}

/// What the names of the files begin with that stand beside the target while it is written.
pub(super) fn hidden_prefix(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    format!(".{}.", stem.chars().take(40).collect::<String>())
}

/// Removes the temporary files, and the second names of replaced files, that killed processes left beside the same target.
/// They are not locked, unlike those of another run that is writing now. On Windows no temporary file is locked, so there
/// they stay.
fn remove_leftovers(folder: &Path, prefix: &str) {
    if !cfg!(unix) {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let rest = name.strip_prefix(prefix);
        let random = rest.and_then(|rest| rest.strip_suffix(PART).or_else(|| rest.strip_suffix(PREVIOUS)));
        let is_ours =
            random.is_some_and(|random| random.len() == 6 && random.bytes().all(|b| b.is_ascii_alphanumeric()));
        if is_ours
            && entry.file_type().is_ok_and(|kind| kind.is_file())
            && is_old(&entry)
            && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())
        {
            let removed = fs::remove_file(entry.path());
            tracing::debug!(file = name, ?removed, "removed what a killed run left");
        }
    }
}

/// Whether the file was not created in this moment, by a process that has not locked it yet.
fn is_old(entry: &fs::DirEntry) -> bool {
    let created = entry.metadata().and_then(|found| found.created().or_else(|_| found.modified()));
    created.is_ok_and(|created| created.elapsed().is_ok_and(|age| age > LOCK_DELAY))
}

/// Gives the file the owner, group and permissions of the one that it will replace, as far as this user may.
#[cfg(unix)]
fn keep_access(file: &File, previous: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    // The group is often allowed where the owner is not. Permissions last: a new owner would clear some of them.
    let has_owner = fchown(file, Some(previous.uid()), Some(previous.gid())).is_ok();
    let has_group = has_owner || fchown(file, None, Some(previous.gid())).is_ok();
    let mut permissions = previous.permissions();
    if !has_group {
        // Another group must not read what this group could.
        use std::os::unix::fs::PermissionsExt;
        permissions.set_mode(permissions.mode() & !0o070 | (permissions.mode() & 0o007) << 3);
    }
    if let Err(error) = file.set_permissions(permissions) {
        tracing::debug!(%error, "cannot keep the permissions of the replaced file");
    }
}

#[cfg(not(unix))]
fn keep_access(_: &File, _: &Metadata) {}

/// `assets.result (2).xlsx` for `assets.result.xlsx`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem} ({number}){extension}"))
}

/// Makes the rename itself durable. Only Unix can open a folder; elsewhere the system sees to it.
pub(super) fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests;
