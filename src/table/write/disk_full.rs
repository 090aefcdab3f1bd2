//! Panics of the workbook writer as failed writes: it panics where its temporary file cannot be written.

use std::any::Any;
use std::io::{Error, ErrorKind};
use std::panic;
use std::path::Path;

use rust_xlsxwriter::XlsxError;

use super::error::WriteError;
use crate::table::panic_guard::catch_panic;

/// Runs `work` of the workbook writer for the file at `path`. After an error the workbook must not be used again.
pub(crate) fn catch_write_panic<T>(path: &Path, work: impl FnOnce() -> Result<T, XlsxError>) -> Result<T, WriteError> {
    match catch_panic(work) {
        Ok(result) => result.map_err(|error| WriteError::from_xlsx(path, error)),
        Err(reason) if is_write_failure(reason.as_ref()) => {
            Err(WriteError::from_io(path, Error::from(ErrorKind::StorageFull)))
        }
        Err(reason) => panic::resume_unwind(reason),
    }
}

/// Whether the panic carries an error of the operating system: the writer only panics in `expect`s on writes.
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
        let result: Result<(), _> = catch_write_panic(Path::new("r.xlsx"), || panic!("couldn't write: {full:?}"));
        assert_eq!(result.unwrap_err().to_string(), "cannot write `r.xlsx`: the disk is full");
    }

    #[test]
    #[should_panic(expected = "a bug")]
    fn a_bug_stays_a_bug() {
        let _ = catch_write_panic(Path::new("r.xlsx"), || -> Result<(), XlsxError> { panic!("a bug") });
    }
}
