//! Reads one cell as what its column holds.

use rust_decimal::{Decimal, RoundingStrategy};

use super::checked_row::{CheckedRow, ParsedCustomField, ParsedField, ParsedId, ParsedRelated, ParsedValue};
use super::column::{DateSurvey, MoneySurvey};
use super::date::{self, DateFormat, DateReading};
use super::fill::whole_id;
use super::money::{self, DecimalMark, HeaderUnit};
use super::name_order::NameSurvey;
use super::problem::{Code, ValueError};
use super::remarks::RemarkKind;
use super::row::AmountCurrency;
use super::rules::{EmptyCells, FractionalCost, RowAction, Rules};
use super::text_cache::TextCache;
use super::{choice, custom, text};
use crate::mapping::{ColumnTarget, IdOwnership, Ids, TextFormats};

use crate::schema::{self, Entity, Field, Kind, Meaning, TextForm, Wire};
use crate::table::{Cell, Value};
use crate::unicode::{look_alike, without_invisible};

/// The text that clears a field, in any case (design rule 3).
const CLEAR: &str = "<clear>";

/// Whether a trimmed text clears its field.
#[inline]
pub(super) fn is_clear(text: &str) -> bool {
    text.eq_ignore_ascii_case(CLEAR)
}

/// Whether a cell that holds this name is read as just this name, so that a sheet may name the record by it.
pub(crate) fn reads_as_itself(name: &str) -> bool {
    let cell = Cell { text: name, value: Value::Text, format: None };
    let is_mark = text::is_no_value_mark(name) || is_clear(name);
    !is_mark && text::trimmed(name) == name && readable(cell).is_ok() && text::damaged_code(cell).is_none()
}

/// How to read a column.
#[derive(Debug, Clone)]
pub(super) struct ColumnCheck {
    pub(super) column: usize,
    /// Which of the mapping's derived columns it is.
    pub(super) derived: Option<usize>,
    pub(super) role: ColumnRole,
    /// Whether its texts are codes or names, in which a date or a rounded number is damage.
    pub(super) is_code: bool,
    /// Whether every character of its texts counts: in tags, serial numbers and addresses, but not in names.
    is_exact: bool,
    /// Whether its texts are serial numbers, be they tags too: what firmware reports for none is no value.
    pub(super) is_serial: bool,
    /// What its header says of amounts.
    pub(super) unit: HeaderUnit,
    pub(super) reading: DateReading,
    pub(super) mark: Option<DecimalMark>,
    /// Whether its texts name people.
    pub(super) names_people: bool,
    /// Whether the column as a whole writes them last name first.
    pub(super) is_last_name_first: bool,
    /// Whether a text is read alike wherever it stands, and says nothing of the column.
    pub(super) is_cacheable: bool,
    /// Whether its texts name records.
    pub(super) names_records: bool,
}

