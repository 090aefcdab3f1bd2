//! The API key, as a type that cannot be printed.

use std::fmt;

use ring::digest::{SHA256, digest};

use crate::redact::protect;

/// Printed instead of a key.
const HIDDEN: &str = "***";

/// An API key. `Debug` and `Display` show `***`; only neighbouring modules can read it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

/// Why a text cannot be a key. Never contains the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing but white space.
    #[error("the API key is empty")]
    Empty,
    /// A line break, a tab, a blank or a character outside ASCII: it cannot be sent in a header, and suggests a file with
    /// more in it than the key.
    #[error("the API key contains an invalid character at position {position} (from 1)")]
    Character { position: usize },
}

impl Secret {
    /// The key in `text`, without the white space around it.
    pub fn new(text: String) -> Result<Self, SecretError> {
        // A file saved by a Windows editor may begin with a byte order mark, which is not white space.
        let key = unquoted(text.trim_start_matches('\u{feff}').trim());
        if key.is_empty() {
            return Err(SecretError::Empty);
        }
        if let Some(index) = key.chars().position(|character| !character.is_ascii_graphic()) {
            return Err(SecretError::Character { position: index + 1 });
        }
        Ok(Self(key.into()))
    }

    /// Half of a digest of the key and of what it is used for, for a file name. Nobody can recover the key from it.
    pub(super) fn digest(&self, purpose: &str) -> String {
        let text = format!("tallyport {purpose}\0{}", self.reveal());
        let digest = digest(&SHA256, text.as_bytes());
        digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Masks the key in everything that this process prints.
    pub(crate) fn protect(&self) {
        protect(self.reveal());
    }

    /// The key itself, for the one header that contains it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

/// The text without a pair of quotes around it, as a file for a shell has them.
fn unquoted(text: &str) -> &str {
    let inner = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.map_or(text, str::trim)
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::{Secret, SecretError};

    #[test]
    fn a_key_is_trimmed_and_never_shown() {
        let secret = Secret::new("\u{feff} abc-123\r\n".to_owned()).unwrap();
        assert_eq!(secret.reveal(), "abc-123");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "*** *** Some(***)");
    }

    #[test]
    fn what_no_header_can_carry_is_refused() {
        let cases = [
            ("", SecretError::Empty),
            (" \t\r\n", SecretError::Empty),
            ("abc\ndef", SecretError::Character { position: 4 }),
            ("abc def", SecretError::Character { position: 4 }),
            ("ab\u{0}c", SecretError::Character { position: 3 }),
            ("schlüssel", SecretError::Character { position: 5 }),
        ];
        for (text, error) in cases {
            assert_eq!(Secret::new(text.to_owned()), Err(error), "{text:?}");
        }
    }
}
