//! Finds the header row, which may come after titles and notes.

use super::HeaderAliases;
use crate::schema::Entity;
use crate::table::{Cell, Row, Value};

/// No header is longer, in bytes.
pub(super) const LONGEST_HEADER: usize = 100;

/// Index of the header among the first rows of a sheet: the first row with the most headers known for one of
/// `entities`, or else the first row with nearly the most text cells. `None` if no row has text.
///
/// A row of values is no header, even where one of its values is a word for a field. A single known word among rows
/// with more texts is a title, a note or a value.
pub(crate) fn find_header(rows: &[Row], entities: &[&'static Entity]) -> Option<usize> {
    let aliases: Vec<&HeaderAliases> = entities.iter().map(|entity| HeaderAliases::of(entity)).collect();
    header_among(rows, &aliases)
}

/// As [`find_header`], for the words of several entities.
pub(super) fn header_among(rows: &[Row], aliases: &[&HeaderAliases]) -> Option<usize> {
    let known = |row: &Row| aliases.iter().map(|aliases| known_headers(aliases, row).count()).max().unwrap_or(0);
    let scores: Vec<usize> =
        (0..rows.len()).map(|row| if is_of_values(rows, row) { 0 } else { known(&rows[row]) }).collect();
    let widest = widest(rows);
    let Some((best, score)) = first_best(&scores) else { return widest };
    match widest {
        Some(widest) if score == 1 && widest != best && !is_header_above(rows, best, widest) => Some(widest),
        _ => Some(best),
    }
}

/// The cells of a row that are known headers; none of a form, where values stand beside them.
pub(super) fn known_headers<'r>(aliases: &HeaderAliases, row: &'r Row) -> impl Iterator<Item = &'r str> {
    let is_form = is_form_line(row);
    let text = row.cells().filter(move |cell| !is_form && is_short_text(cell));
    text.filter(|cell| aliases.feeds(cell.text)).map(|cell| cell.text)
}

/// Whether the row stands above the other and has at least half as many texts, as a header with few known words does.
fn is_header_above(rows: &[Row], row: usize, other: usize) -> bool {
    row < other && 2 * text_cells(&rows[row]) >= text_cells(&rows[other])
}

/// The first row with at least two thirds as many texts as the one with the most, and no values.
fn widest(rows: &[Row]) -> Option<usize> {
    let most = rows.iter().map(text_cells).max().filter(|most| *most > 0)?;
    let is_wide = |row: &Row| 3 * text_cells(row) >= 2 * most;
    let header = rows.iter().position(|row| is_wide(row) && !row.cells().any(|cell| is_value(&cell)));
    header.or_else(|| rows.iter().position(|row| text_cells(row) == most))
}

fn text_cells(row: &Row) -> usize {
    row.cells().filter(is_short_text).count()
}

/// Whether a cell is a text as short as headers are.
fn is_short_text(cell: &Cell<'_>) -> bool {
    cell.value == Value::Text && cell.text.len() < LONGEST_HEADER
}

/// Whether a third of the filled cells or more are values, or any where a row of as many texts stands above.
fn is_of_values(rows: &[Row], row: usize) -> bool {
    let filled = |row: &Row| row.cells().filter(|cell| !cell.is_blank()).count();
    let values = |row: &Row| row.cells().filter(is_value).count();
    let (found, all) = (values(&rows[row]), filled(&rows[row]));
    let is_below_header = || rows[..row].iter().any(|above| values(above) == 0 && filled(above) >= all);
    3 * found >= all.max(1) || (found > 0 && is_below_header())
}

/// `Name: | Ada Byron | Department: | Finance`. A row with a colon behind every text is a header.
fn is_form_line(row: &Row) -> bool {
    let filled = row.cells().filter(|cell| !cell.is_blank());
    let is_label: Vec<bool> = filled.map(|cell| cell.text.trim_end().ends_with(':')).collect();
    is_label.contains(&true) && is_label.contains(&false)
}

/// Whether a cell holds what no header is: a number, a date, an address.
fn is_value(cell: &Cell<'_>) -> bool {
    let is_figure = |text: &str| {
        let is_part = |char: char| char.is_ascii_digit() || matches!(char, '.' | ',' | '-' | '/' | ':' | ' ' | '%');
        text.contains(|char: char| char.is_ascii_digit()) && text.chars().all(is_part)
    };
    match cell.value {
        Value::Blank => false,
        Value::Text => cell.text.contains('@') || is_figure(cell.text),
        Value::Number(_)
        | Value::Boolean(_)
        | Value::Date(_)
        | Value::Error
        | Value::Structure
        | Value::Unevaluated => true,
    }
}

/// The first index with the highest score above zero, and that score.
fn first_best(scores: &[usize]) -> Option<(usize, usize)> {
    let best = scores.iter().copied().max().filter(|best| *best > 0)?;
    scores.iter().position(|score| *score == best).map(|index| (index, best))
}
