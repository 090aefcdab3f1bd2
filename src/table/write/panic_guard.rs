//! The workbook writer panics where its temporary file cannot be written. A full disk is not a bug: this turns it
//! into an error, and keeps the panic's message off the terminal.

use std::any::Any;
use std::cell::Cell;
use std::io::{Error, ErrorKind};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;

use rust_xlsxwriter::XlsxError;

use super::WriteError;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` of the workbook writer for the file at `path`. After an error the workbook must not be used again.
pub(crate) fn catch_write_panic<T>(path: &Path, work: impl FnOnce() -> Result<T, XlsxError>) -> Result<T, WriteError> {
    silence_guarded();
    GUARDED.set(true);
    let settled = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    match settled {
        Ok(result) => result.map_err(|error| WriteError::from_xlsx(path, error)),
        Err(reason) if is_write_failure(reason.as_ref()) => {
            Err(WriteError::from_io(path, Error::from(ErrorKind::StorageFull)))
        }
        Err(reason) => panic::resume_unwind(reason),
    }
}

/// Puts a hook before the present one, once, that says nothing about panics on guarded threads.
fn silence_guarded() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let present = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                present(info);
            }
        }));
    });
}

/// Whether the panic carries an error of the operating system: the writer's only reasons are `expect`s on writes.
fn is_write_failure(reason: &(dyn Any + Send)) -> bool {
    let text = reason.downcast_ref::<String>().map(String::as_str).or_else(|| reason.downcast_ref::<&str>().copied());
    text.is_some_and(|text| text.contains("Os {") || text.contains("WriteZero"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_full_disk_is_an_error() {
        let full = Error::from_raw_os_error(28);
        let settled: Result<(), _> = catch_write_panic(Path::new("r.xlsx"), || panic!("couldn't write: {full:?}"));
        assert_eq!(settled.unwrap_err().to_string(), "cannot write `r.xlsx`: the disk is full");
    }

    #[test]
    #[should_panic(expected = "a bug")]
    fn a_bug_stays_a_bug() {
        let _ = catch_write_panic(Path::new("r.xlsx"), || -> Result<(), XlsxError> { panic!("a bug") });
    }
}
