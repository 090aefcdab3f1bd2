//! Turns the JSON value of a field into a typed cell.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use hashbrown::HashMap;
use iso_currency::{Currency, IntoEnumIterator};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::schema::{CREATED_AT, Field, Kind, UPDATED_AT, fold_header};
use crate::table::write::output::ColumnType;
use crate::table::{Row, Value};

/// Excel keeps 15 digits of a number.
const EXACT: f64 = 1e15;

/// The length of `2024-05-01`.
pub(super) const DAY: usize = 10;

/// Fields that hold a timestamp of the service (field notes).
pub(super) const MOMENTS: [&str; 3] = [CREATED_AT, UPDATED_AT, "timestamp"];

/// The number formats of amounts: the first without a currency, then one per currency.
static AMOUNTS: LazyLock<Arc<[String]>> = LazyLock::new(|| {
    let of = |currency: Currency| match currency.exponent().unwrap_or(2) {
        0 => format!("[${}] #,##0", currency.code()),
        digits => format!("[${}] #,##0.{}", currency.code(), "0".repeat(digits.into())),
    };
    let plain = String::from("#,##0.00");
    std::iter::once(plain).chain(Currency::iter().map(of)).collect::<Vec<_>>().into()
});

/// The place in [`AMOUNTS`] of a currency's number format, from 1, by its code.
static AMOUNTS_BY_CODE: LazyLock<HashMap<&'static str, u16>> =
    LazyLock::new(|| Currency::iter().map(|currency| currency.code()).zip(2..).collect());

/// The number formats that [`push_amount`] refers to, for [`Row::restart`].
pub(super) fn formats() -> &'static Arc<[String]> {
    &AMOUNTS
}

/// The type of a field's column. Ids are identifiers, not quantities: they are text.
pub(super) fn column_type(field: &Field) -> ColumnType {
    match field.kind {
        Kind::Integer { .. } => ColumnType::Integer,
        Kind::Money => ColumnType::Money,
        Kind::Date => ColumnType::Date,
        Kind::Boolean => ColumnType::Boolean,
        Kind::Structure | Kind::CustomFields => ColumnType::Json,
        Kind::Text(_) if MOMENTS.contains(&field.name) => ColumnType::Timestamp,
        Kind::Text(_) | Kind::Option(_) | Kind::Currency | Kind::Reference(_) | Kind::User => ColumnType::Text,
    }
}

/// The JSON text, unless it is null or an empty string, list or object.
pub(super) fn non_empty(json: Option<&str>) -> Option<&str> {
    json.filter(|json| !matches!(*json, "null" | "\"\"" | "[]" | "{}"))
}

/// The text of a JSON value: a string without its quotes, anything else as written.
pub(super) fn text_of(json: &str) -> Cow<'_, str> {
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        None => Cow::Borrowed(json),
        Some(text) if !text.contains('\\') => Cow::Borrowed(text),
        Some(_) => serde_json::from_str(json).map_or(Cow::Borrowed(json), Cow::Owned),
    }
}

/// The integer in a JSON number, or in a string that holds a number.
pub(super) fn integer(json: &str) -> Option<i64> {
    text_of(json).trim().parse().ok()
}

/// Appends a value as a cell of the column's type.
pub(super) fn push(column_type: ColumnType, json: Option<&str>, row: &mut Row) {
    let Some(json) = non_empty(json) else { return row.push("", Value::Blank) };
    let text = text_of(json);
    match column_type {
        ColumnType::Text => row.push_text(&text),
        ColumnType::Json => push_any(json, &text, row),
        ColumnType::Boolean => match parse_bool(&text) {
            Some(value) => row.push(if value { "TRUE" } else { "FALSE" }, Value::Boolean(value)),
            None => row.push_text(&text),
        },
        ColumnType::Date => match parse_day(&text) {
            Some(day) => row.push(&text[..DAY], Value::Date(day.at(0, 0, 0, 0))),
            None => row.push_text(&text),
        },
        ColumnType::Timestamp => match text.parse::<Timestamp>() {
            Ok(moment) => row.push(&text, Value::Date(TimeZone::UTC.to_datetime(moment))),
            Err(_) => row.push_text(&text),
        },
        ColumnType::Integer | ColumnType::Money => push_number(&text, 0, row),
    }
}

