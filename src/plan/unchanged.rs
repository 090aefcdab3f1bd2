//! Whether a cell shows a record's current value, in the form an export writes it.
//!
//! Whatever the account has is accepted, however odd: an invalid e-mail address, an option the guide does not list, a
//! fractional amount, a name `n/a`, a text truncated to the limit of a cell. A row that targets a record and shows
//! exactly that has not been edited, so the cell neither fails nor is written.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::api::{integer, plain_text};
use crate::catalog::{Catalog, RecordRef};
use crate::check::choice;
use crate::check::date::{self, DateOrder, DateReading};
use crate::check::money::{self, DecimalMark};
use crate::check::text::trimmed;
use crate::mapping::Ids;
use crate::schema::{Field, Kind, Reference, Wire};
use crate::table::write::xlsx::truncate_to_cell;
use crate::table::{Cell, Value};

/// Whether a cell shows the value of a field, in a column of bare ids or one of names. Blank cells never do.
pub(super) fn is_shown_by(cell: Cell<'_>, (field, ids): (&Field, Ids), held: Option<&Json>, catalog: &Catalog) -> bool {
    let Some(held) = held.filter(|held| !held.is_null() && !cell.is_blank()) else { return false };
    match field.kind {
        Kind::Reference(reference) if reference.wire == Wire::Id => match integer(held) {
            Some(id) => shows_record(cell, (reference, ids), id, catalog),
            None => shows_value(cell, held),
        },
        // A date before 1900 cannot be a date cell, so a workbook has it as text.
        Kind::Date if held.as_str().and_then(|held| held.get(..10)) == Some(cell.text.trim()) => true,
        // Some replies have amounts as text.
        Kind::Money | Kind::Integer { .. } => shows_value(cell, held) || number(held) == shown_number(cell),
        _ => shows_value(cell, held),
    }
}

fn number(held: &Json) -> Option<f64> {
    held.as_str()?.trim().parse().ok()
}

/// The number in a cell; NaN, which equals nothing, if there is none.
fn shown_number(cell: Cell<'_>) -> Option<f64> {
    match cell.value {
        Value::Number(shown) => Some(shown),
        _ => Some(cell.text.trim().parse().unwrap_or(f64::NAN)),
    }
}

/// Whether a cell shows a value unchanged.
pub(super) fn shows_value(cell: Cell<'_>, held: &Json) -> bool {
    match (cell.value, held) {
        (Value::Number(shown), Json::Number(held)) if held.as_f64() == Some(shown) => true,
        (Value::Boolean(shown), _) => truth(held) == Some(shown),
        (Value::Date(shown), Json::String(held)) => held.get(..10) == Some(shown.date().to_string().as_str()),
        (_, Json::Bool(_)) => cell.text.trim().eq_ignore_ascii_case(&plain_text(held)),
        _ => is_same_text(cell.text, &plain_text(held)),
    }
}

/// Whether a cell means a date, number or truth in the notation of any country: a program that saves the file again may write
/// it in its own.
pub(super) fn reads_as(cell: Cell<'_>, held: &Json) -> bool {
    let text = plain_text(held);
    if let Json::Bool(truth) = held {
        return choice::boolean(cell).is_ok_and(|shown| shown == *truth);
    }
    if let Some(day) = text.get(..10).and_then(|day| day.parse::<Date>().ok()) {
        return DateOrder::ALL.into_iter().any(|order| {
            let reading = DateReading { orders: Some(order).into(), ..DateReading::default() };
            date::parse(cell, &reading).is_ok_and(|shown| shown == day)
        });
    }
    let Ok(number) = text.trim().parse::<Decimal>() else { return false };
    let marks = [DecimalMark::Point, DecimalMark::Comma];
    marks.into_iter().any(|mark| money::parse(cell, Some(mark)).is_ok_and(|shown| shown.value == number))
}

/// Whether a cell shows `#12`, a bare `12` in a column of ids, or exactly the record's name: with other letters it
/// may be another record's.
fn shows_record(cell: Cell<'_>, (reference, ids): (Reference, Ids), id: i64, catalog: &Catalog) -> bool {
    let (shown, number) = (trimmed(cell.text), id.to_string());
    let is_id = shown.strip_prefix('#').or((ids == Ids::Bare).then_some(shown)) == Some(number.as_str());
    is_id
        || catalog.record(reference.to, id).is_some()
            && shown == trimmed(&catalog.describe(reference.to, RecordRef::Known(id)))
}

/// Whether two texts are equal except for surrounding white space, line endings, and what exceeds the limit of a
/// cell.
pub(super) fn is_same_text(shown: &str, held: &str) -> bool {
    let (shown, held) = (trimmed(shown), trimmed(held));
    shown == held
        || ((shown.contains('\r') || held.contains('\r')) && with_plain_ends(shown) == with_plain_ends(held))
        || (truncate_to_cell(held).len() < held.len() && shown == trimmed(truncate_to_cell(held)))
}

