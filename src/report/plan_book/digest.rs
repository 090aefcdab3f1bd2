//! The digest of a sheet's text. What a program does to a cell when it saves a workbook (formats, shared texts, numbers
//! for texts that are numbers) does not change it.

use ring::digest::{Context, SHA256};

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
}
