//! Checks one row: its values, or all its problems.

use rust_decimal::{Decimal, RoundingStrategy};

use super::column::{DateSurvey, MoneySurvey};
use super::date::{self, DateReading};
use super::duplicates::{EarlierRow, SeenRecords};
use super::money::{self, CurrencyHint, DecimalMark};
use super::problem::{Code, Problem, ValueError};
use super::rules::{Duplicates, EmptyCells, FractionalCost, RowAction, Rules};
use super::{choice, custom, text};
use crate::mapping::{ColumnTarget, IdOwnership, Ids, Mapping, TimestampColumn};
use crate::schema::{Field, Kind, TextForm, Wire, fold_name_into};
use crate::table::{Cell, Row, Value};

/// The text that clears a field (design rule 3).
pub const CLEAR: &str = "<clear>";

/// A checked row; reused from row to row. Text stays in the [`Row`] and is looked up by column.
#[derive(Debug, Default)]
pub struct CheckedRow {
    /// The record's id, if a column gives it.
    pub id: Option<ParsedId>,
    /// The action in the row's `_action` cell.
    pub action: Option<RowAction>,
    pub values: Vec<ParsedField>,
    /// Cells that describe a referenced record.
    pub related: Vec<ParsedRelated>,
    /// Custom fields, from columns of their own and from a JSON cell.
    pub custom: Vec<ParsedCustomField>,
    /// Required fields without a value; a problem only if the row creates a record.
    pub missing: Vec<usize>,
    pub problems: Vec<Problem>,
}

/// The id in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedId {
    pub number: i64,
    /// The cell's column, from 0.
    pub column: u32,
    pub ownership: IdOwnership,
}

impl ParsedId {
    /// The number, if it is known to be one of this account's ids.
    pub fn verified(self) -> Option<i64> {
        (self.ownership == IdOwnership::Verified).then_some(self.number)
    }
}

/// A field and the value of its cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParsedField {
    /// Index into the entity's fields.
    pub field: usize,
    /// The cell's column, from 0.
    pub column: u32,
    pub value: ParsedValue,
}

/// A cell that describes a referenced record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedRelated {
    pub field: usize,
    pub related: &'static str,
    pub column: u32,
}

/// A custom field and its value; empty clears it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedCustomField {
    pub name: String,
    pub value: String,
    /// The cell's column, from 0.
    pub column: u32,
}

/// A checked value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParsedValue {
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
    fn reset(&mut self) {
        self.id = None;
        self.action = None;
        self.values.clear();
        self.related.clear();
        self.custom.clear();
        self.missing.clear();
        self.problems.clear();
    }

    /// The value of a field, if the row has one.
    pub fn parsed(&self, field: usize) -> Option<&ParsedField> {
        self.values.iter().find(|given| given.field == field)
    }

    /// Reports missing required fields as problems, because the row would create a record.
    pub fn report_missing(&mut self, mapping: &Mapping) {
        for field in &self.missing {
            let field = &mapping.entity.fields[*field];
            let column = mapping.column_of(field.name);
            self.problems.push(missing(field).at(column, ""));
        }
        self.missing.clear();
    }
}

fn missing(field: &Field) -> ValueError {
    ValueError::new(
        Code::RequiredMissing,
        format!("missing value for `{}`; expected a value such as `{}`", field.name, field.example),
        format!("fill in `{}`", field.name),
    )
}

/// How to read a column.
struct ColumnCheck {
    column: usize,
    role: ColumnRole,
    reading: DateReading,
    mark: Option<DecimalMark>,
}

enum ColumnRole {
    Field { index: usize, field: &'static Field, ids: Ids },
    Related { field: usize, related: &'static str },
    Custom(String),
    Id(IdOwnership),
    Action,
}

/// What the whole column shows, collected while rows are checked.
#[derive(Default)]
struct ColumnSurvey {
    dates: DateSurvey,
    amounts: MoneySurvey,
}

/// Checks the rows of one sheet.
///
/// Text dates or amounts may be unambiguous only in the context of the whole column. The first pass checks and
/// surveys at the same time. If [`Checker::infer_formats`] then learns something from the surveys, a second pass must
/// follow.
pub struct Checker<'m> {
    mapping: &'m Mapping,
    rules: &'m Rules,
    columns: Vec<ColumnCheck>,
    surveys: Vec<ColumnSurvey>,
    required: Vec<usize>,
    /// The columns of the natural key, if each key field is a plain cell of the row.
    key_columns: Vec<usize>,
    key: String,
    seen: SeenRecords,
    /// Whether unverified ids can be told from another system's by the timestamps next to them, as in an export.
    compares_unverified_ids: bool,
    extra_cells: ExtraCells,
    /// Optional cells with a placeholder such as `n/a`, read as blank.
    pub marks_read_as_blank: u64,
}

/// How to treat values to the right of the last header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtraCells {
    /// A sign that the row's cells have shifted, as after an unquoted comma in a CSV file.
    Problem,
    /// A side note in a workbook.
    Ignored,
}