fn with_plain_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn truth(held: &Json) -> Option<bool> {
    match held {
        Json::Bool(truth) => Some(*truth),
        Json::Number(number) => number.as_i64().filter(|number| (0..=1).contains(number)).map(|number| number == 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::schema::collection;

    fn text(text: &str) -> Cell<'_> {
        Cell { text, value: Value::Text, format: None }
    }

    #[test]
    fn a_value_in_the_notation_of_another_country_is_the_same() {
        for (shown, held) in [
            ("26.01.2024", json!("2024-01-26")),
            ("1/26/2024", json!("2024-01-26")),
            ("2024-01-26", json!("2024-01-26T00:00:00.000Z")),
            ("1.249,50", json!(1249.5)),
            ("1,249.50", json!("1249.5")),
            ("1249,0", json!(1249)),
            ("WAHR", json!(true)),
        ] {
            assert!(reads_as(text(shown), &held), "{shown} {held}");
        }
        for (shown, held) in [
            ("27.01.2024", json!("2024-01-26")),
            ("1.250,50", json!(1249.5)),
            ("FALSCH", json!(true)),
            ("HF-2", json!("HF-1")),
        ] {
            assert!(!reads_as(text(shown), &held), "{shown} {held}");
        }
    }

    #[test]
    fn odd_values_are_known_again() {
        let long = "x".repeat(40_000);
        let day = |day: i8| jiff::civil::date(2024, 1, day).at(0, 0, 0, 0);
        for (cell, held) in [
            (text("n/a"), json!("n/a")),
            (text(" a@b "), json!("\u{200b}a@b")),
            (text("one\ntwo"), json!("one\r\ntwo")),
            (text(&long[..32_767]), json!(long)),
            (text("1.234"), json!(1.234)),
            (text("TRUE"), json!(true)),
            (Cell { text: "12.50", value: Value::Number(12.5), format: None }, json!(12.5)),
            (Cell { text: "TRUE", value: Value::Boolean(true), format: None }, json!(1)),
            (Cell { text: "TRUE", value: Value::Boolean(true), format: None }, json!(true)),
            (Cell { text: "26.01.24", value: Value::Date(day(26)), format: None }, json!("2024-01-26T00:00:00.000Z")),
            (text("{\"a\":1}"), json!({"a": 1})),
        ] {
            assert!(shows_value(cell, &held), "{held}");
        }
        for (cell, held) in [
            (text("n/a"), json!("N/A")),
            (text("7"), json!("007")),
            (text(&long[..32_766]), json!(long)),
            (Cell { text: "7", value: Value::Number(7.0), format: None }, json!("007")),
            (Cell { text: "FALSE", value: Value::Boolean(false), format: None }, json!(null)),
            (Cell { text: "FALSE", value: Value::Boolean(false), format: None }, json!(true)),
            (Cell { text: "2024-01-26", value: Value::Date(day(27)), format: None }, json!("2024-01-26")),
        ] {
            assert!(!shows_value(cell, &held), "{held}");
        }
    }

    #[test]
    fn days_and_amounts_are_shown_in_any_form() {
        let assets = collection("assets").unwrap();
        let shown = |name: &str, cell: Cell<'_>, held: serde_json::Value| {
            is_shown_by(cell, (assets.field(name).unwrap(), Ids::Marked), Some(&held), &Catalog::default())
        };
        let number = |number: f64| Cell { text: "a dozen", value: Value::Number(number), format: None };
        assert!(shown("purchase_date", text(" 1899-12-31 "), json!("1899-12-31T00:00:00.000Z")));
        assert!(!shown("purchase_date", text("1899-12-30"), json!("1899-12-31T00:00:00.000Z")));
        assert!(
            shown("purchase_cost", text("12.0"), json!("12")) && shown("purchase_cost", number(12.0), json!("12.00"))
        );
        assert!(!shown("purchase_cost", text("13"), json!("12")) && !shown("purchase_cost", number(13.0), json!("12")));
        assert!(!shown("purchase_cost", text("?"), json!("12")));
    }

    #[test]
    fn a_reference_is_shown_by_id_and_by_its_very_name() {
        let mut catalog = Catalog::default();
        catalog.insert_planned("locations", 0, serde_json::Map::new());
        let field = collection("assets").unwrap().field("location_id").unwrap();
        let shown = |cell, ids| is_shown_by(text(cell), (field, ids), Some(&json!(12)), &catalog);
        assert!(shown("#12", Ids::Marked) && shown("12", Ids::Bare) && shown("#12", Ids::Bare));
        assert!(!shown("12", Ids::Marked), "a name of digits");
        assert!(!shown("#1", Ids::Bare) && !shown("13", Ids::Bare) && !shown(" ", Ids::Bare));
        assert!(is_shown_by(text("#12"), (field, Ids::Marked), Some(&json!("12")), &catalog));
        assert!(!is_shown_by(text("x"), (field, Ids::Marked), None, &catalog));
        // A tag that a service gives as a number.
        let tag = collection("maintenances").unwrap().field("asset_id").unwrap();
        assert!(is_shown_by(text("12"), (tag, Ids::Marked), Some(&json!(12)), &catalog));
    }
}