#[derive(Debug, Clone)]
pub(super) enum ColumnRole {
    Field { index: usize, field: &'static Field, ids: Ids },
    Related { field: usize, related: &'static str },
    Custom,
    Id(IdOwnership),
    Action,
}

impl ColumnCheck {
    /// How to read a column, by its position, header and target; none if it is not read.
    pub(super) fn new(
        entity: &'static Entity,
        rules: &Rules,
        (column, header): (usize, &str),
        target: &ColumnTarget,
    ) -> Option<Self> {
        let role = match target {
            ColumnTarget::Field { field, ids } => {
                ColumnRole::Field { index: *field, field: &entity.fields[*field], ids: *ids }
            }
            ColumnTarget::Related { field, related } => ColumnRole::Related { field: *field, related },
            ColumnTarget::Custom(_) => ColumnRole::Custom,
            ColumnTarget::Id(ownership) => ColumnRole::Id(*ownership),
            ColumnTarget::Action => ColumnRole::Action,
            ColumnTarget::Timestamp(_) | ColumnTarget::Result(_) | ColumnTarget::Ignored(_) => return None,
        };
        let reading = DateReading { format: rules.date_format.clone(), ..DateReading::default() };
        let (is_code, unit) = (role.is_code(entity), HeaderUnit::of(header));
        let is_exact = matches!(role, ColumnRole::Field { field, .. } if is_exact_code(field));
        let is_serial = matches!(role, ColumnRole::Field { field, .. } if field.meaning == Some(Meaning::Serial));
        let names_people = role.names_people(entity);
        let mark = rules.decimal;
        let is_cacheable = !names_people && role.is_cacheable();
        Some(Self {
            column,
            derived: None,
            role,
            is_code,
            is_exact,
            is_serial,
            unit,
            reading,
            mark,
            names_people,
            is_last_name_first: false,
            is_cacheable,
            names_records: false,
        })
    }

    /// Adds what a cell of the column was read as. The value is copied once, to where it stays: it is slow to read in one
    /// piece what was just written in two.
    #[inline]
    pub(super) fn accept(&self, value: &ParsedValue, checked: &mut CheckedRow) {
        let column = self.column as u32;
        match self.role {
            ColumnRole::Field { index, .. } => {
                checked.values.push(ParsedField { field: index, column, value: *value });
            }
            ColumnRole::Related { field, related } => checked.related.push(ParsedRelated { field, related, column }),
            ColumnRole::Custom => checked.custom.push(ParsedCustomField { column, pair: None }),
            ColumnRole::Id(_) | ColumnRole::Action => {}
        }
    }

    /// With what a mapping says of all its columns, which was checked when the mapping was made.
    pub(super) fn with_formats(mut self, formats: &TextFormats) -> Self {
        self.mark = formats.decimal.and_then(DecimalMark::of_char).or(self.mark);
        self.with_format(formats.date.as_deref())
    }

    /// With the date format of a rule, which was checked when the rule was read.
    pub(super) fn with_format(mut self, format: Option<&str>) -> Self {
        if let Some(format) = format.and_then(|format| DateFormat::parse(format).ok()) {
            self.reading.format = Some(format);
        }
        self
    }
}

impl ColumnRole {
    /// Whether a cell of the column has to hold a value.
    pub(super) fn is_required(&self) -> bool {
        matches!(self, ColumnRole::Field { field, .. } if field.is_required())
    }

    /// Whether the texts of the column name people: employees, or those that a reference may name.
    fn names_people(&self, entity: &Entity) -> bool {
        let ColumnRole::Field { field, .. } = self else { return false };
        match field.reference_to() {
            Some(reference) => schema::collection(reference.to).is_some_and(Entity::is_person),
            None => entity.is_person() && field.name == "name",
        }
    }

    fn is_cacheable(&self) -> bool {
        match self {
            ColumnRole::Field { field, .. } => match field.kind {
                Kind::Text(_)
                | Kind::Integer { .. }
                | Kind::Boolean
                | Kind::Currency
                | Kind::Option(_)
                | Kind::Reference(_)
                | Kind::User => true,
                Kind::Money | Kind::Date | Kind::CustomFields | Kind::Structure => false,
            },
            ColumnRole::Related { .. } | ColumnRole::Custom => true,
            ColumnRole::Id(_) | ColumnRole::Action => false,
        }
    }

    /// Whether the texts of the column are codes, keys or names.
    pub(super) fn is_code(&self, entity: &Entity) -> bool {
        let is_code = |entity: &Entity, field: &Field| {
            field.is_code || field.reference_to().is_some() || entity.key.contains(&field.name)
        };
        match self {
            ColumnRole::Field { field, .. } => is_code(entity, field),
            ColumnRole::Related { field, related } => {
                let referenced = entity.fields[*field].reference_to().and_then(|to| schema::collection(to.to));
                let described = referenced.and_then(|referenced| Some((referenced, referenced.field(related)?)));
                described.is_some_and(|(referenced, field)| is_code(referenced, field))
            }
            ColumnRole::Custom | ColumnRole::Id(_) | ColumnRole::Action => false,
        }
    }
}

/// What the whole column shows, collected while rows are checked.
#[derive(Default)]
pub(super) struct ColumnSurvey {
    pub(super) dates: DateSurvey,
    pub(super) amounts: MoneySurvey,
    pub(super) names: NameSurvey,
    pub(super) cache: TextCache<ParsedValue>,
}

/// Reads a cell that is no field of the record. Returns a value where the cell itself holds it.
pub(super) fn read_other(
    check: &ColumnCheck,
    cell: Cell<'_>,
    blank: EmptyCells,
    checked: &mut CheckedRow,
) -> Result<Option<ParsedValue>, ValueError> {
    if cell.is_blank() {
        let clears = matches!(check.role, ColumnRole::Custom) && blank == EmptyCells::Clear;
        return Ok(clears.then_some(ParsedValue::Clear));
    }
    readable(cell)?;
    let trimmed = text::trimmed(cell.text);
    match &check.role {
        ColumnRole::Field { .. } => return Ok(None),
        ColumnRole::Related { .. } if is_clear(trimmed) => {
            return Err(ValueError::new(
                Code::ClearNotAllowed,
                "cannot clear a cell that describes another record",
                "change that record in a sheet of its own, or leave the cell empty",
            ));
        }
        ColumnRole::Related { .. } if text::is_no_value_mark(trimmed) => {
            checked.remark(RemarkKind::NoValue, check.column, trimmed);
            return Ok(None);
        }
        ColumnRole::Custom if text::is_null_word(trimmed) => {
            checked.remark(RemarkKind::NoValue, check.column, trimmed);
            return Ok(None);
        }
        ColumnRole::Related { .. } | ColumnRole::Custom => {
            undamaged(cell, check.is_code)?;
            if matches!(check.role, ColumnRole::Custom) && text::is_misread(trimmed) {
                checked.remark(RemarkKind::Misread, check.column, trimmed);
            }
            return Ok(Some(ParsedValue::Text));
        }
        ColumnRole::Id(ownership) => {
            let given = ParsedId { number: record_id(cell)?, column: check.column as u32, ownership: *ownership };
            checked.id = Some(checked.id.filter(|other| other.ownership <= given.ownership).unwrap_or(given));
        }
        ColumnRole::Action => {
            let action = RowAction::parse(cell.text).ok_or_else(|| {
                ValueError::new(
                    Code::ActionInvalid,
                    format!("invalid action; expected {}", RowAction::VERBS),
                    "use one of these, or leave the cell empty",
                )
            })?;
            checked.action = Some(action);
        }
    }
    Ok(None)
}

/// A custom field's value; `<clear>` clears it.
pub(super) fn custom_text(cell: Cell<'_>) -> &str {
    unless_clear(text::trimmed(cell.text))
}

fn unless_clear(value: &str) -> &str {
    if is_clear(text::trimmed(value)) { "" } else { value }
}

/// Parses a record's system id: `123` or `#123`.
fn record_id(cell: Cell<'_>) -> Result<i64, ValueError> {
    let id = whole_id(text::trimmed(cell.text));
    id.trim_start_matches('#').parse().ok().filter(|id| *id > 0).ok_or_else(|| {
        ValueError::new(
            Code::IdInvalid,
            "invalid record id; expected the record's number in the account, such as `123`",
            "if the column holds something else, use --map to say what, or --ignore it",
        )
    })
}

/// Rejects what is invalid in any cell: error values, formulas without a result, lists and objects of JSON, undecodable
/// text.
fn readable(cell: Cell<'_>) -> Result<(), ValueError> {
    match cell.value {
        Value::Error => Err(error_value()),
        Value::Unevaluated => Err(ValueError::new(
            Code::CellUnevaluated,
            "formula without a stored result",
            "open the file in a spreadsheet program and save it, or type the value",
        )),
        Value::Structure => Err(ValueError::new(
            Code::CellStructure,
            if cell.text.starts_with('[') {
                "a list; expected a single value: a text, a number or a boolean"
            } else {
                "an object; expected a single value: a text, a number or a boolean"
            },
            "write the value itself, and each further one below a key of its own",
        )),
        Value::Text if text::has_replacement(cell.text) => Err(ValueError::new(
            Code::CellUndecoded,
            "undecodable text: it contains the replacement character \u{fffd}",
            "correct the letters, or name the file's encoding with --encoding",
        )),
        // CSV files and pasted values hold the error as text.
        Value::Text if text::is_error_word(text::trimmed(cell.text)) => Err(error_value()),
        _ => Ok(()),
    }
}

fn error_value() -> ValueError {
    ValueError::new(Code::CellError, "spreadsheet error instead of a value", "correct the formula, or type the value")
}

fn is_exact_code(field: &Field) -> bool {
    let is_tag = field.reference_to().is_some_and(|reference| reference.wire == Wire::Tag);
    field.is_code || is_tag || field.kind == Kind::Text(TextForm::Email) || field.meaning == Some(Meaning::Tag)
}

/// Reads one cell as a field.
pub(super) struct FieldReader<'c> {
    pub(super) rules: &'c Rules,
    pub(super) column: &'c ColumnCheck,
    pub(super) survey: &'c mut ColumnSurvey,
    /// What the amounts of the row show of their currency.
    pub(super) amounts: &'c mut Vec<AmountCurrency>,
}

impl FieldReader<'_> {
    pub(super) fn read(
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
        if self.column.is_serial && text::is_firmware_serial(text::trimmed(cell.text)) {
            return self.no_value(field, text::trimmed(cell.text), checked);
        }
        if let Some(value) = self.plain(cell, field, ids) {
            return Ok(Some(value));
        }
        if cell.value == Value::Text && !self.column.names_people && text::is_number_like(cell.text) {
            return self.value(cell, cell.text, field, ids, checked).map(Some);
        }
        // An export to JSON Lines writes these fields as structures, and any other file as the same text.
        let cell = match field.kind {
            Kind::CustomFields | Kind::Structure if cell.value == Value::Structure => {
                Cell { value: Value::Text, ..cell }
            }
            _ => cell,
        };
        readable(cell)?;
        let trimmed = text::trimmed(cell.text);
        if is_clear(trimmed) {
            return clear(field);
        }
        if text::is_no_value_mark(trimmed) {
            return self.no_value(field, trimmed, checked);
        }
        if let Some((found, plain)) = self.column.is_exact.then(|| look_alike(trimmed)).flatten() {
            checked.remark(RemarkKind::LookAlike { found, plain }, self.column.column, trimmed);
        }
        if matches!(field.kind, Kind::Text(_)) && !field.is_required() && text::is_misread(trimmed) {
            checked.remark(RemarkKind::Misread, self.column.column, trimmed);
        }
        if self.column.names_people {
            self.name_order(trimmed, field, checked);
        }
        self.value(cell, trimmed, field, ids, checked).map(Some)
    }

