//! The row as it counts: with what rules make of its cells, defaults in place of missing values, and ids as whole
//! numbers.

use std::borrow::Cow;

use rust_decimal::prelude::ToPrimitive;

use super::aliases::Aliases;
use super::cell::{ColumnCheck, ColumnRole, ColumnSurvey, FieldReader, is_clear, read_other};
use super::checked_row::{CheckedRow, ParsedValue, RenamedCell};
use super::rules::{EmptyCells, Rules};
use super::{Code, ValueError};
use super::{choice, text};
use crate::mapping::{
    Column, ColumnTarget, DerivedColumn, DerivedValue, MappedValue, Mapping, RuleSource, Unlisted, holds_system_ids,
};
use crate::schema::{Meaning, fold_name_into};
use crate::shell;
use crate::table::{Cell, Row, Value};

/// Fills the rows of a sheet.
#[derive(Debug, Default)]
pub(super) struct RowFiller {
    filled: Row,
    /// The columns of system ids, from 0.
    ids: Vec<usize>,
    /// The columns whose texts name records, with the collection of these; none where no name means another.
    named: Vec<(usize, &'static str)>,
    /// Derived columns that are one column of the sheet as it is: that column, and the derived one.
    copies: Vec<(usize, usize)>,
    /// The positions of the other derived columns, which depend on what the row says.
    made: Vec<usize>,
    /// Where the values of copies come from, with the places of the others between them.
    origins: Vec<DerivedCell>,
    /// The columns of the sheet that hold serial numbers.
    serials: Vec<usize>,
    /// The derived column of tags; none where no tag is made of a serial number.
    tags: Option<usize>,
    /// The text at hand as texts are compared.
    folded: String,
    /// Columns in whose place a default counts, or that another column stands in for.
    pub(super) replaced: Vec<usize>,
}

/// Where the value of a derived column comes from in one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DerivedCell {
    /// The derived column, from 0.
    pub column: u32,
    /// The sheet's column that it comes from, or should come from.
    pub source: Option<u32>,
    pub origin: DerivedOrigin,
    /// Which kind of record it stands for, if it names none.
    pub record_kind: Option<&'static str>,
}

impl DerivedCell {
    fn of_cells(column: usize, source: Option<usize>) -> Self {
        let (column, source) = (column as u32, source.map(|column| column as u32));
        Self { column, source, origin: DerivedOrigin::Cells, record_kind: None }
    }
}

/// What says a derived value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DerivedOrigin {
    /// Cells of the row.
    Cells,
    /// Cells of the row, and the value map of a rule should list what they say.
    Unlisted,
    /// Cells of the row that should be joined, and some of them ask to clear the field.
    PartlyCleared,
    /// The value map of a rule.
    ValueMap,
    /// What a rule says of all texts that its value map does not list.
    Otherwise,
    Default,
}

