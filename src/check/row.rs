//! One row against the schema: all its problems, or its values.

use rust_decimal::{Decimal, RoundingStrategy};

use super::column::{DateSurvey, MoneySurvey};
use super::date::{self, DateReading};
use super::duplicates::{Earlier, SeenRecords};
use super::money::{self, CurrencyHint, DecimalMark};
use super::problem::{Code, Problem, ValueError};
use super::rules::{Blank, Duplicates, FractionalCost, RowAction, Rules};
use super::{choice, custom, text};
use crate::catalog::fold_name_into;
use crate::mapping::{Ids, Mapping, OwnIds, Stamp, To};
use crate::schema::{Field, Kind, TextForm, Wire};
use crate::table::{Cell, Row, Value};

/// The literal that empties a field (design rule 3).
pub const CLEAR: &str = "<clear>";

/// A row after its check; reused from row to row. Texts stay in the [`Row`] and are found by their column.
#[derive(Debug, Default)]
pub struct CheckedRow {
    /// The record's own id, where a column gives it.
    pub id: Option<GivenId>,
    /// What the row asks for itself.
    pub action: Option<RowAction>,
    pub values: Vec<GivenField>,
    /// Texts that describe a referenced record.
    pub related: Vec<GivenRelated>,
    /// Custom fields by column, and those of a JSON cell.
    pub custom: Vec<GivenCustom>,
    /// Required fields the row leaves empty; a problem only where the row creates.
    pub missing: Vec<usize>,
    pub problems: Vec<Problem>,
}

/// The id of the record that a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenId {
    pub number: i64,
    /// The cell's column, from 0.
    pub column: u32,
    pub own: OwnIds,
}

impl GivenId {
    /// The number, where it is sure to be one of this account's.
    pub fn certain(self) -> Option<i64> {
        (self.own == OwnIds::Certain).then_some(self.number)
    }
}

/// A field with the value its cell gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GivenField {
    /// The position in the entity's fields.
    pub field: usize,
    /// The cell's column, from 0.
    pub column: u32,
    pub value: Given,
}

/// A cell's text that describes the record a reference names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenRelated {
    pub field: usize,
    pub related: &'static str,
    pub column: u32,
}

/// A custom field with its value; an empty one clears it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenCustom {
    pub name: String,
    pub value: String,
    /// The cell's column, from 0.
    pub column: u32,
}

