//! Reads the fields of the service's records.
//!
//! The service returns costs as JSON numbers (field notes), and as strings where another tool wrote them. A value that
//! cannot be parsed is returned as found: null means missing, `n/a` is invalid, and neither is zero.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json};

use super::currency::{Currency, rounded};
use crate::check::money;
use crate::table::{Cell, Value};

/// A record as the service returned it.
pub(crate) type JsonRecord = Map<String, Json>;

/// Looks up records that other records refer to by id.
pub(crate) trait RecordLookup {
    /// The record with that id in a collection such as `products`, if it exists.
    fn record(&self, collection: &str, id: i64) -> Option<&JsonRecord>;
}

/// A field as trimmed text; empty if it is missing or null.
pub(super) fn text_field(record: &JsonRecord, field: &str) -> String {
    match record.get(field) {
        Some(Json::String(text)) => text.trim().to_owned(),
        Some(Json::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// An integer field, which may be a JSON number or a string.
pub(super) fn integer_field(record: &JsonRecord, field: &str) -> Option<i64> {
    integer(record.get(field)?)
}

pub(super) fn integer(value: &Json) -> Option<i64> {
    match value {
        Json::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15)?;
            Some(float as i64)
        }),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// An amount of money: `None` if the field is missing, `Err` with the value found if it is not an amount.
///
/// A currency symbol in the text must not contradict `currency`.
pub(super) fn amount_field(
    record: &JsonRecord,
    field: &str,
    currency: Option<&Currency>,
) -> Result<Option<Decimal>, String> {
    match record.get(field) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Number(number)) => parse_number(&number.to_string()).map(Some),
        Some(Json::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Json::String(text)) => parse_text(text.trim(), currency).map(Some),
        Some(other) => Err(other.to_string()),
    }
}

fn parse_number(text: &str) -> Result<Decimal, String> {
    text.parse().or_else(|_| Decimal::from_scientific(text)).ok().and_then(within_limits).ok_or_else(|| text.to_owned())
}

/// Rejects amounts of 10^15 and more, and rounds to eight decimals, so that sums over all items stay exact. Digits
/// beyond the eighth decimal are artefacts of binary fractions.
fn within_limits(amount: Decimal) -> Option<Decimal> {
    let is_sane = amount.abs() < Decimal::from(1_000_000_000_000_000_i64);
    is_sane.then(|| rounded(amount, 8))
}

fn parse_text(text: &str, currency: Option<&Currency>) -> Result<Decimal, String> {
    if let Ok(amount) = text.parse() {
        return within_limits(amount).ok_or_else(|| text.to_owned());
    }
    let read = money::parse(Cell { text, value: Value::Text, format: None }, None).map_err(|_| text.to_owned())?;
    let contradicts = read
        .currency
        .zip(currency.filter(|currency| !currency.is_unstated()))
        .is_some_and(|(hint, currency)| !hint.allows(&currency.code));
    within_limits(read.value).filter(|_| !contradicts).ok_or_else(|| text.to_owned())
}

/// A date: `None` if the field is missing, `Err` with the value found if it is not a date. The time of a timestamp is
/// ignored.
pub(super) fn date_field(record: &JsonRecord, field: &str) -> Result<Option<Date>, String> {
    match record.get(field) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Json::String(text)) => iso_date(text.trim()).map(Some).ok_or_else(|| text.clone()),
        Some(other) => Err(other.to_string()),
    }
}

/// Parses `2024-05-01`, with or without a time after it.
pub(super) fn iso_date(text: &str) -> Option<Date> {
    let (day, rest) = text.split_at_checked(10)?;
    let is_alone = rest.is_empty() || rest.starts_with(['T', 't', ' ']);
    day.parse().ok().filter(|_| is_alone)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use serde_json::json;

    use super::*;

    fn record(value: Json) -> JsonRecord {
        json!({ "f": value }).as_object().unwrap().clone()
    }

    #[test]
    fn a_cost_is_an_amount_or_missing_or_wrong_and_never_zero_by_accident() {
        let of = |value| {
            amount_field(&record(value), "f", Some(&Currency::of("EUR"))).map(|found| found.map(|a| a.to_string()))
        };
        assert_eq!(of(json!(1299)), Ok(Some("1299".into())));
        assert_eq!(of(json!(1299.99)), Ok(Some("1299.99".into())));
        assert_eq!(of(json!(1e3)), Ok(Some("1000.0".into())));
        assert_eq!(of(json!("1299.50")), Ok(Some("1299.50".into())));
        assert_eq!(of(json!(" 1.299,50 € ")), Ok(Some("1299.50".into())));
        assert_eq!(of(json!("$1,299.50")), Err("$1,299.50".into()));
        assert_eq!(of(json!("n/a")), Err("n/a".into()));
        assert_eq!(of(json!(1e20)), Err("1e+20".into()));
        assert_eq!(of(json!("0.1234567891")), Ok(Some("0.12345679".into())));
        assert_eq!(of(json!(true)), Err("true".into()));
        assert_eq!(of(json!("")), Ok(None));
        assert_eq!(of(Json::Null), Ok(None));
        assert_eq!(of(json!(0)), Ok(Some("0".into())));
    }

    #[test]
    fn dates_are_days() {
        let of = |value| date_field(&record(value), "f");
        assert_eq!(of(json!("2024-02-29")), Ok(Some(jiff::civil::date(2024, 2, 29))));
        assert_eq!(of(json!("2024-05-01T23:59:59.000Z")), Ok(Some(jiff::civil::date(2024, 5, 1))));
        assert_eq!(of(json!("2023-02-29")), Err("2023-02-29".into()));
        assert_eq!(of(json!("01/02/2024")), Err("01/02/2024".into()));
        assert_eq!(of(json!(45000)), Err("45000".into()));
        assert_eq!(of(Json::Null), Ok(None));
    }
}