/// What a rule makes of cells.
enum Derived<'r> {
    /// The cell in this column, as it is.
    Cell(usize),
    Text(Cow<'r, str>, Value),
    /// What a value map says, or `otherwise`.
    Mapped(&'r DerivedValue, DerivedOrigin),
    Unlisted(usize),
    /// The cell in this column asks to clear the field, and others that are joined with it do not.
    PartlyCleared(usize),
    Nothing,
}

impl RowFiller {
    pub(super) fn new(mapping: &Mapping, aliases: &Aliases) -> Self {
        let is_id = |column: &&Column| holds_system_ids(mapping.entity, &column.target);
        let ids = mapping.columns.iter().filter(is_id).map(|column| column.index);
        let named = mapping.columns.iter().filter(|_| !aliases.is_empty());
        let named = named.filter_map(|column| Some((column.index, mapping.named_collection(column)?)));
        let serials = mapping.serial_columns();
        let tag = mapping.entity.meaning(Meaning::Tag).and_then(|tag| mapping.column_of(tag.name));
        let tags = tag.map(|column| column as usize).filter(|column| {
            let derived = mapping.derived_at(*column);
            derived.is_some_and(|tag| tag.source.columns().iter().any(|source| serials.contains(source)))
        });
        let (mut copies, mut made, mut origins) = (Vec::new(), Vec::new(), Vec::new());
        for (index, derived) in mapping.derived.iter().enumerate() {
            let columns = derived.source.columns();
            origins.push(DerivedCell::of_cells(derived.column, columns.first().copied()));
            match columns {
                [source] if derived.only_copies() && derived.default.is_none() && tags != Some(derived.column) => {
                    copies.push((*source, derived.column))
                }
                _ => made.push(index),
            }
        }
        Self { ids: ids.collect(), named: named.collect(), copies, made, origins, serials, tags, ..Self::default() }
    }

    /// Fills a row, which is then [`RowFiller::filled`], and notes in `checked` where its values come from. False if it
    /// counts as it is.
    pub(super) fn fill(&mut self, row: &Row, mapping: &Mapping, aliases: &Aliases, checked: &mut CheckedRow) -> bool {
        self.replaced.clear();
        checked.derived.clear();
        checked.renamed.clear();
        let mut is_changed = false;
        for index in 0..self.ids.len() {
            let column = self.ids[index];
            if let Cow::Owned(id) = whole_id(row.cell(column).text) {
                self.begin(row, &mut is_changed);
                self.filled.replace(column, &id, Value::Text);
            }
        }
        if let Some(last) = mapping.derived.last() {
            self.begin(row, &mut is_changed);
            self.filled.pad(last.column + 1);
            checked.derived.extend_from_slice(&self.origins);
            for (source, column) in &self.copies {
                self.filled.copy_filled(*source, *column);
            }
            for index in 0..self.made.len() {
                let index = self.made[index];
                checked.derived[index] = self.derive(row, &mapping.derived[index]);
            }
        }
        self.rename(row, aliases, checked, &mut is_changed);
        is_changed
    }

    /// Puts the names that the user has decided for in the place of those that mean them.
    fn rename(&mut self, row: &Row, aliases: &Aliases, checked: &mut CheckedRow, is_changed: &mut bool) {
        for index in 0..self.named.len() {
            let (column, collection) = self.named[index];
            let cell = if *is_changed { self.filled.cell(column) } else { row.cell(column) };
            let from = text::trimmed(cell.text);
            let Some(decision) = aliases.find(collection, from).filter(|found| found.use_instead != from) else {
                continue;
            };
            let to = decision.use_instead.as_str();
            checked.renamed.push(RenamedCell { column: column as u32, from: from.into(), to: to.into() });
            self.begin(row, is_changed);
            self.filled.replace(column, to, Value::Text);
        }
    }

    fn begin(&mut self, row: &Row, is_changed: &mut bool) {
        if !std::mem::replace(is_changed, true) {
            self.filled.clone_from(row);
        }
    }

    /// Fills the cell of a derived column.
    fn derive(&mut self, row: &Row, derived: &DerivedColumn) -> DerivedCell {
        // Many devices may have it: it is no tag, and no serial number where another column has one.
        let is_void = |column: &usize| {
            self.serials.contains(column) && text::is_firmware_serial(text::trimmed(row.cell(*column).text))
        };
        let is_tag = self.tags == Some(derived.column);
        let is_made_of_serials = is_tag || derived.source.columns() == self.serials;
        let is_given = |column: &usize| holds_value(row.cell(*column)) && !(is_made_of_serials && is_void(column));
        let columns = derived.source.columns();
        let mut source = columns.iter().copied().find(is_given);
        if let Some(source) = source.filter(|_| derived.only_copies()) {
            self.filled.copy_cell(source, derived.column);
            return DerivedCell::of_cells(derived.column, Some(source));
        }
        let made = source.map_or(Derived::Nothing, |source| made_from(row, derived, source, &mut self.folded));
        let has_rival = derived.rivals.iter().any(is_given);
        let default = derived.default.as_ref().filter(|_| matches!(made, Derived::Nothing) && !has_rival);
        let left = columns.iter().copied().find(|column| !(row.cell(*column).is_blank() || is_tag && is_void(column)));
        let void = columns.iter().copied().find(|column| is_tag && is_void(column));
        let (mut record_kind, mut origin) = (None, DerivedOrigin::Cells);
        match (made, default) {
            (_, Some(default)) => {
                self.filled.replace(derived.column, &default.text, default.value);
                self.replaced.extend(&derived.rivals);
                (record_kind, origin) = (default.record_kind, DerivedOrigin::Default);
            }
            (Derived::Mapped(to, by), None) => {
                self.filled.replace(derived.column, &to.text, to.value);
                (record_kind, origin) = (to.record_kind, by);
            }
            (Derived::Cell(column), None) => self.filled.copy_cell(column, derived.column),
            (Derived::Text(text, value), None) => self.filled.replace(derived.column, &text, value),
            (Derived::Unlisted(column), None) => {
                self.filled.copy_cell(column, derived.column);
                origin = DerivedOrigin::Unlisted;
            }
            (Derived::PartlyCleared(column), None) => {
                self.filled.copy_cell(column, derived.column);
                (source, origin) = (Some(column), DerivedOrigin::PartlyCleared);
            }
            // A mark such as `n/a` is read like any other; a stripped text left nothing.
            (Derived::Nothing, None) => match left {
                Some(column) if source.is_none() => self.filled.copy_cell(column, derived.column),
                _ => self.filled.replace(derived.column, "", Value::Blank),
            },
        }
        if has_rival && self.filled.cell(derived.column).is_blank() {
            self.replaced.push(derived.column);
        }
        if derived.is_id
            && let Cow::Owned(id) = whole_id(self.filled.cell(derived.column).text)
        {
            self.filled.replace(derived.column, &id, Value::Text);
        }
        let source = source.or(left).or(void).or(columns.first().copied()).filter(|_| default.is_none());
        DerivedCell { origin, record_kind, ..DerivedCell::of_cells(derived.column, source) }
    }

    /// The row as it was filled last.
    pub(super) fn filled(&self) -> &Row {
        &self.filled
    }
}

pub(super) fn holds_value(cell: Cell<'_>) -> bool {
    !cell.is_blank() && !text::is_no_value_mark(text::trimmed(cell.text))
}

/// The text that the value map of a rule is asked for in a row, of which `first` is the first filled source. None where there is
/// no such text.
pub(crate) fn mapped_text<'r>(row: &'r Row, derived: &DerivedColumn, first: usize) -> Option<Cow<'r, str>> {
    source_text(row, derived, first).ok().map(|(text, _)| text)
}

