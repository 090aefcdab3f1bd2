//! The row as it counts: with defaults in place of missing values, and with ids as whole numbers.

use std::borrow::Cow;

use rust_decimal::prelude::ToPrimitive;

use super::cell::{ColumnCheck, ColumnRole, ColumnSurvey, FieldReader, read_other};
use super::checked_row::{CheckedRow, ParsedValue};
use super::rules::{EmptyCells, Rules};
use super::text;
use super::{Code, ValueError};
use crate::mapping::{ColumnTarget, Ids, Mapping};
use crate::table::{Cell, Row, Value};

/// Fills rows.
#[derive(Debug, Default)]
pub(super) struct RowFiller {
    filled: Row,
    /// Columns of the sheet in whose place a default counts.
    pub(super) replaced: Vec<usize>,
}

impl RowFiller {
    /// Fills a row, which is then [`RowFiller::filled`]. False if it counts as it is.
    pub(super) fn fill(&mut self, row: &Row, mapping: &Mapping) -> bool {
        self.replaced.clear();
        let mut is_changed = false;
        for column in &mapping.columns {
            let ColumnTarget::Field { ids: Ids::Bare, .. } = column.target else { continue };
            if let Cow::Owned(id) = whole_id(row.cell(column.index).text) {
                self.begin(row, &mut is_changed);
                self.filled.replace(column.index, &id, Value::Text);
            }
        }
        for default in &mapping.defaults {
            let is_given = |column: &usize| {
                let cell = row.cell(*column);
                !cell.is_blank() && !text::is_no_value_mark(text::trimmed(cell.text))
            };
            self.begin(row, &mut is_changed);
            self.filled.pad(default.column + 1);
            if default.rivals.iter().any(is_given) {
                self.filled.replace(default.column, "", Value::Blank);
            } else {
                self.filled.replace(default.column, &default.text, default.value);
                self.replaced.extend(&default.rivals);
            }
        }
        is_changed
    }

    fn begin(&mut self, row: &Row, is_changed: &mut bool) {
        if !std::mem::replace(is_changed, true) {
            self.filled.clone_from(row);
        }
    }

    /// The row as it was filled last.
    pub(super) fn filled(&self) -> &Row {
        &self.filled
    }
}

/// An id without the decimals that spreadsheet programs and data tools give whole numbers: `2.0`, `#2.00`, `2,0`.
pub(super) fn whole_id(text: &str) -> Cow<'_, str> {
    let trimmed = text::trimmed(text);
    let whole = trimmed.split_once(['.', ',']).filter(|(whole, decimals)| {
        let digits = whole.strip_prefix('#').unwrap_or(whole);
        let are_digits = |part: &str, is: fn(&u8) -> bool| !part.is_empty() && part.as_bytes().iter().all(is);
        are_digits(digits, u8::is_ascii_digit) && are_digits(decimals, |byte| *byte == b'0') && decimals.len() != 3
    });
    whole.map_or(Cow::Borrowed(text), |(whole, _)| Cow::Owned(whole.to_owned()))
}

/// The cell of a default for `target`, checked like one of the sheet.
///
/// # Errors
/// Where a cell with this text would be a problem.
pub(crate) fn default_cell(
    mapping: &Mapping,
    target: &ColumnTarget,
    text: &str,
    rules: &Rules,
) -> Result<(String, Value), ValueError> {
    let cell = Cell { text, value: Value::Text, format: None };
    if text::trimmed(text).is_empty() || text::is_no_value_mark(text::trimmed(text)) {
        return Err(ValueError::without_hint(Code::RequiredNoValue, "missing value"));
    }
    let rules = Rules { blank: EmptyCells::Leave, ..rules.clone() };
    let Some(column) = ColumnCheck::new(mapping.entity, &rules, (0, ""), target) else {
        return Ok((text.to_owned(), Value::Text));
    };
    let mut checked = CheckedRow::default();
    let value = match &column.role {
        ColumnRole::Field { field, ids, .. } => {
            let (mut survey, mut amounts) = (ColumnSurvey::default(), Vec::new());
            let mut reader = FieldReader { rules: &rules, column: &column, survey: &mut survey, amounts: &mut amounts };
            reader.read(cell, field, *ids, &mut checked)?
        }
        _ => {
            read_other(&column, cell, EmptyCells::Leave, &mut checked);
            None
        }
    };
    if let Some(problem) = checked.problems.pop() {
        return Err(problem.error);
    }
    // As the value and not as text: what the column's other cells are written like must not change it.
    let value = match value {
        Some(ParsedValue::Clear) => {
            return Err(ValueError::without_hint(Code::ClearNotAllowed, "a default cannot clear a field"));
        }
        Some(ParsedValue::Date(day)) => return Ok((day.to_string(), Value::Date(day.at(0, 0, 0, 0)))),
        Some(ParsedValue::Amount(amount)) => amount.to_f64().map(Value::Number),
        Some(ParsedValue::Integer(number)) => Some(Value::Number(number as f64)),
        Some(ParsedValue::Boolean(answer)) => Some(Value::Boolean(answer)),
        _ => None,
    };
    Ok((text.to_owned(), value.unwrap_or(Value::Text)))
}

#[cfg(test)]
mod tests {
    use super::whole_id;

    #[test]
    fn ids_lose_empty_decimals() {
        for (text, id) in [("2.0", "2"), (" 2.00 ", "2"), ("#2.0", "#2"), ("2,0", "2"), ("12.0000", "12")] {
            assert_eq!(whole_id(text), id, "{text}");
        }
        for text in ["2", "2.5", "2.000", "2,000", "#2", "v2.0", "2.0.0", ".0", "2.", "", "1.0e3"] {
            assert_eq!(whole_id(text), text, "{text}");
        }
    }
}
