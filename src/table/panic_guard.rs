//! Catches panics of other people's code, and keeps their messages off the terminal.
//!
//! Parsers panic on damaged input, and the workbook writer panics where its temporary file cannot be written. Neither is
//! a bug of this crate: both belong into an error with the name of the file.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    /// Where the last guarded panic of this thread was.
    #[cfg(test)]
    static LAST_PANIC: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
}

/// Where this thread last panicked within [`catch_panic`], if it did so in this crate: that is a bug of our own.
#[cfg(test)]
pub(crate) fn own_panic() -> Option<String> {
    LAST_PANIC.take().filter(|place| place.starts_with("src"))
}

/// Runs `work` and returns its panic, if it panics. What it worked on must not be used again then: it may be half done.
pub(super) fn catch_panic<T>(work: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    silence_guarded_panics();
    let outer = GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result
}

/// The hook that prints panics is global. Ours is silent on threads that are inside [`catch_panic`].
fn silence_guarded_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                print(panic);
            }
            #[cfg(test)]
            LAST_PANIC.set(panic.location().map(ToString::to_string));
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_returned_and_the_guard_ends() {
        let empty: Vec<u8> = Vec::new();
        assert!(catch_panic(|| empty[std::hint::black_box(3)]).is_err());
        assert!(!GUARDED.get());
    }
}