/// Appends an amount in the number format of its currency.
pub(super) fn push_amount(json: Option<&str>, currency: Option<&str>, row: &mut Row) {
    let Some(json) = non_empty(json) else { return row.push("", Value::Blank) };
    let format = currency.and_then(|code| {
        let code = text_of(code);
        let known = AMOUNTS_BY_CODE.get(code.as_ref());
        known.or_else(|| AMOUNTS_BY_CODE.get(code.trim().to_ascii_uppercase().as_str())).copied()
    });
    // The first format has no currency.
    push_number(&text_of(json), format.unwrap_or(1), row);
}

/// Appends an option in its canonical spelling, which every call but an update accepts.
pub(super) fn push_option(options: &[&str], json: Option<&str>, row: &mut Row) {
    let Some(json) = non_empty(json) else { return row.push("", Value::Blank) };
    let text = text_of(json);
    let folded = fold_header(&text);
    match options.iter().find(|option| fold_header(option) == folded) {
        Some(spelled) => row.push_text(spelled),
        None => row.push_text(&text),
    }
}

/// Appends a number; as text where it has more digits than a cell keeps.
fn push_number(text: &str, format: u16, row: &mut Row) {
    match text.trim().parse::<f64>() {
        Ok(number) if number.abs() < EXACT => row.push_formatted(text.trim(), Value::Number(number), format),
        _ => row.push_text(text),
    }
}

/// Appends a value of an undocumented type, by what the JSON says.
fn push_any(json: &str, text: &str, row: &mut Row) {
    match json.as_bytes().first() {
        Some(b't' | b'f') => row.push(if json == "true" { "TRUE" } else { "FALSE" }, Value::Boolean(json == "true")),
        Some(b'-' | b'0'..=b'9') => push_number(text, 0, row),
        _ => row.push_text(text),
    }
}

fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// The date in `2024-05-01` or `2024-05-01T00:00:00.000Z`.
fn parse_day(text: &str) -> Option<Date> {
    text.get(..DAY).filter(|text| text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_what_json_says() {
        let cases =
            [("\"a\"", "a"), (r#""a\"\u00e9\n""#, "a\"é\n"), ("12.50", "12.50"), ("[1]", "[1]"), ("true", "true")];
        for (json, text) in cases {
            assert_eq!(text_of(json), text);
        }
        assert_eq!(
            [non_empty(Some("null")), non_empty(Some("[]")), non_empty(None), non_empty(Some("0"))],
            [None, None, None, Some("0")]
        );
    }

    #[test]
    fn an_amount_is_shown_as_its_currency_is() {
        let mut row = Row::default();
        row.restart(1, formats());
        for (amount, currency) in [("1299.5", "\"eur\""), ("5000", "\"JPY\""), ("1.5", "\"BHD\""), ("7", "null")] {
            push_amount(Some(amount), Some(currency), &mut row);
        }
        let shown: Vec<_> = row.cells().map(|cell| (cell.text, cell.format)).collect();
        assert_eq!(
            shown,
            [
                ("1299.5", Some("[$EUR] #,##0.00")),
                ("5000", Some("[$JPY] #,##0")),
                ("1.5", Some("[$BHD] #,##0.000")),
                ("7", Some("#,##0.00")),
            ]
        );
    }

    #[test]
    fn what_is_not_of_its_kind_is_kept_as_text() {
        let mut row = Row::default();
        row.restart(1, formats());
        push(ColumnType::Integer, Some("12345678901234567890"), &mut row);
        push(ColumnType::Date, Some("\"soon\""), &mut row);
        push(ColumnType::Boolean, Some("\"maybe\""), &mut row);
        push(ColumnType::Timestamp, Some("\"2024-05-01T12:34:56.789Z\""), &mut row);
        let cells: Vec<_> = row.cells().map(|cell| (cell.text.to_owned(), cell.value)).collect();
        let moment = jiff::civil::date(2024, 5, 1).at(12, 34, 56, 789_000_000);
        assert_eq!(cells[0], (String::from("12345678901234567890"), Value::Text));
        assert_eq!(cells[1], (String::from("soon"), Value::Text));
        assert_eq!(cells[2], (String::from("maybe"), Value::Text));
        assert_eq!(cells[3].1, Value::Date(moment));
    }
}