impl<'m> Checker<'m> {
    /// `match_on` are the fields that identify a record, used to find duplicates within the sheet.
    pub fn new(mapping: &'m Mapping, rules: &'m Rules, match_on: &[&'static str], extra_cells: ExtraCells) -> Self {
        let columns: Vec<ColumnCheck> =
            mapping.columns.iter().filter_map(|column| column_check(mapping, rules, column)).collect();
        let key_columns: Option<Vec<usize>> = match_on
            .iter()
            .filter(|name| mapping.feeds(name))
            .map(|name| Some(mapping.column_of(name)? as usize))
            .collect();
        let first_is_fed = match_on.first().is_some_and(|name| mapping.feeds(name));
        Self {
            mapping,
            rules,
            surveys: columns.iter().map(|_| ColumnSurvey::default()).collect(),
            columns,
            required: (0..mapping.entity.fields.len())
                .filter(|index| mapping.entity.fields[*index].is_required())
                .collect(),
            key_columns: key_columns.filter(|_| first_is_fed).unwrap_or_default(),
            key: String::new(),
            seen: SeenRecords::default(),
            compares_unverified_ids: mapping.timestamp_column(TimestampColumn::Updated).is_some(),
            extra_cells,
            marks_read_as_blank: 0,
        }
    }

    /// Applies what the surveys show to the columns. Returns whether the rows must be read again.
    pub fn infer_formats(&mut self) -> Inference {
        let mut inference = Inference::Final;
        for (column, survey) in self.columns.iter_mut().zip(&self.surveys) {
            if column.reading.format.is_none()
                && column.reading.order.is_none()
                && survey.dates.needs_order()
                && survey.dates.decide().is_some()
            {
                column.reading.order = survey.dates.decide();
                inference = Inference::NeedsSecondPass;
            }
            if column.mark.is_none() && survey.amounts.needs_mark() && survey.amounts.decide().is_some() {
                column.mark = survey.amounts.decide();
                inference = Inference::NeedsSecondPass;
            }
        }
        inference
    }

    /// Forgets the rows seen so far, but keeps what was inferred, for the next pass.
    pub fn rewind(&mut self) {
        self.seen = SeenRecords::default();
        self.marks_read_as_blank = 0;
    }

    /// Checks one row; the result goes into `checked`.
    pub fn check(&mut self, row: &Row, checked: &mut CheckedRow) {
        checked.reset();
        let mut hint: Option<(u32, CurrencyHint)> = None;
        for (column, survey) in self.columns.iter().zip(&mut self.surveys) {
            let cell = row.cell(column.column);
            match &column.role {
                ColumnRole::Field { index, field, ids } => {
                    let mut reader = FieldReader {
                        rules: self.rules,
                        column,
                        survey,
                        hint: &mut hint,
                        marks: &mut self.marks_read_as_blank,
                    };
                    match reader.read(cell, field, *ids, checked) {
                        Ok(Some(value)) => {
                            checked.values.push(ParsedField { field: *index, column: column.column as u32, value })
                        }
                        Ok(None) => {}
                        Err(error) => checked.problems.push(error.at(Some(column.column as u32), cell.text)),
                    }
                }
                other => read_other(other, column.column as u32, cell, self.rules.blank, checked),
            }
        }
        self.infer_currency(row, hint, checked);
        self.find_missing(checked);
        self.find_extra_cells(row, checked);
        self.find_duplicate(row, checked);
    }

    /// Compares an amount's currency with the currency column, or uses it as the currency if there is no column and
    /// it is unambiguous.
    fn infer_currency(&self, row: &Row, hint: Option<(u32, CurrencyHint)>, checked: &mut CheckedRow) {
        let (Some((column, hint)), Some(index)) = (hint, self.mapping.entity.field_index("currency")) else { return };
        let code = match checked.parsed(index) {
            Some(ParsedField { value: ParsedValue::Currency(code), .. }) => *code,
            Some(_) => return,
            None => {
                if let Some(code) = hint.code() {
                    checked.values.push(ParsedField { field: index, column, value: ParsedValue::Currency(code) });
                }
                return;
            }
        };
        if !hint.allows(code) {
            let error = ValueError::new(
                Code::MoneyCurrency,
                format!("the amount is in {hint}, but the currency column says `{code}`"),
                "correct the currency column or the amount",
            );
            checked.problems.push(error.at(Some(column), row.cell(column as usize).text));
        }
    }

    fn find_missing(&self, checked: &mut CheckedRow) {
        for field in &self.required {
            let given = checked.parsed(*field).is_some();
            let at_fault = || {
                let column = self.mapping.column_of(self.mapping.entity.fields[*field].name);
                column.is_some() && checked.problems.iter().any(|problem| problem.column == column)
            };
            if !given && !at_fault() {
                checked.missing.push(*field);
            }
        }
    }

    fn find_extra_cells(&self, row: &Row, checked: &mut CheckedRow) {
        if self.extra_cells == ExtraCells::Ignored {
            return;
        }
        let width = self.mapping.width();
        if let Some(column) = (width..row.len()).find(|column| !row.cell(*column).is_blank()) {
            let error = ValueError::new(
                Code::ColumnExtra,
                format!("value beyond the last header; expected at most {width} values"),
                "put quotes around the value that holds the delimiter, such as \"1,299.00\"",
            );
            checked.problems.push(error.at(Some(column as u32), row.cell(column).text));
        }
    }

    fn find_duplicate(&mut self, row: &Row, checked: &mut CheckedRow) {
        if self.rules.duplicates == Duplicates::Allowed {
            return;
        }
        let id = checked.id.filter(|id| self.compares_unverified_ids || id.ownership == IdOwnership::Verified);
        if checked.action == Some(RowAction::Skip) || (self.key_columns.is_empty() && id.is_none()) {
            return;
        }
        self.key.clear();
        for column in &self.key_columns {
            fold_name_into(row.cell(*column).text, &mut self.key);
            self.key.push('\u{1f}');
        }
        if self.key.starts_with('\u{1f}') {
            self.key.clear();
        }
        let (first, column) = match self.seen.earlier(id.map(|id| id.number), &self.key, row.number) {
            None => return,
            Some(EarlierRow::SameId(first)) => (first, id.map(|id| id.column)),
            Some(EarlierRow::SameKey(first)) => (first, self.key_columns.first().map(|column| *column as u32)),
        };
        let message = format!("duplicate of row {first}");
        let error =
            ValueError::new(Code::DuplicateKey, message, "merge the two rows, or correct the one that is wrong");
        let found = column.map_or("", |column| row.cell(column as usize).text);
        checked.problems.push(error.at(column, found));
    }
}

/// Whether the surveys changed how a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inference {
    Final,
    NeedsSecondPass,
}

