//! Digests, by which a report can be told to be about these files and these records.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use ring::digest::{Context, SHA256};
use serde_json::Value as Json;

use crate::api::Record;

/// How much of a file is read at a time.
const CHUNK: usize = 1 << 16;

/// A SHA-256 digest of parts, built one after the other.
pub(super) struct PartsDigest(Context);

impl Default for PartsDigest {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl PartsDigest {
    /// Adds a text. Where one ends and the next begins counts.
    pub(super) fn text(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    /// Adds fields, in the order of their names: services and versions of them order fields differently.
    pub(super) fn fields(&mut self, fields: &Record) {
        let mut sorted: Vec<(&String, &Json)> = fields.iter().collect();
        sorted.sort_unstable_by_key(|(name, _)| *name);
        for (name, value) in sorted {
            self.text(name);
            self.text(&value.to_string());
        }
    }

    pub(super) fn finish(self) -> String {
        hexadecimal(self.0)
    }
}

/// The SHA-256 digest of a file's bytes.
///
/// # Errors
/// Where it cannot be read.
pub(crate) fn file_digest(path: &Path) -> std::io::Result<String> {
    let (mut file, mut context) = (File::open(path)?, Context::new(&SHA256));
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hexadecimal(context)),
            length => context.update(&chunk[..length]),
        }
    }
}

fn hexadecimal(context: Context) -> String {
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn of(value: &Json) -> String {
        let mut digest = PartsDigest::default();
        digest.fields(value.as_object().unwrap());
        digest.finish()
    }

    #[test]
    fn the_order_of_fields_does_not_count_and_their_values_do() {
        assert_eq!(of(&json!({"a": 1, "b": "x"})), of(&json!({"b": "x", "a": 1})));
        assert_ne!(of(&json!({"a": 1})), of(&json!({"a": 2})));
        assert_ne!(of(&json!({"a": "b", "c": ""})), of(&json!({"a": "", "bc": ""})));
    }

    #[test]
    fn the_digest_of_a_file_is_that_of_its_bytes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(file_digest(file.path()).unwrap(), known);
    }
}
