//! What one row holds: its values, or all its problems.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::cell::custom_text;
use super::fill::{DerivedCell, DerivedOrigin, holds_value};
use super::money::CurrencyHint;
use super::non_records::NonRecord;
use super::problem::{Code, Problem, ValueError};
use super::remarks::{CellRemark, RemarkKind};
use super::rules::RowAction;
use super::text;
use super::text_cache::TextId;
use crate::mapping::{
    DerivedColumn, IdOwnership, Ids, Mapping, RecordOrigin, ValueSource, missing_field_hint, missing_field_text,
};
use crate::schema::Field;
use crate::table::{CellRef, Row};
use crate::unicode::revealed;

/// A checked row; reused from row to row. Text stays in the [`Row`] and is looked up by column.
#[derive(Debug, Default)]
pub(crate) struct CheckedRow {
    /// The record's id, if a column gives it.
    pub id: Option<ParsedId>,
    /// The action in the row's `_action` cell.
    pub action: Option<RowAction>,
    pub values: Vec<ParsedField>,
    /// Cells that describe a referenced record.
    pub related: Vec<ParsedRelated>,
    /// Custom fields, from columns of their own and from a JSON cell.
    pub custom: Vec<ParsedCustomField>,
    /// Whether the row says anything of the record. Rows need not say anything of further ones.
    pub says_record: bool,
    /// Why the row is no record; it then asks to be skipped.
    pub non_record: Option<NonRecord>,
    /// Required fields without a value; a problem only if the row creates a record.
    pub missing: Vec<usize>,
    /// The sign of the row's amounts, if only it says in which currency they are.
    pub sign: Option<CurrencySign>,
    pub problems: Vec<Problem>,
    /// Where the values of derived columns come from.
    pub derived: Vec<DerivedCell>,
    /// Names in whose place others count.
    pub renamed: Vec<RenamedCell>,
    /// Cells of columns that name records, in the order of the columns, whose text the column has held before.
    pub recurring: Vec<RecurringCell>,
    /// Columns of people's names in which the name is written last name first.
    pub last_name_first: Vec<u32>,
    /// Values that are read in a way the user should know of.
    pub remarks: Vec<CellRemark>,
    /// Of a row that an earlier run was done with, and that may have been edited since.
    pub earlier: Option<EarlierRunRow>,
    /// When the run began whose result the row is of, if it left this record, or check-out, of the row.
    pub left_since: Option<Timestamp>,
    /// Columns of the cells for which the row failed in an earlier run, because another row changed or deleted what they
    /// name.
    pub contradicted_before: Vec<u32>,
}

/// What a row said when an earlier run was done with it.
#[derive(Debug)]
pub(crate) enum EarlierRunRow {
    /// As that run read it, filled and checked like the row itself; and when the record was last changed as far as that
    /// run knew, if it did.
    Known { row: Row, checked: Box<CheckedRow>, changed: Option<Timestamp> },
    /// No journal tells.
    Unknown,
}

impl EarlierRunRow {
    /// Whether a cell of a row says what it said then.
    pub(crate) fn has_cell(&self, row: &Row, column: u32) -> bool {
        let EarlierRunRow::Known { row: earlier, .. } = self else { return false };
        let column = column as usize;
        text::trimmed(earlier.cell(column).text) == text::trimmed(row.cell(column).text)
    }
}

/// A cell whose text the column has held before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecurringCell {
    /// The cell's column, from 0.
    pub column: u32,
    pub text: TextId,
}

/// A name that means another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RenamedCell {
    /// The cell's column, from 0.
    pub column: u32,
    pub from: Box<str>,
    pub to: Box<str>,
}

impl RenamedCell {
    /// What was done, for messages.
    pub(crate) fn text(&self) -> String {
        format!("`{}` read as `{}` (aliases)", self.from, self.to)
    }
}

/// The id in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ParsedId {
    pub number: i64,
    /// The cell's column, from 0.
    pub column: u32,
    pub ownership: IdOwnership,
}

