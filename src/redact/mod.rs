//! Keeps secrets out of everything that is printed or stored (design rule 15).
//!
//! What a service says is masked where it arrives, before anything reads it: so no error, log, journal or result has to
//! think of the key. What is printed is masked once more at the printer, with the secrets that this process knows.
//!
//! ```text
//! mask        secrets out of text, in whatever spelling
//! needle      one spelling, and where it stands in a text
//! decode      the characters of a text as its encodings mean them
//! url         a base URL as messages show it: without a user, a password or a query
//! variable    the secrets in the value of an environment variable
//! toml_error  what is wrong with a file that may hold a key, without the file's own words
//! ```

mod decode;
mod mask;
mod needle;
mod toml_error;
mod url;
mod variable;

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

pub(crate) use mask::{Mask, TextKind};
pub(crate) use toml_error::{QUOTED_DATE, TomlMistake, is_of_date, is_plain_name};
pub(crate) use url::{secrets_of_url, shown_url};
pub(crate) use variable::secrets_in;

/// The secrets that the command line knows of. A program that uses the library prints its own text.
static KNOWN: RwLock<Mask> = RwLock::new(Mask::NOTHING);

/// Masks this secret in everything that is printed from now on.
pub(crate) fn protect(secret: &str) {
    KNOWN.write().unwrap_or_else(PoisonError::into_inner).add(secret);
}

/// Text that is about to be printed, without the secrets that this process knows.
pub(crate) fn without_secrets(text: &str) -> Cow<'_, str> {
    KNOWN.read().unwrap_or_else(PoisonError::into_inner).apply(text, TextKind::Data)
}
