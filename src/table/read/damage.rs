//! What parsers and containers report, as faults of the file.
//!
//! ssfmt slices format codes at brackets, and containers are read by lengths that they state, so damaged or hostile input
//! can make any of them panic. What cannot be caught, an allocation that the system refuses, is prevented by counting
//! ([`super::limits`]).

use std::io;

use zip::result::ZipError;

use crate::table::error::ReadFault;
use crate::table::panic_guard::catch_panic;

/// Runs a parser. A panic in it becomes [`ReadFault::Damaged`].
pub(in crate::table) fn guarded<T, E: From<ReadFault>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_panic(work).map_err(|_| ReadFault::damaged("its parts contradict each other"))?
}

/// What the zip crate found, in the user's words.
pub(super) fn broken(error: &ZipError) -> ReadFault {
    match error {
        ZipError::Io(error) => unpacking(error),
        // Other trouble with the table of contents at the file's end mostly means that the end is missing, too.
        ZipError::InvalidArchive(detail) if is_about_the_end(detail) => ReadFault::Truncated,
        ZipError::UnsupportedArchive(detail) if detail.contains("assword") => ReadFault::Password,
        ZipError::InvalidPassword => ReadFault::Password,
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
            ReadFault::damaged("it is packed in an unusual way")
        }
        ZipError::FileNotFound => ReadFault::damaged("a part of it is missing"),
        _ => ReadFault::damaged("its table of contents makes no sense"),
    }
}

fn is_about_the_end(detail: &str) -> bool {
    ["EOCD", "central directory", "end of"].iter().any(|sign| detail.contains(sign))
}

/// What went wrong while a part was unpacked.
pub(super) fn unpacking(error: &io::Error) -> ReadFault {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ReadFault::Truncated,
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            ReadFault::damaged("a part of it does not unpack")
        }
        io::ErrorKind::Unsupported => ReadFault::damaged("it is packed in an unusual way"),
        kind => ReadFault::from(io::Error::from(kind)),
    }
}
