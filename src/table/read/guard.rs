//! Keeps a panic in somebody else's parser from ending the process.
//!
//! calamine indexes into records by the lengths that the file states, and ssfmt slices format codes at brackets, so
//! damaged or hostile input can make either panic. The damage belongs in one message with the file's name. What a
//! guard cannot catch, an allocation that the system refuses, is kept away by looking at sizes before
//! ([`super::package`], [`super::biff`]).

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::table::error::ReadFault;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Does `work`; a panic in it becomes [`ReadFault::Damaged`], and prints nothing.
///
/// The work must not be used again after a panic: what it held may be half done.
pub(super) fn guarded<T, E: From<ReadFault>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    silence_guarded_panics();
    let outer = GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.unwrap_or_else(|_| Err(ReadFault::Damaged { detail: "its parts contradict each other".into() }.into()))
}

/// The hook that prints panics is global: ours steps aside for every thread but one inside a guard.
fn silence_guarded_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                print(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_panic_is_damage() {
        let empty: Vec<u8> = Vec::new();
        let result: Result<u8, ReadFault> = guarded(|| Ok(empty[std::hint::black_box(3)]));
        assert!(matches!(result, Err(ReadFault::Damaged { .. })));
        assert!(!GUARDED.get());
    }
}