fn column_check(mapping: &Mapping, rules: &Rules, column: &crate::mapping::Column) -> Option<ColumnCheck> {
    let role = match &column.target {
        ColumnTarget::Field { field, ids } => {
            ColumnRole::Field { index: *field, field: &mapping.entity.fields[*field], ids: *ids }
        }
        ColumnTarget::Related { field, related } => ColumnRole::Related { field: *field, related },
        ColumnTarget::Custom(name) => ColumnRole::Custom(name.clone()),
        ColumnTarget::Id(ownership) => ColumnRole::Id(*ownership),
        ColumnTarget::Action => ColumnRole::Action,
        ColumnTarget::Timestamp(_) | ColumnTarget::Result(_) | ColumnTarget::Ignored(_) => return None,
    };
    let reading = DateReading { format: rules.date_format.clone(), order: None };
    Some(ColumnCheck { column: column.index, role, reading, mark: rules.decimal })
}

/// Reads cells that are not fields of the record.
fn read_other(role: &ColumnRole, column: u32, cell: Cell<'_>, blank: EmptyCells, checked: &mut CheckedRow) {
    if cell.is_blank() {
        if let (ColumnRole::Custom(name), EmptyCells::Clear) = (role, blank) {
            checked.custom.push(ParsedCustomField { name: name.clone(), value: String::new(), column });
        }
        return;
    }
    let read = match role {
        ColumnRole::Field { .. } => Ok(()),
        ColumnRole::Related { .. } if text::trimmed(cell.text) == CLEAR => Err(ValueError::new(
            Code::ClearNotAllowed,
            "cannot clear a cell that describes another record",
            "change that record in a sheet of its own, or leave the cell empty",
        )),
        ColumnRole::Related { field, related } => readable(cell).map(|()| {
            if !text::is_no_value_mark(text::trimmed(cell.text)) {
                checked.related.push(ParsedRelated { field: *field, related, column });
            }
        }),
        ColumnRole::Custom(name) => readable(cell).map(|()| {
            checked.custom.push(ParsedCustomField { name: name.clone(), value: custom_text(cell), column });
        }),
        ColumnRole::Id(ownership) => record_id(cell).map(|number| {
            let given = ParsedId { number, column, ownership: *ownership };
            checked.id = Some(checked.id.filter(|other| other.ownership <= given.ownership).unwrap_or(given));
        }),
        ColumnRole::Action => match RowAction::parse(cell.text) {
            Some(action) => {
                checked.action = Some(action);
                Ok(())
            }
            None => Err(ValueError::new(
                Code::ActionInvalid,
                format!("invalid action; expected {}", RowAction::VERBS),
                "use one of these, or leave the cell empty",
            )),
        },
    };
    if let Err(error) = read {
        checked.problems.push(error.at(Some(column), cell.text));
    }
}

