//! The digest of a sheet's text. What a program does to a cell when it saves a workbook (formats, shared texts, numbers
//! for texts that are numbers, line ends, escapes) does not change it.

use std::borrow::Cow;

use ring::digest::{Context, SHA256};

use crate::table::without_code_points;

/// The digest of one sheet, built cell by cell.
pub(super) struct SheetDigest(Context);

impl Default for SheetDigest {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl SheetDigest {
    /// Adds a cell. Rows and columns count from 0; they come in order, row by row.
    pub(super) fn cell(&mut self, row: u32, column: usize, text: &str) {
        let text = without_escapes(text);
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        self.0.update(&row.to_le_bytes());
        self.0.update(&(column as u32).to_le_bytes());
        // Programs write line ends in their own way.
        for part in text.split('\n') {
            self.0.update(part.trim_end_matches('\r').as_bytes());
            self.0.update(&[0]);
        }
        self.0.update(&[1]);
    }

    pub(super) fn finish(self) -> String {
        self.0.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A text without escapes of characters, however deep: LibreOffice reads `_x005F_x0041_` as `_x0041_`, and saves it
/// without escaping it again.
fn without_escapes(text: &str) -> Cow<'_, str> {
    let mut plain = Cow::Borrowed(text);
    loop {
        let length = plain.len();
        plain = without_code_points(plain);
        // An escape is longer than its character.
        if plain.len() == length {
            return plain;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SheetDigest;

    fn digest(cells: &[(u32, usize, &str)]) -> String {
        let mut digest = SheetDigest::default();
        cells.iter().for_each(|(row, column, text)| digest.cell(*row, *column, text));
        digest.finish()
    }

    #[test]
    fn only_texts_and_places_count() {
        let first = digest(&[(0, 0, "a"), (1, 2, "two\r\nlines "), (2, 0, "")]);
        assert_eq!(first, digest(&[(0, 0, "a"), (1, 2, "two\nlines")]));
        for other in [&[(0, 0, "a"), (1, 1, "two\nlines")], &[(0, 0, "b"), (1, 2, "two\nlines")]] {
            assert_ne!(first, digest(other));
        }
        assert_ne!(digest(&[(0, 0, "ab"), (0, 1, "c")]), digest(&[(0, 0, "a"), (0, 1, "bc")]));
    }

    #[test]
    fn an_escape_that_a_program_unescapes_does_not_count() {
        let texts = ["_x005F_x0041_ x_000D_", "_x0041_ x_000D_", "A x_000D_"];
        assert!(texts.iter().all(|text| digest(&[(0, 0, text)]) == digest(&[(0, 0, texts[0])])));
        assert_eq!(digest(&[(0, 0, "vt_x000B_")]), digest(&[(0, 0, "vt_x000b_")]));
    }
}