    /// The value of a text that nothing is odd about.
    #[inline]
    fn plain(&self, cell: Cell<'_>, field: &Field, ids: Ids) -> Option<ParsedValue> {
        let value = match field.kind {
            Kind::Text(TextForm::Plain) => ParsedValue::Text,
            Kind::Reference(_) => ParsedValue::Name(ids),
            _ => return None,
        };
        (!self.column.names_people && cell.value == Value::Text && text::is_plain(cell.text)).then_some(value)
    }

    /// Notes whether the name of a person is written last name first. Who only looks a person up finds them either way.
    fn name_order(&mut self, name: &str, field: &'static Field, checked: &mut CheckedRow) {
        self.survey.names.observe(name);
        if schema::first_name_first(name).is_none() {
            return;
        }
        let kind = if self.column.is_last_name_first {
            checked.last_name_first.push(self.column.column as u32);
            RemarkKind::LastNameFirst
        } else {
            RemarkKind::NameWithComma
        };
        if field.reference_to().is_none() {
            checked.remark(kind, self.column.column, name);
        }
    }

    fn no_value(
        &self,
        field: &'static Field,
        mark: &str,
        checked: &mut CheckedRow,
    ) -> Result<Option<ParsedValue>, ValueError> {
        if field.is_required() {
            return Err(ValueError::new(
                Code::RequiredNoValue,
                format!("missing value for `{}`; expected a value such as `{}`", field.name, field.example),
                "type the value",
            ));
        }
        checked.remark(RemarkKind::NoValue, self.column.column, mark);
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
            Kind::Text(form) => plain_text(cell, trimmed, form, self.column.is_code),
            Kind::Integer { least } => text::integer(cell, least).map(ParsedValue::Integer),
            Kind::Money => self.amount(cell, checked),
            Kind::Date => self.date(cell, checked),
            Kind::Boolean => choice::boolean(cell).map(ParsedValue::Boolean),
            Kind::Currency => choice::currency(trimmed).map(ParsedValue::Currency),
            Kind::Option(choices) => choice::option(trimmed, choices.create).map(ParsedValue::Option),
            Kind::Reference(_) => {
                undamaged(cell, self.column.is_code)?;
                Ok(ParsedValue::Name(ids))
            }
            Kind::User => user(cell, trimmed),
            Kind::CustomFields => {
                let column = self.column.column as u32;
                let pairs = custom::json_cell(trimmed)?.into_iter();
                let pairs = pairs.map(|(name, value)| Box::new((name, unless_clear(&value).to_owned())));
                checked.custom.extend(pairs.map(|pair| ParsedCustomField { column, pair: Some(pair) }));
                Ok(ParsedValue::Text)
            }
            Kind::Structure => Ok(ParsedValue::Text),
        }
    }

    fn date(&mut self, cell: Cell<'_>, checked: &mut CheckedRow) -> Result<ParsedValue, ValueError> {
        match cell.value {
            Value::Text => self.survey.dates.observe(cell.text),
            Value::Date(moment) => self.survey.dates.observe_real(moment.date()),
            _ => {}
        }
        let day = date::parse(cell, &self.column.reading)?;
        if cell.value == Value::Text && date::is_local_day_uncertain(cell.text) {
            checked.remark(RemarkKind::LocalDay, self.column.column, text::trimmed(cell.text));
        }
        Ok(ParsedValue::Date(day))
    }

    fn amount(&mut self, cell: Cell<'_>, checked: &mut CheckedRow) -> Result<ParsedValue, ValueError> {
        if cell.value == Value::Text && self.column.mark.is_none() {
            self.survey.amounts.observe(cell.text);
        }
        let mut amount = money::parse(cell, self.column.mark)?;
        let HeaderUnit { currency, factor } = self.column.unit;
        if factor != Decimal::ONE {
            amount.value = amount.value.checked_mul(factor).ok_or_else(money::too_large)?;
            checked.remark(RemarkKind::Multiplied(factor), self.column.column, text::trimmed(cell.text));
        }
        if amount.value.is_sign_negative() && !amount.value.is_zero() {
            return Err(ValueError::new(
                Code::MoneyNegative,
                "negative amount; expected zero or more",
                "correct the amount",
            )
            .or_empty());
        }
        let column = self.column.column as u32;
        self.amounts.push(AmountCurrency { column, in_header: currency, in_cell: amount.currency });
        if amount.value.scale() == 0 {
            return Ok(ParsedValue::Amount(amount.value));
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
                fractional_amount(cell),
                "pass --fractional-cost round or --fractional-cost send, or correct the amount",
            )),
        }
    }
}