impl ParsedId {
    /// The number, if it is known to be one of this account's ids.
    pub(crate) fn verified(self) -> Option<i64> {
        (self.ownership == IdOwnership::Verified).then_some(self.number)
    }
}

/// A field and the value of its cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ParsedField {
    /// Index into the entity's fields.
    pub field: usize,
    /// The cell's column, from 0.
    pub column: u32,
    pub value: ParsedValue,
}

/// The sign of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CurrencySign {
    /// The cell's column, from 0.
    pub column: u32,
    pub hint: CurrencyHint,
}

/// A cell that describes a referenced record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ParsedRelated {
    pub field: usize,
    pub related: &'static str,
    pub column: u32,
}

/// A custom field of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParsedCustomField {
    /// The cell's column, from 0.
    pub column: u32,
    /// Its name and value, if the cell says both. Otherwise the column is the field's own, and the cell its value.
    pub pair: Option<Box<(String, String)>>,
}

impl ParsedCustomField {
    /// Its name and value; none where the sheet names no field of the column.
    pub(crate) fn field(&self, mapping: &Mapping, row: &Row) -> Option<CustomField> {
        let (name, value) = match self.pair.as_deref() {
            Some((name, value)) => (name.as_str(), value.as_str()),
            None => (mapping.custom_name(self.column)?, custom_text(row.cell(self.column as usize))),
        };
        Some(CustomField { name: name.to_owned(), value: value.to_owned(), column: self.column })
    }
}

/// A custom field and its value; empty clears it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomField {
    pub name: String,
    pub value: String,
    /// The cell's column, from 0.
    pub column: u32,
}

/// A checked value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ParsedValue {
    /// The cell's trimmed text.
    Text,
    Integer(i64),
    Amount(Decimal),
    Date(jiff::civil::Date),
    Boolean(bool),
    /// Index into the documented options.
    Option(usize),
    Currency(&'static str),
    /// The cell's text is the name of a record.
    Name(Ids),
    /// A user's e-mail address; the activity log has the id.
    UserEmail,
    /// Clear the field.
    Clear,
}

impl CheckedRow {
    /// Forgets all but what filling the row has noted.
    pub(super) fn reset(&mut self) {
        self.id = None;
        self.action = None;
        self.values.clear();
        self.related.clear();
        self.custom.clear();
        self.non_record = None;
        self.missing.clear();
        self.sign = None;
        self.problems.clear();
        self.recurring.clear();
        self.last_name_first.clear();
        self.remarks.clear();
        self.earlier = None;
        self.left_since = None;
        self.contradicted_before.clear();
    }

    /// Whether there is anything to tell of a row that was checked.
    pub(crate) fn is_flagged(&self) -> bool {
        let is_told = !(self.problems.is_empty() && self.remarks.is_empty() && self.missing.is_empty());
        is_told || self.action.is_some()
    }

    /// The names and values of the row's custom fields.
    pub(crate) fn custom_fields(&self, mapping: &Mapping, row: &Row) -> Vec<CustomField> {
        self.custom.iter().filter_map(|given| given.field(mapping, row)).collect()
    }

    /// Remarks on a cell; `shown` is the part of its text that the remark is about.
    pub(crate) fn remark(&mut self, kind: RemarkKind, column: usize, shown: &str) {
        self.remarks.push(CellRemark { kind, column: column as u32, shown: shown.into() });
    }

    /// The value of a field, if the row has one.
    pub(crate) fn parsed(&self, field: usize) -> Option<&ParsedField> {
        self.values.iter().find(|given| given.field == field)
    }

    /// Whether a column names a record, or says its name, and whether bare numbers in it are ids.
    pub(crate) fn names_record(&self, column: u32) -> Option<Ids> {
        let named = self.values.iter().find(|given| given.column == column).and_then(|given| match given.value {
            ParsedValue::Name(ids) => Some(ids),
            ParsedValue::Text => Some(Ids::Marked),
            _ => None,
        });
        named.or_else(|| self.related.iter().any(|related| related.column == column).then_some(Ids::Marked))
    }