/// A checked value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Given {
    /// The cell's text, trimmed.
    Text,
    Integer(i64),
    Amount(Decimal),
    Date(jiff::civil::Date),
    Boolean(bool),
    /// The position among the documented options.
    Option(usize),
    Currency(&'static str),
    /// The cell's text names a record.
    Name(Ids),
    /// A user's e-mail address, for the activity log to tell the id.
    UserEmail,
    /// The field is to be emptied.
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

    /// The value given for a field.
    pub fn given(&self, field: usize) -> Option<&GivenField> {
        self.values.iter().find(|given| given.field == field)
    }

    /// Turns the required fields left empty into problems: this row would create a record.
    pub fn require(&mut self, mapping: &Mapping) {
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

/// How one column is read.
struct ColumnCheck {
    column: usize,
    to: Use,
    reading: DateReading,
    mark: Option<DecimalMark>,
}

enum Use {
    Field { index: usize, field: &'static Field, ids: Ids },
    Related { field: usize, related: &'static str },
    Custom(String),
    Id(OwnIds),
    Action,
}

/// What the whole of a column tells, gathered while rows are checked.
#[derive(Default)]
struct ColumnSurvey {
    dates: DateSurvey,
    amounts: MoneySurvey,
}

/// The check of one sheet's rows.
///
/// A column of text dates or amounts may be readable only as a whole. The first pass checks and surveys at once;
/// where [`Checker::learn`] then finds that a survey decides something, a second pass has to follow.
pub struct Checker<'m> {
    mapping: &'m Mapping,
    rules: &'m Rules,
    columns: Vec<ColumnCheck>,
    surveys: Vec<ColumnSurvey>,
    required: Vec<usize>,
    /// The columns of the natural key, where every one is a plain cell of this row.
    key_columns: Vec<usize>,
    key: String,
    seen: SeenRecords,
    /// Whether a doubtful id is told from another system's by the moments beside it.
    ids: IdTrust,
    beyond: Beyond,
    /// Optional cells with a no-value mark, read as blank.
    pub marks_read_as_blank: u64,
}

/// What a value to the right of the last header is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// A sign that the row's cells have shifted, as an unquoted comma in a CSV file does.
    Problem,
    /// Somebody's side note in a workbook.
    Ignored,
}

impl<'m> Checker<'m> {
    /// `match_on` are the fields that say "the same record", for duplicates within the sheet.
    pub fn new(mapping: &'m Mapping, rules: &'m Rules, match_on: &[&'static str], beyond: Beyond) -> Self {
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
            ids: IdTrust::of(mapping),
            beyond,
            marks_read_as_blank: 0,
        }
    }

    /// Takes what the surveys decide into the reading of the columns; whether that changes what was read.
    pub fn learn(&mut self) -> Learned {
        let mut learned = Learned::Nothing;
        for (column, survey) in self.columns.iter_mut().zip(&self.surveys) {
            if column.reading.format.is_none()
                && column.reading.order.is_none()
                && survey.dates.needs_order()
                && survey.dates.decide().is_some()
            {
                column.reading.order = survey.dates.decide();
                learned = Learned::ReadAgain;
            }
            if column.mark.is_none() && survey.amounts.needs_mark() && survey.amounts.decide().is_some() {
                column.mark = survey.amounts.decide();
                learned = Learned::ReadAgain;
            }
        }
        learned
    }

    /// Forgets the rows seen, keeping what was learned: the next pass starts from the top.
    pub fn rewind(&mut self) {
        self.seen = SeenRecords::default();
        self.marks_read_as_blank = 0;
    }

    /// Checks one row; `checked` holds the outcome.
    pub fn check(&mut self, row: &Row, checked: &mut CheckedRow) {
        checked.reset();
        let mut hint: Option<(u32, CurrencyHint)> = None;
        for (column, survey) in self.columns.iter().zip(&mut self.surveys) {
            let cell = row.cell(column.column);
            match &column.to {
                Use::Field { index, field, ids } => {
                    let mut reader = FieldReader {
                        rules: self.rules,
                        column,
                        survey,
                        hint: &mut hint,
                        marks: &mut self.marks_read_as_blank,
                    };
                    match reader.read(cell, field, *ids, checked) {
                        Ok(Some(value)) => {
                            checked.values.push(GivenField { field: *index, column: column.column as u32, value })
                        }
                        Ok(None) => {}
                        Err(error) => checked.problems.push(error.at(Some(column.column as u32), cell.text)),
                    }
                }
                other => read_other(other, column.column as u32, cell, self.rules.blank, checked),
            }
        }
        self.settle_currency(row, hint, checked);
        self.find_missing(checked);
        self.find_shifted(row, checked);
        self.find_duplicate(row, checked);
    }

    /// An amount's own currency goes with the currency column, or stands in for it where it is unmistakable.
    fn settle_currency(&self, row: &Row, hint: Option<(u32, CurrencyHint)>, checked: &mut CheckedRow) {
        let (Some((column, hint)), Some(index)) = (hint, self.mapping.entity.field_index("currency")) else { return };
        let code = match checked.given(index) {
            Some(GivenField { value: Given::Currency(code), .. }) => *code,
            Some(_) => return,
            None => {
                if let Some(code) = hint.code() {
                    checked.values.push(GivenField { field: index, column, value: Given::Currency(code) });
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
            let given = checked.given(*field).is_some();
            let at_fault = || {
                let column = self.mapping.column_of(self.mapping.entity.fields[*field].name);
                column.is_some() && checked.problems.iter().any(|problem| problem.column == column)
            };
            if !given && !at_fault() {
                checked.missing.push(*field);
            }
        }
    }

    fn find_shifted(&self, row: &Row, checked: &mut CheckedRow) {
        if self.beyond == Beyond::Ignored {
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
        let id = checked.id.filter(|id| self.ids == IdTrust::All || id.own == OwnIds::Certain);
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
            Some(Earlier::SameId(first)) => (first, id.map(|id| id.column)),
            Some(Earlier::SameKey(first)) => (first, self.key_columns.first().map(|column| *column as u32)),
        };
        let message = format!("duplicate of row {first}");
        let error =
            ValueError::new(Code::DuplicateKey, message, "merge the two rows, or correct the one that is wrong");
        let found = column.map_or("", |column| row.cell(column as usize).text);
        checked.problems.push(error.at(column, found));
    }
}

/// Which ids say which record a row is about, as far as a look at the file alone goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IdTrust {
    CertainOnly,
    /// An export's own.
    All,
}

impl IdTrust {
    fn of(mapping: &Mapping) -> Self {
        match mapping.stamp_column(Stamp::Updated) {
            Some(_) => IdTrust::All,
            None => IdTrust::CertainOnly,
        }
    }
}

/// Whether a survey changed how a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learned {
    Nothing,
    ReadAgain,
}

fn column_check(mapping: &Mapping, rules: &Rules, column: &crate::mapping::Column) -> Option<ColumnCheck> {
    let to = match &column.to {
        To::Field { field, ids } => Use::Field { index: *field, field: &mapping.entity.fields[*field], ids: *ids },
        To::Related { field, related } => Use::Related { field: *field, related },
        To::Custom(name) => Use::Custom(name.clone()),
        To::Id(own) => Use::Id(*own),
        To::Action => Use::Action,
        To::Stamp(_) | To::Result(_) | To::Ignored(_) => return None,
    };
    let reading = DateReading { format: rules.date_format.clone(), order: None };
    Some(ColumnCheck { column: column.index, to, reading, mark: rules.decimal })
}

/// Reads the cells that are no field of the record.
fn read_other(to: &Use, column: u32, cell: Cell<'_>, blank: Blank, checked: &mut CheckedRow) {
    if cell.is_blank() {
        if let (Use::Custom(name), Blank::Clear) = (to, blank) {
            checked.custom.push(GivenCustom { name: name.clone(), value: String::new(), column });
        }
        return;
    }
    let read = match to {
        Use::Field { .. } => Ok(()),
        Use::Related { .. } if text::trimmed(cell.text) == CLEAR => Err(ValueError::new(
            Code::ClearNotAllowed,
            "cannot clear a cell that describes another record",
            "change that record in a sheet of its own, or leave the cell empty",
        )),
        Use::Related { field, related } => readable(cell).map(|()| {
            if !text::is_no_value_mark(text::trimmed(cell.text)) {
                checked.related.push(GivenRelated { field: *field, related, column });
            }
        }),
        Use::Custom(name) => readable(cell).map(|()| {
            checked.custom.push(GivenCustom { name: name.clone(), value: custom_text(cell), column });
        }),
        Use::Id(own) => record_id(cell).map(|number| {
            let given = GivenId { number, column, own: *own };
            checked.id = Some(checked.id.filter(|other| other.own <= given.own).unwrap_or(given));
        }),
        Use::Action => match RowAction::parse(cell.text) {
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

/// A custom field's value; `<clear>` empties it.
fn custom_text(cell: Cell<'_>) -> String {
    match text::trimmed(cell.text) {
        CLEAR => String::new(),
        text => text.to_owned(),
    }
}

/// A record's system id: `123` or `#123`.
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

/// What no cell may be, whatever it feeds: an error value, a formula without a result, text that was not decoded.
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

/// Reads one cell for one field.
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
    ) -> Result<Option<Given>, ValueError> {
        if cell.is_blank() {
            let clears = self.rules.blank == Blank::Clear && field.update && !field.is_required();
            return Ok(clears.then_some(Given::Clear));
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

    fn no_value(&mut self, field: &'static Field) -> Result<Option<Given>, ValueError> {
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
    ) -> Result<Given, ValueError> {
        match field.kind {
            Kind::Text(form) => plain_text(cell, trimmed, form),
            Kind::Integer { least } => text::integer(cell, least).map(Given::Integer),
            Kind::Money => self.amount(cell),
            Kind::Date => self.date(cell),
            Kind::Boolean => choice::boolean(cell).map(Given::Boolean),
            Kind::Currency => choice::currency(trimmed).map(Given::Currency),
            Kind::Option(choices) => choice::option(trimmed, choices.create).map(Given::Option),
            Kind::Reference(reference) => {
                if let (Wire::Tag, Some(error)) = (reference.wire, text::damaged(cell)) {
                    return Err(error);
                }
                Ok(Given::Name(ids))
            }
            Kind::User => user(cell, trimmed),
            Kind::CustomFields => {
                let column = self.column.column as u32;
                let pairs = custom::json_cell(trimmed)?.into_iter();
                checked.custom.extend(pairs.map(|(name, value)| GivenCustom { name, value, column }));
                Ok(Given::Text)
            }
            Kind::Structure => Ok(Given::Text),
        }
    }

    fn date(&mut self, cell: Cell<'_>) -> Result<Given, ValueError> {
        if cell.value == Value::Text && self.column.reading.order.is_none() {
            self.survey.dates.observe(cell.text);
        }
        date::parse(cell, &self.column.reading).map(Given::Date)
    }

    fn amount(&mut self, cell: Cell<'_>) -> Result<Given, ValueError> {
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
            return Ok(Given::Amount(amount.value.trunc()));
        }
        match self.rules.fraction {
            FractionalCost::Send => Ok(Given::Amount(amount.value)),
            FractionalCost::Round => {
                Ok(Given::Amount(amount.value.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)))
            }
            FractionalCost::Error => Err(ValueError::new(
                Code::MoneyFraction,
                "fractional amount; the service documents whole amounts only",
                "pass --fractional-cost round or --fractional-cost send, or correct the amount",
            )),
        }
    }
}

fn clear(field: &'static Field) -> Result<Option<Given>, ValueError> {
    if field.is_required() || !field.update {
        return Err(ValueError::new(
            Code::ClearNotAllowed,
            format!("cannot clear `{}`; the field is required", field.name),
            "type the value, or leave the cell empty to keep the current value",
        ));
    }
    Ok(Some(Given::Clear))
}

fn plain_text(cell: Cell<'_>, trimmed: &str, form: TextForm) -> Result<Given, ValueError> {
    match form {
        TextForm::Email => text::email(trimmed)?,
        TextForm::Url => text::url(trimmed)?,
        TextForm::Plain => {
            if let Some(error) = text::damaged(cell) {
                return Err(error);
            }
        }
    }
    Ok(Given::Text)
}

fn user(cell: Cell<'_>, trimmed: &str) -> Result<Given, ValueError> {
    if trimmed.contains('@') {
        return text::email(trimmed).map(|()| Given::UserEmail);
    }
    text::integer(cell, 1).map(Given::Integer)
}
