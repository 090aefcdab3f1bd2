//! Panics of parsers as damaged files.
//!
//! calamine indexes into records by lengths that the file states, and ssfmt slices format codes at brackets, so damaged
//! or hostile input can make either panic. What cannot be caught, an allocation that the system refuses, is prevented by
//! checking sizes first ([`super::package`], [`super::biff`]).

use crate::table::error::ReadFault;
use crate::table::panic_guard::catch_panic;

/// Runs a parser. A panic in it becomes [`ReadFault::Damaged`].
pub(super) fn guarded<T, E: From<ReadFault>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let damaged = |_| ReadFault::Damaged { detail: "its parts contradict each other".into() };
    catch_panic(work).map_err(damaged)?
}