/// What the cells of a rule say once they are joined and stripped; as an error what they make by themselves. `<clear>` says the
/// same of the field whatever the rule does with texts.
fn source_text<'r>(row: &'r Row, derived: &DerivedColumn, first: usize) -> Result<(Cow<'r, str>, Value), Derived<'r>> {
    let is_broken =
        |column: &usize| matches!(row.cell(*column).value, Value::Error | Value::Structure | Value::Unevaluated);
    let cell = row.cell(first);
    let (mut text, mut value) = match derived.source.joined(Some(first)) {
        Some((template, columns)) => {
            if let Some(broken) = columns.iter().copied().find(is_broken) {
                return Err(Derived::Cell(broken));
            }
            let clears = |column: &usize| is_clear(text::trimmed(row.cell(*column).text));
            if let Some(clearing) = columns.iter().copied().find(clears) {
                let is_cleared = columns.iter().all(|column| clears(column) || !holds_value(row.cell(*column)));
                return Err(if is_cleared { Derived::Cell(clearing) } else { Derived::PartlyCleared(clearing) });
            }
            let values = columns.iter().map(|column| row.cell(*column));
            let values = values.map(|cell| if holds_value(cell) { text::trimmed(cell.text) } else { "" });
            (Cow::Owned(template.fill(values)), Value::Text)
        }
        _ if is_broken(&first) || is_clear(text::trimmed(cell.text)) => return Err(Derived::Cell(first)),
        _ => (Cow::Borrowed(cell.text), cell.value),
    };
    for strip in &derived.rule.strip {
        if let Some(rest) = strip.apply(text::trimmed(&text)) {
            (text, value) = (Cow::Owned(rest), Value::Text);
        }
    }
    if text::trimmed(&text).is_empty() { Err(Derived::Nothing) } else { Ok((text, value)) }
}

/// What the rule makes of the row.
fn made_from<'r>(row: &'r Row, derived: &'r DerivedColumn, first: usize, folded: &mut String) -> Derived<'r> {
    let (mut text, mut value) = match source_text(row, derived, first) {
        Ok(found) => found,
        Err(made) => return made,
    };
    // What a value map says is the field's own value, inverted or not.
    if !derived.values.is_empty() {
        let listed = listed(&derived.values, text::trimmed(&text), folded);
        match (listed, &derived.otherwise) {
            (Some(to), _) | (None, Unlisted::Value(to)) if to.text.is_empty() => return Derived::Nothing,
            (Some(to), _) => return Derived::Mapped(to, DerivedOrigin::ValueMap),
            (None, Unlisted::Value(to)) => return Derived::Mapped(to, DerivedOrigin::Otherwise),
            (None, Unlisted::Keep) => {}
            (None, Unlisted::Error) => return Derived::Unlisted(first),
        }
    }
    if derived.rule.invert
        && let Ok(answer) = choice::boolean(Cell { text: &text, value, format: None })
    {
        (text, value) = (Cow::Borrowed(if answer { "no" } else { "yes" }), Value::Boolean(!answer));
    }
    match &text {
        Cow::Borrowed(same) if std::ptr::eq(*same, row.cell(first).text) => Derived::Cell(first),
        _ => Derived::Text(text, value),
    }
}

/// What a value map says of a text. Nearly all are written as in the map, which spares folding them.
fn listed<'r>(values: &'r [MappedValue], text: &str, folded: &mut String) -> Option<&'r DerivedValue> {
    let exact = values.iter().find(|known| known.from == text);
    let found = exact.or_else(|| {
        folded.clear();
        fold_name_into(text, folded);
        values.iter().find(|known| known.folded == *folded)
    });
    found.map(|known| &known.to)
}

