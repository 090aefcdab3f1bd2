#![allow(clippy::unwrap_used, clippy::expect_used)]

use jiff::civil::{Date, DateTime, Time};

use super::super::serial_date::{MILLISECONDS_PER_DAY, push_iso_cell, push_iso_span};
use super::*;

fn shown(number: f64, code: &str) -> (String, Value) {
    shown_in(number, code, DateSystem::From1900)
}

fn shown_in(number: f64, code: &str, system: DateSystem) -> (String, Value) {
    let mut formats = NumberFormats::new([code].into_iter(), system).unwrap();
    let mut row = Row::default();
    formats.push(&mut row, number, 0);
    let cell = row.cell(0);
    (cell.text.to_owned(), cell.value)
}

fn date(text: &str) -> Value {
    Value::Date(text.parse().unwrap())
}

#[test]
fn numbers_are_shown_by_their_format() {
    assert_eq!(shown(6083.0, "00000"), ("06083".into(), Value::Number(6083.0)));
    assert_eq!(shown(0.5, "0%"), ("50%".into(), Value::Number(0.5)));
    assert_eq!(shown(0.5, "[$EUR] 0.00").0, "EUR 0.50");
    assert_eq!(shown(1299.5, "_(* #,##0.00_);_(* (#,##0.00);_(* \"-\"??_);_(@_)").0, "1,299.50");
    assert_eq!(shown(7.0, ";;;").0, "7");
    assert_eq!(shown(7.0, "@"), ("7".into(), Value::Number(7.0)));
}

#[test]
fn general_is_short_and_without_exponent() {
    let general = |number| shown(number, "General").0;
    assert_eq!(general(0.1 + 0.2), "0.3");
    assert_eq!(general(2266.13), "2266.13");
    assert_eq!(general(-5.0), "-5");
    assert_eq!(general(-0.0), "0");
    assert_eq!(general(123_456_789_012_345.0), "123456789012345");
    assert_eq!(general(6.37702123456789e15), "6377021234567890");
    assert_eq!(general(1e300), "1E300");
    assert_eq!(general(0.000_012_5), "0.0000125");
}

#[test]
fn dates_are_iso_in_both_systems() {
    assert_eq!(shown(45_322.0, "mm-dd-yy"), ("2024-01-31".into(), date("2024-01-31")));
    assert_eq!(shown(45_322.604_166_666_664, "m/d/yy h:mm").0, "2024-01-31 14:30:00");
    assert_eq!(shown_in(43860.0, "d-mmm-yy", DateSystem::From1904).0, "2024-01-31");
    assert_eq!(shown_in(0.0, "yyyy", DateSystem::From1904).0, "1904-01-01");
    assert_eq!(shown(1.0, "dd/mm/yyyy").0, "1900-01-01");
    assert_eq!(shown(59.0, "dd/mm/yyyy").0, "1900-02-28");
    assert_eq!(shown(61.0, "dd/mm/yyyy").0, "1900-03-01");
    assert_eq!(shown(2_958_465.0, "dd/mm/yyyy").0, "9999-12-31");
    assert_eq!(shown(45_321.999_999_999, "dd/mm/yyyy").0, "2024-01-31");
}

#[test]
fn moments_keep_their_milliseconds() {
    for text in ["2024-01-31T14:30:15.789", "2024-05-01T23:59:59.999", "2199-12-31T00:00:00.001"] {
        let at: DateTime = text.parse().unwrap();
        let day = at.date().since(Date::constant(1899, 12, 30)).unwrap().get_days();
        let since_midnight = at.time().since(Time::midnight()).unwrap().total(jiff::Unit::Millisecond).unwrap();
        let serial = f64::from(day) + since_midnight / MILLISECONDS_PER_DAY as f64;
        assert_eq!(shown(serial, "yyyy-mm-dd hh:mm:ss.000"), (text.replace('T', " "), date(text)));
    }
}

#[test]
fn days_that_never_were_are_no_dates() {
    assert_eq!(shown(60.0, "dd/mm/yyyy"), ("1900-02-29".into(), Value::Text));
    assert_eq!(shown(0.0, "dd/mm/yyyy"), ("1900-01-00".into(), Value::Text));
    assert_eq!(shown(-1.0, "dd/mm/yyyy"), ("-1".into(), Value::Number(-1.0)));
    assert_eq!(shown(20_220_101.0, "dd/mm/yyyy"), ("20220101".into(), Value::Number(20_220_101.0)));
}

#[test]
fn times_and_spans_are_no_dates() {
    assert_eq!(shown(0.604_166_666_666_666_6, "h:mm AM/PM"), ("14:30:00".into(), Value::Text));
    assert_eq!(shown(45_322.5, "h:mm"), ("2024-01-31 12:00:00".into(), date("2024-01-31T12:00:00")));
    assert_eq!(shown(1.5, "[h]:mm:ss"), ("36:00:00".into(), Value::Text));
}

#[test]
fn iso_cells() {
    let mut row = Row::default();
    push_iso_cell(&mut row, "2024-01-31", 0);
    push_iso_cell(&mut row, "2024-01-31T14:30:00.000", 0);
    push_iso_cell(&mut row, "2024-01-31T14:30:00Z", 0);
    push_iso_cell(&mut row, "14:30:00", 0);
    push_iso_span(&mut row, "PT14H30M00S", 0);
    push_iso_cell(&mut row, "2024-01-31T00:00:00Z", 0);
    let cells: Vec<_> = row.cells().map(|cell| (cell.text, cell.value)).collect();
    assert_eq!(cells[0], ("2024-01-31", date("2024-01-31")));
    assert_eq!(cells[1], ("2024-01-31 14:30:00", date("2024-01-31T14:30:00")));
    assert_eq!(cells[2], ("2024-01-31T14:30:00Z", Value::Text), "its local day is for the check to say");
    assert_eq!(cells[3], ("14:30:00", Value::Text));
    assert_eq!(cells[4], ("14:30:00", Value::Text));
    assert_eq!(cells[5], ("2024-01-31", date("2024-01-31")));
}

proptest::proptest! {
    #[test]
    fn no_format_code_panics(code in "[\\[\\]$0#?.,;dmyhsAP@\"€\\\\ _*-]{0,12}", number: f64) {
        shown(number, &code);
    }
}
