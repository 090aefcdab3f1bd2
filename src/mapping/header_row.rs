//! Which of the first rows is the header: titles and notes may stand above it.

use super::To;
use super::Words;
use crate::schema::Entity;
use crate::table::{Row, Value};

/// The index of the header among the first rows of a sheet: the row in which most cells are known header words of
/// one of `entities`, the first of equals. Where no row has any, the first row with the most text cells.
///
/// None where no row holds any text.
pub fn find_header(rows: &[Row], entities: &[&'static Entity]) -> Option<usize> {
    let words: Vec<Words> = entities.iter().map(|entity| Words::new(entity)).collect();
    let known = |row: &Row| words.iter().map(|words| known_headers(words, row)).max().unwrap_or(0);
    best(rows, known).or_else(|| best(rows, text_cells))
}

/// How many cells of a row are header words that feed something.
pub(super) fn known_headers(words: &Words, row: &Row) -> usize {
    row.cells()
        .filter(|cell| cell.value == Value::Text && cell.text.len() < 100)
        .filter(|cell| matches!(words.get(cell.text), Some(to) if !matches!(to, To::Ignored(_) | To::Stamp(_))))
        .count()
}

fn text_cells(row: &Row) -> usize {
    row.cells().filter(|cell| cell.value == Value::Text).count()
}

/// The first row with the highest score above nothing.
fn best(rows: &[Row], score: impl Fn(&Row) -> usize) -> Option<usize> {
    let scores = rows.iter().map(score).enumerate();
    scores.filter(|(_, score)| *score > 0).rev().max_by_key(|(_, score)| *score).map(|(index, _)| index)
}