/// A custom field's value; `<clear>` clears it.
fn custom_text(cell: Cell<'_>) -> String {
    match text::trimmed(cell.text) {
        CLEAR => String::new(),
        text => text.to_owned(),
    }
}

/// Parses a record's system id: `123` or `#123`.
fn record_id(cell: Cell<'_>) -> Result<i64, ValueError> {
    let digits = text::trimmed(cell.text).trim_start_matches('#');
    digits.parse().ok().filter(|id| *id > 0).ok_or_else(|| {
        ValueError::new(
            Code::IdInvalid,
            "invalid record id; expected the record's number in the account, such as `123`",
            "if the column holds something else, use --map to say what, or --ignore it",
        )
    })
}

/// Rejects what is invalid in any cell: error values, formulas without a result, undecodable text.
fn readable(cell: Cell<'_>) -> Result<(), ValueError> {
    match cell.value {
        Value::Error => Err(ValueError::new(
            Code::CellError,
            "spreadsheet error instead of a value",
            "correct the formula, or type the value",
        )),
        Value::Unevaluated => Err(ValueError::new(
            Code::CellUnevaluated,
            "formula without a stored result",
            "open the file in a spreadsheet program and save it, or type the value",
        )),
        Value::Text if text::has_replacement(cell.text) => Err(ValueError::new(
            Code::CellUndecoded,
            "undecodable text: it contains the replacement character \u{fffd}",
            "correct the letters, or name the file's encoding with --encoding",
        )),
        _ => Ok(()),
    }
}

/// Reads one cell as a field.
struct FieldReader<'c> {
    rules: &'c Rules,
    column: &'c ColumnCheck,
    survey: &'c mut ColumnSurvey,
    hint: &'c mut Option<(u32, CurrencyHint)>,
    marks: &'c mut u64,
}