/// The known values that a message names.
const NAMED_VALUES: usize = 12;

/// Why the cells that a derived value comes from are no value of the column; none if they may be one.
pub(super) fn source_error(origin: DerivedOrigin, derived: &DerivedColumn) -> Option<ValueError> {
    match origin {
        DerivedOrigin::Unlisted => Some(unlisted(derived)),
        DerivedOrigin::PartlyCleared => Some(partly_cleared(derived)),
        DerivedOrigin::Cells | DerivedOrigin::ValueMap | DerivedOrigin::Otherwise | DerivedOrigin::Default => None,
    }
}

fn partly_cleared(derived: &DerivedColumn) -> ValueError {
    let template = derived.rule.source.as_ref().map_or_else(String::new, RuleSource::flag_text);
    ValueError::new(
        Code::ClearNotAllowed,
        format!("cannot clear a part of `{template}`"),
        "type the value, or leave the cell empty",
    )
}

fn unlisted(derived: &DerivedColumn) -> ValueError {
    let known: Vec<String> =
        derived.values.iter().take(NAMED_VALUES).map(|known| format!("`{}`", known.from)).collect();
    let more = if derived.values.len() > known.len() { ", …" } else { "" };
    ValueError::new(
        Code::ValueUnlisted,
        format!("a value that the mapping does not list; it knows {}{more}", known.join(", ")),
        format!(
            "add it to the mapping: {}, or correct the cell",
            shell::flag("--value", &format!("{}:FROM=TO", derived.rule.target))
        ),
    )
}

/// An id without the decimals that spreadsheet programs and data tools give whole numbers: `2.0`, `#2.00`, `2,0`.
pub(super) fn whole_id(text: &str) -> Cow<'_, str> {
    let trimmed = text::trimmed(text);
    if !trimmed.ends_with('0') {
        return Cow::Borrowed(text);
    }
    let whole = trimmed.split_once(['.', ',']).filter(|(whole, decimals)| {
        let digits = whole.strip_prefix('#').unwrap_or(whole);
        let are_digits = |part: &str, is: fn(&u8) -> bool| !part.is_empty() && part.as_bytes().iter().all(is);
        are_digits(digits, u8::is_ascii_digit) && are_digits(decimals, |byte| *byte == b'0') && decimals.len() != 3
    });
    whole.map_or(Cow::Borrowed(text), |(whole, _)| Cow::Owned(whole.to_owned()))
}

/// A value of a rule for `target`, checked like one of the sheet.
///
/// # Errors
/// Where a cell with this text would be a problem.
pub(crate) fn rule_value(
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
    let column = column.with_formats(&mapping.formats);
    let mut checked = CheckedRow::default();
    let value = match &column.role {
        ColumnRole::Field { field, ids, .. } => {
            let (mut survey, mut amounts) = (ColumnSurvey::default(), Vec::new());
            let mut reader = FieldReader { rules: &rules, column: &column, survey: &mut survey, amounts: &mut amounts };
            reader.read(cell, field, *ids, &mut checked).map_err(ValueError::not_empty)?
        }
        _ => {
            read_other(&column, cell, EmptyCells::Leave, &mut checked)?;
            None
        }
    };
    // As the value and not as text: what the column's other cells are written like must not change it.
    let value = match value {
        Some(ParsedValue::Clear) => {
            return Err(ValueError::without_hint(Code::ClearNotAllowed, "a mapping cannot clear a field"));
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
