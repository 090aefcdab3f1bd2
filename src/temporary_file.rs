//! Files that are written under a temporary name and then given their own, on every system.
//!
//! [`tempfile`] marks a named file as temporary on Windows, and takes the mark off and renames it by calls that know no
//! path of 260 characters or more. The standard library has no such limit, so on Windows we create and rename by it.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use tempfile::{Builder, NamedTempFile, PathPersistError, TempPath};

/// How long to wait between attempts to replace a file that another program has open: in all less than a second.
/// Virus scanners, the search index and synchronized folders hold a file for a moment after it was written.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
];

/// Creates a file in `folder` that [`put_in_place`] can rename. It is removed on drop.
pub(crate) fn create(builder: &Builder, folder: &Path) -> io::Result<NamedTempFile> {
    if cfg!(windows) {
        builder.make_in(folder, |path| OpenOptions::new().read(true).write(true).create_new(true).open(path))
    } else {
        builder.tempfile_in(folder)
    }
}

/// Renames a temporary file to `path` and replaces what is there. If it fails, the name is given back.
pub(crate) fn put_in_place(mut name: TempPath, path: &Path) -> Result<(), PathPersistError> {
    match retry_while(is_held_open, || fs::rename(&name, path), thread::sleep) {
        Ok(()) => {
            // The name is free now, and may soon be that of another file.
            name.disable_cleanup(true);
            Ok(())
        }
        Err(error) => Err(PathPersistError { error, path: name }),
    }
}

/// As [`put_in_place`], but a file that is there stays, and the error is [`io::ErrorKind::AlreadyExists`].
pub(crate) fn put_in_free_place(name: TempPath, path: &Path) -> Result<(), PathPersistError> {
    if cfg!(windows) { claim_and_replace(name, path) } else { name.persist_noclobber(path) }
}

/// The standard library cannot rename without replacing: an empty file claims the place, and is replaced.
fn claim_and_replace(name: TempPath, path: &Path) -> Result<(), PathPersistError> {
    if let Err(error) = OpenOptions::new().write(true).create_new(true).open(path) {
        return Err(PathPersistError { error, path: name });
    }
    put_in_place(name, path).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

/// Whether a file could not be replaced because a program has it open: `ERROR_ACCESS_DENIED`,
/// `ERROR_SHARING_VIOLATION` and `ERROR_LOCK_VIOLATION` of Windows. Other systems replace open files.
fn is_held_open(error: &io::Error) -> bool {
    cfg!(windows) && matches!(error.raw_os_error(), Some(5 | 32 | 33))
}

/// Tries again after a pause as long as it fails for a reason that may pass, up to as often as there are [`PAUSES`].
fn retry_while(
    may_pass: impl Fn(&io::Error) -> bool,
    mut attempt: impl FnMut() -> io::Result<()>,
    mut sleep: impl FnMut(Duration),
) -> io::Result<()> {
    for pause in PAUSES {
        match attempt() {
            Err(error) if may_pass(&error) => sleep(pause),
            ended => return ended,
        }
    }
    attempt()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::PathBuf;

    use super::*;

    /// How a rename ends that fails `failures` times, and how often it was tried and how long was waited.
    fn ending(failures: usize, kind: io::ErrorKind) -> (bool, usize, Duration) {
        let (mut attempts, mut waited) = (0, Duration::ZERO);
        let attempt = || {
            attempts += 1;
            if attempts <= failures { Err(kind.into()) } else { Ok(()) }
        };
        let may_pass = |error: &io::Error| error.kind() == io::ErrorKind::ResourceBusy;
        let ended = retry_while(may_pass, attempt, |pause| waited += pause);
        (ended.is_ok(), attempts, waited)
    }

    #[test]
    fn a_file_that_is_held_for_a_moment_is_replaced_after_it() {
        use io::ErrorKind::{PermissionDenied, ResourceBusy};
        assert_eq!(ending(0, ResourceBusy), (true, 1, Duration::ZERO));
        assert_eq!(ending(2, ResourceBusy), (true, 3, Duration::from_millis(70)));
        assert_eq!(ending(5, ResourceBusy), (true, 6, Duration::from_millis(770)));
        assert_eq!(ending(6, ResourceBusy), (false, 6, Duration::from_millis(770)), "held for long");
        assert_eq!(ending(1, PermissionDenied), (false, 1, Duration::ZERO), "not for that reason");
    }

    fn temporary(folder: &Path) -> TempPath {
        let file = create(&Builder::new(), folder).unwrap();
        fs::write(file.path(), "new").unwrap();
        file.into_temp_path()
    }

    fn names(folder: &Path) -> Vec<PathBuf> {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_the_temporary_name_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for _ in 0..2 {
            put_in_place(temporary(folder.path()), &path).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "new");
            assert_eq!(names(folder.path()), [path.as_path()]);
        }
        fs::create_dir_all(folder.path().join("b/full")).unwrap();
        let refused = put_in_place(temporary(folder.path()), &folder.path().join("b")).unwrap_err();
        assert!(refused.path.exists());
        drop(refused);
        assert_eq!(names(folder.path()), [path, folder.path().join("b")]);
    }

    #[test]
    fn only_a_free_place_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        for (place, put) in [("a", claim_and_replace as fn(_, &_) -> _), ("b", put_in_free_place)] {
            let path = folder.path().join(place);
            put(temporary(folder.path()), &path).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "new");
            fs::write(&path, "mine").unwrap();
            let refused = put(temporary(folder.path()), &path).unwrap_err();
            assert_eq!(refused.error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        }
        assert_eq!(names(folder.path()), [folder.path().join("a"), folder.path().join("b")]);
    }
}