impl FieldReader<'_> {
    fn read(
        &mut self,
        cell: Cell<'_>,
        field: &'static Field,
        ids: Ids,
        checked: &mut CheckedRow,
    ) -> Result<Option<ParsedValue>, ValueError> {
        if cell.is_blank() {
            let clears = self.rules.blank == EmptyCells::Clear && field.update && !field.is_required();
            return Ok(clears.then_some(ParsedValue::Clear));
        }
        readable(cell)?;
        let trimmed = text::trimmed(cell.text);
        if trimmed == CLEAR {
            return clear(field);
        }
        if text::is_no_value_mark(trimmed) {
            return self.no_value(field);
        }
        self.value(cell, trimmed, field, ids, checked).map(Some)
    }

    fn no_value(&mut self, field: &'static Field) -> Result<Option<ParsedValue>, ValueError> {
        if field.is_required() {
            return Err(ValueError::new(
                Code::RequiredNoValue,
                format!("missing value for `{}`; expected a value such as `{}`", field.name, field.example),
                "type the value",
            ));
        }
        *self.marks += 1;
        Ok(None)
    }

    fn value(
        &mut self,
        cell: Cell<'_>,
        trimmed: &str,
        field: &'static Field,
        ids: Ids,
        checked: &mut CheckedRow,
    ) -> Result<ParsedValue, ValueError> {
        match field.kind {
            Kind::Text(form) => plain_text(cell, trimmed, form),
            Kind::Integer { least } => text::integer(cell, least).map(ParsedValue::Integer),
            Kind::Money => self.amount(cell),
            Kind::Date => self.date(cell),
            Kind::Boolean => choice::boolean(cell).map(ParsedValue::Boolean),
            Kind::Currency => choice::currency(trimmed).map(ParsedValue::Currency),
            Kind::Option(choices) => choice::option(trimmed, choices.create).map(ParsedValue::Option),
            Kind::Reference(reference) => {
                if let (Wire::Tag, Some(error)) = (reference.wire, text::damaged(cell)) {
                    return Err(error);
                }
                Ok(ParsedValue::Name(ids))
            }
            Kind::User => user(cell, trimmed),
            Kind::CustomFields => {
                let column = self.column.column as u32;
                let pairs = custom::json_cell(trimmed)?.into_iter();
                checked.custom.extend(pairs.map(|(name, value)| ParsedCustomField { name, value, column }));
                Ok(ParsedValue::Text)
            }
            Kind::Structure => Ok(ParsedValue::Text),
        }
    }

    fn date(&mut self, cell: Cell<'_>) -> Result<ParsedValue, ValueError> {
        if cell.value == Value::Text && self.column.reading.order.is_none() {
            self.survey.dates.observe(cell.text);
        }
        date::parse(cell, &self.column.reading).map(ParsedValue::Date)
    }

    fn amount(&mut self, cell: Cell<'_>) -> Result<ParsedValue, ValueError> {
        if cell.value == Value::Text && self.column.mark.is_none() {
            self.survey.amounts.observe(cell.text);
        }
        let amount = money::parse(cell, self.column.mark)?;
        if amount.value.is_sign_negative() && !amount.value.is_zero() {
            return Err(ValueError::new(
                Code::MoneyNegative,
                "negative amount; expected zero or more",
                "correct the amount, or leave the cell empty",
            ));
        }
        if let Some(hint) = amount.currency {
            *self.hint = Some((self.column.column as u32, hint));
        }
        if amount.value.fract().is_zero() {
            return Ok(ParsedValue::Amount(amount.value.trunc()));
        }
        match self.rules.fraction {
            FractionalCost::Send => Ok(ParsedValue::Amount(amount.value)),
            FractionalCost::Round => {
                Ok(ParsedValue::Amount(amount.value.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)))
            }
            FractionalCost::Error => Err(ValueError::new(
                Code::MoneyFraction,
                "fractional amount; the service documents whole amounts only",
                "pass --fractional-cost round or --fractional-cost send, or correct the amount",
            )),
        }
    }
}

fn clear(field: &'static Field) -> Result<Option<ParsedValue>, ValueError> {
    if field.is_required() || !field.update {
        return Err(ValueError::new(
            Code::ClearNotAllowed,
            format!("cannot clear `{}`; the field is required", field.name),
            "type the value, or leave the cell empty to keep the current value",
        ));
    }
    Ok(Some(ParsedValue::Clear))
}

fn plain_text(cell: Cell<'_>, trimmed: &str, form: TextForm) -> Result<ParsedValue, ValueError> {
    match form {
        TextForm::Email => text::email(trimmed)?,
        TextForm::Url => text::url(trimmed)?,
        TextForm::Plain => {
            if let Some(error) = text::damaged(cell) {
                return Err(error);
            }
        }
    }
    Ok(ParsedValue::Text)
}

fn user(cell: Cell<'_>, trimmed: &str) -> Result<ParsedValue, ValueError> {
    if trimmed.contains('@') {
        return text::email(trimmed).map(|()| ParsedValue::UserEmail);
    }
    text::integer(cell, 1).map(ParsedValue::Integer)
}
