//! Finds the header row, which may come after titles and notes.

use super::HeaderAliases;
use crate::schema::Entity;
use crate::table::{Row, Value};

/// Index of the header among the first rows of a sheet: the first row with the most headers known for one of
/// `entities`, or else the first row with the most text cells. `None` if no row has text.
pub(crate) fn find_header(rows: &[Row], entities: &[&'static Entity]) -> Option<usize> {
    let aliases: Vec<HeaderAliases> = entities.iter().map(|entity| HeaderAliases::new(entity)).collect();
    let known = |row: &Row| aliases.iter().map(|aliases| known_headers(aliases, row)).max().unwrap_or(0);
    best(rows, known).or_else(|| best(rows, text_cells))
}

/// Number of cells in a row that are known headers.
pub(super) fn known_headers(aliases: &HeaderAliases, row: &Row) -> usize {
    row.cells()
        .filter(|cell| cell.value == Value::Text && cell.text.len() < 100)
        .filter(|cell| aliases.feeds(cell.text))
        .count()
}

fn text_cells(row: &Row) -> usize {
    row.cells().filter(|cell| cell.value == Value::Text).count()
}

/// The first row with the highest score above zero.
fn best(rows: &[Row], score: impl Fn(&Row) -> usize) -> Option<usize> {
    let scores = rows.iter().map(score).enumerate();
    scores.filter(|(_, score)| *score > 0).rev().max_by_key(|(_, score)| *score).map(|(index, _)| index)
}