    /// Moves what was found in derived columns to the cells that they come from.
    pub(crate) fn locate(&mut self, row: &Row, mapping: &Mapping) {
        let mut problems = std::mem::take(&mut self.problems);
        self.locate_problems(&mut problems, row, mapping);
        self.problems = problems;
        self.locate_remarks();
    }

    /// Moves remarks on derived columns to the cells that they come from.
    pub(crate) fn locate_remarks(&mut self) {
        let mut remarks = std::mem::take(&mut self.remarks);
        remarks.iter_mut().for_each(|remark| remark.column = self.cell_of(remark.column));
        self.remarks = remarks;
    }

    /// The column of the sheet that the value of a derived column comes from; any other column itself.
    pub(crate) fn cell_of(&self, column: u32) -> u32 {
        let derived = self.derived.iter().find(|derived| derived.column == column);
        derived.and_then(|derived| derived.source).unwrap_or(column)
    }

    /// Whether the value of a column comes from a cell that an earlier run found to be contradicted.
    pub(crate) fn is_contradicted_before(&self, column: u32) -> bool {
        self.contradicted_before.contains(&self.cell_of(column))
    }

    /// Moves problems with derived columns to the cells of `row` that they come from. What several fields find in the one cell
    /// that they read is one problem. A default has no cell.
    pub(crate) fn locate_problems(&self, problems: &mut Vec<Problem>, row: &Row, mapping: &Mapping) {
        // Each with the rules that read its cell; none where its column feeds a field itself.
        let mut located: Vec<(Problem, Vec<&DerivedColumn>)> = Vec::new();
        for mut problem in problems.drain(..) {
            self.name_as_typed(&mut problem);
            let rule = problem.column.and_then(|column| {
                let (cell, derived) = (self.derived_cell(column)?, mapping.derived_at(column as usize)?);
                problem.column = cell.source;
                Some(derived)
            });
            if let (Some(column), Some(derived)) = (problem.column.map(|column| column as usize), rule)
                && derived.source.joined(Some(column)).is_none()
            {
                problem.found = revealed(row.cell(column).text).into();
            }
            let is_same = |(known, _): &&mut (Problem, Vec<&DerivedColumn>)| {
                let (known_error, error) = (&known.error, &problem.error);
                problem.column.is_some()
                    && known.column == problem.column
                    && known_error.code == error.code
                    && known_error.message == error.message
            };
            match (located.iter_mut().find(is_same), rule) {
                (None, rule) => located.push((problem, rule.into_iter().collect())),
                (Some((known, rules)), rule) => {
                    // That the cell may be left empty has to be true of all of them.
                    if problem.error.hint().len() < known.error.hint().len() {
                        known.error.hint = problem.error.hint;
                    }
                    match rule {
                        Some(rule) if !rules.is_empty() => rules.push(rule),
                        Some(_) => {}
                        None => rules.clear(),
                    }
                }
            }
        }
        problems.extend(located.into_iter().map(|(mut problem, rules)| {
            let column = problem.column.filter(|_| !rules.is_empty());
            if let Some((column, header)) = column.and_then(|column| Some((column, mapping.header(column)?))) {
                let at = CellRef { row: row.number, column };
                let targets: Vec<String> = rules.iter().map(|rule| mapping.shown_target(&rule.rule.target)).collect();
                let message = format!("{} from {header}, {at}: {}", targets.join(" and "), problem.error.message);
                problem.error.message = revealed(&message).into_owned().into();
            }
            problem
        }));
    }

    /// Makes a problem with a name that means another one show both. A problem may come by twice.
    fn name_as_typed(&self, problem: &mut Problem) {
        let is_it = |cell: &&RenamedCell| Some(cell.column) == problem.column && problem.found == cell.to;
        if let Some(renamed) = self.renamed.iter().find(is_it) {
            problem.found = revealed(&renamed.from).into();
            let message = format!("{}: {}", renamed.text(), problem.error.message);
            problem.error.message = revealed(&message).into_owned().into();
        }
    }

    /// The names in whose place others count, for the row's message.
    pub(crate) fn renamed_text(&self) -> String {
        let mut texts: Vec<String> = self.renamed.iter().map(RenamedCell::text).collect();
        texts.dedup();
        texts.join("; ")
    }