/// Says what a cell holds whose format hides the fraction.
fn fractional_amount(cell: Cell<'_>) -> String {
    const DOCUMENTED: &str = "the service documents whole amounts only";
    match cell.value {
        Value::Number(number) if text::is_rounded(number, cell.text) => {
            let shown = text::trimmed(cell.text);
            format!("fractional amount; the cell holds `{number}` and shows `{shown}`, and {DOCUMENTED}")
        }
        _ => format!("fractional amount; {DOCUMENTED}"),
    }
}

fn clear(field: &'static Field) -> Result<Option<ParsedValue>, ValueError> {
    if field.is_required() {
        return Err(ValueError::new(
            Code::ClearNotAllowed,
            format!("cannot clear `{}`; the field is required", field.name),
            if field.update {
                "type the value, or leave the cell empty to keep the current value"
            } else {
                "type the value"
            },
        ));
    }
    if !field.update {
        let message = format!("cannot clear `{}`; only an update of a record clears a field", field.name);
        return Err(ValueError::new(Code::ClearNotAllowed, message, "leave the cell empty"));
    }
    Ok(Some(ParsedValue::Clear))
}

fn plain_text(cell: Cell<'_>, trimmed: &str, form: TextForm, is_code: bool) -> Result<ParsedValue, ValueError> {
    match form {
        TextForm::Email => text::email(&without_invisible(trimmed))?,
        TextForm::Url => text::url(&without_invisible(trimmed))?,
        TextForm::Plain => undamaged(cell, is_code)?,
    }
    Ok(ParsedValue::Text)
}

/// Rejects a text that a spreadsheet program has damaged.
fn undamaged(cell: Cell<'_>, is_code: bool) -> Result<(), ValueError> {
    let damage = if is_code { text::damaged_code(cell) } else { text::damaged(cell) };
    damage.map_or(Ok(()), Err)
}

fn user(cell: Cell<'_>, trimmed: &str) -> Result<ParsedValue, ValueError> {
    if trimmed.contains('@') {
        return text::email(&without_invisible(trimmed)).map(|()| ParsedValue::UserEmail);
    }
    text::integer(cell, 1).map(ParsedValue::Integer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_that_is_not_shown_is_told() {
        let message = |text| fractional_amount(Cell { text, value: Value::Number(99.6), format: Some("0") });
        assert_eq!(
            message("100"),
            "fractional amount; the cell holds `99.6` and shows `100`, and the service documents whole amounts only"
        );
        assert_eq!(message("EUR 99.60"), "fractional amount; the service documents whole amounts only");
    }
}