    /// Which of several columns each value comes from, where a rule takes the first that is filled: `asset_id from Serial
    /// number, C17`. What other rules read is the same in every row, and the mapping names it.
    pub(crate) fn sources_text(&self, row: &Row, mapping: &Mapping) -> String {
        let texts = self.derived.iter().filter_map(|cell| {
            let derived = mapping.derived_at(cell.column as usize)?;
            let column = cell.source.filter(|column| holds_value(row.cell(*column as usize)))?;
            let is_choice = matches!(&derived.source, ValueSource::FirstOf(columns) if columns.len() > 1);
            let (header, at) = (mapping.header(column)?, CellRef { row: row.number, column });
            let target = mapping.shown_target(&derived.rule.target);
            is_choice.then(|| revealed(&format!("{target} from {header}, {at}")).into_owned())
        });
        texts.collect::<Vec<String>>().join("; ")
    }

    /// The first column of those that a value is joined from in which the row has none.
    pub(crate) fn blank_part(&self, row: &Row, mapping: &Mapping, column: u32) -> Option<u32> {
        let first = self.derived_cell(column)?.source.map(|first| first as usize);
        let (_, parts) = mapping.derived_at(column as usize)?.source.joined(first)?;
        parts.iter().find(|part| !holds_value(row.cell(**part))).map(|part| *part as u32)
    }

    /// Where the value of a derived column comes from.
    pub(crate) fn derived_cell(&self, column: u32) -> Option<&DerivedCell> {
        self.derived.iter().find(|cell| cell.column == column)
    }

    /// Whether a value comes from no cell of the row.
    pub(crate) fn is_default(&self, column: u32) -> bool {
        self.derived_cell(column).is_some_and(|cell| cell.origin == DerivedOrigin::Default)
    }

    /// The kind of record that stands in a column instead of a name.
    pub(crate) fn record_kind(&self, column: u32) -> Option<&'static str> {
        self.derived_cell(column)?.record_kind
    }

    /// Reports missing required fields as problems, because the row would create a record, or may.
    pub(crate) fn report_missing(&mut self, mapping: &Mapping, creation: Creation) {
        for field in &self.missing {
            let field = &mapping.entity.fields[*field];
            let column = mapping.column_of(field.name);
            let error = if column.is_some() { missing(field) } else { unfed(field, mapping) };
            let is_key = mapping.entity.key.contains(&field.name);
            let error = if creation == Creation::Possible && !is_key { for_new_records(error) } else { error };
            self.problems.push(error.at(column, ""));
        }
        self.missing.clear();
    }
}

/// Whether a row makes a new record, which must have every required field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Creation {
    Certain,
    /// Only the account can tell.
    Possible,
}

/// Says that only a new record needs the value.
fn for_new_records(error: ValueError) -> ValueError {
    let hint = error.hint.map_or_else(String::new, |hint| format!("{hint}; "));
    ValueError::new(
        error.code,
        format!("{}; only records that the account does not have yet need it", error.message),
        format!("{hint}`tallyport import --dry-run` knows which records the account has"),
    )
}

/// As [`missing`], where no column could have the value.
fn unfed(field: &Field, mapping: &Mapping) -> ValueError {
    if mapping.origin == RecordOrigin::Described {
        let text = format!("no rule for `{}` (required)", mapping.shown_target(field.name));
        let hint = format!("add a rule for `{}` below [also.{}]", field.name, mapping.entity.name);
        return ValueError::new(Code::RequiredMissing, text, hint);
    }
    let not_understood = mapping.not_understood();
    let text = missing_field_text(field.name, &not_understood);
    ValueError::new(Code::RequiredMissing, text, missing_field_hint(field.name, &not_understood))
}

fn missing(field: &Field) -> ValueError {
    ValueError::new(
        Code::RequiredMissing,
        format!("missing value for `{}`; expected a value such as `{}`", field.name, field.example),
        format!("fill in `{}`", field.name),
    )
}
