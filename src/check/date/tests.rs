#![allow(clippy::unwrap_used, clippy::expect_used)]

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn text(text: &str) -> Cell<'_> {
    Cell { text, value: Value::Text, format: None }
}

fn number(number: f64) -> Cell<'static> {
    Cell { text: "", value: Value::Number(number), format: None }
}

fn by_order(order: Option<DateOrder>) -> DateReading {
    DateReading { orders: order.into(), ..DateReading::default() }
}

fn by_format(pattern: &str) -> DateReading {
    DateReading { format: Some(DateFormat::parse(pattern).unwrap()), ..DateReading::default() }
}

/// The day, or the code of the error with its message.
fn read(cell: Cell<'_>, reading: &DateReading) -> String {
    match parse(cell, reading) {
        Ok(day) => day.to_string(),
        Err(error) => format!("{}: {}", error.code.as_str(), error.message),
    }
}

const ANY: Option<DateOrder> = None;
const DMY: Option<DateOrder> = Some(DateOrder::DayMonthYear);
const MDY: Option<DateOrder> = Some(DateOrder::MonthDayYear);
const YMD: Option<DateOrder> = Some(DateOrder::YearMonthDay);

#[test]
fn every_spelling_seen_has_its_outcome() {
    for (cell, order, outcome) in [
        // ISO and what is close to it
        ("2024-01-01", ANY, "2024-01-01"),
        (" 2024-01-01\u{a0}", ANY, "2024-01-01"),
        ("2024-01-01", MDY, "2024-01-01"),
        ("2019/04/16", ANY, "2019-04-16"),
        ("2024.1.5", DMY, "2024-01-05"),
        ("2024 01 05", ANY, "2024-01-05"),
        ("20150322", ANY, "2015-03-22"),
        ("2020-01-01T15:00:00Z", ANY, "2020-01-01"),
        ("2020-01-01T23:00:00+03:00", ANY, "2020-01-01"),
        ("2009-07/14 10:00+02:00", ANY, "2009-07-14"),
        ("2009\\7\\14 10:00:00 -05:00", ANY, "2009-07-14"),
        ("2015-03-22Z", ANY, "2015-03-22"),
        ("2024年1月5日", ANY, "2024-01-05"),
        // the United States
        ("1/23/23", MDY, "2023-01-23"),
        ("1/23/23", ANY, "2023-01-23"),
        ("4/5/16", MDY, "2016-04-05"),
        ("4/5/16", ANY, "date.ambiguous: ambiguous date; could be `2016-05-04` or `2016-04-05`"),
        ("11/24/2008", ANY, "2008-11-24"),
        ("4/12/2024", MDY, "2024-04-12"),
        ("4/12/2024", ANY, "date.ambiguous: ambiguous date; could be `2024-12-04` or `2024-04-12`"),
        ("12/17/2017 14:35", ANY, "2017-12-17"),
        ("9/15/2000 00:00:00", MDY, "2000-09-15"),
        // the United Kingdom and Australia
        ("01/12/2015", DMY, "2015-12-01"),
        ("22/12/2014", ANY, "2014-12-22"),
        ("22/12/2014", MDY, "date.invalid: invalid date; expected a month from 1 to 12"),
        ("13/9/24", DMY, "2024-09-13"),
        ("13/9/24", ANY, "2024-09-13"),
        ("13/09/24", ANY, "date.ambiguous: ambiguous date; could be `2024-09-13` or `2013-09-24`"),
        ("13/09/24", YMD, "2013-09-24"),
        ("01/02/03", ANY, "date.ambiguous: ambiguous date; could be `2003-02-01` or `2003-01-02` or `2001-02-03`"),
        ("31/12/99", ANY, "1999-12-31"),
        ("01/02/2024", ANY, "date.ambiguous: ambiguous date; could be `2024-02-01` or `2024-01-02`"),
        ("01/01/2024", ANY, "2024-01-01"),
        // Germany and Switzerland
        ("01.11.2023", DMY, "2023-11-01"),
        ("22.3.2015", ANY, "2015-03-22"),
        ("09.07.2013 12:00:00", DMY, "2013-07-09"),
        ("1. 2. 2024", DMY, "2024-02-01"),
        ("22-03-2015", ANY, "2015-03-22"),
        ("01-01-13", DMY, "2013-01-01"),
        ("01-01-13", ANY, "date.ambiguous: ambiguous date; could be `2013-01-01` or `2001-01-13`"),
        ("02042003", DMY, "2003-04-02"),
        ("02042003", ANY, "date.ambiguous: ambiguous date; could be `2003-04-02` or `2003-02-04`"),
        ("22042003", ANY, "2003-04-22"),
        // months in words
        ("09-Mar-11", ANY, "2011-03-09"),
        ("09-Mar-11", MDY, "2011-03-09"),
        ("99-Mar-11", ANY, "1999-03-11"),
        ("2011-Mar-09", ANY, "2011-03-09"),
        ("09Mar2011", ANY, "2011-03-09"),
        ("Mar 9, 2011", ANY, "2011-03-09"),
        ("March 9th, 2011", ANY, "2011-03-09"),
        ("9 Mar '11", ANY, "2011-03-09"),
        ("mercredi 23 avril 2003", ANY, "2003-04-23"),
        ("Mittwoch, 23. April 2003", ANY, "2003-04-23"),
        ("23. April 2003", ANY, "2003-04-23"),
        ("23. aprill 2003", ANY, "2003-04-23"),
        ("23/avr/2003", ANY, "2003-04-23"),
        ("23 avr. 2003", ANY, "2003-04-23"),
        ("mar. 4 mars 2003", ANY, "2003-03-04"),
        ("mar. 22 avr. 2003", ANY, "2003-04-22"),
        ("1er août 2003", ANY, "2003-08-01"),
        ("5 de mayo de 2003", ANY, "2003-05-05"),
        ("5 maggio 2003", ANY, "2003-05-05"),
        ("5 de março de 2003", ANY, "2003-03-05"),
        ("5 mrt 2003", ANY, "2003-03-05"),
        ("5. März 2003", ANY, "2003-03-05"),
        ("Wed, 23 Apr 2003 10:00:00 +0200", ANY, "2003-04-23"),
        ("Mi 23.04.2003", ANY, "2003-04-23"),
        ("mar. 22/04/2003", ANY, "2003-04-22"),
        // parts missing
        ("Oct-14", ANY, "date.incomplete: incomplete date; expected day, month and year, such as `2026-01-31`"),
        ("14-Jan", ANY, "date.incomplete: incomplete date; expected day, month and year, such as `2026-01-31`"),
        ("7 – 8 Feb", ANY, "date.incomplete: incomplete date; expected day, month and year, such as `2026-01-31`"),
        (
            "mercredi avril 2003",
            ANY,
            "date.incomplete: incomplete date; expected day, month and year, such as `2026-01-31`",
        ),
        ("March", ANY, "date.incomplete: incomplete date; expected day, month and year, such as `2026-01-31`"),
        ("05/2023", ANY, "date.incomplete: incomplete date; expected day, month and year, such as `2026-01-31`"),
        ("2023-05", ANY, "date.incomplete: incomplete date; expected day, month and year, such as `2026-01-31`"),
        ("05/23", DMY, "date.incomplete: incomplete date; expected day, month and year, such as `2026-01-31`"),
        ("2020", ANY, "date.incomplete: incomplete date; expected day, month and year, such as `2026-01-31`"),
        // bare numbers
        ("36526", ANY, "date.serial: bare number; expected a date such as `2026-01-31`"),
        ("36526.5", ANY, "date.serial: bare number; expected a date such as `2026-01-31`"),
        ("36", ANY, "date.serial: bare number; expected a date such as `2026-01-31`"),
        ("92", DMY, "date.serial: bare number; expected a date such as `2026-01-31`"),
        ("150322", DMY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        // days that are not in the calendar
        ("31.02.2023", ANY, "date.invalid: invalid date; February 2023 has 28 days"),
        ("31.02.2023", DMY, "date.invalid: invalid date; February 2023 has 28 days"),
        ("29.02.2024", ANY, "2024-02-29"),
        ("29.02.1900", ANY, "date.invalid: invalid date; February 1900 has 28 days"),
        ("2023-02-29", ANY, "date.invalid: invalid date; February 2023 has 28 days"),
        ("31 April 2023", ANY, "date.invalid: invalid date; April 2023 has 30 days"),
        ("2024-13-05", ANY, "date.invalid: invalid date; expected a month from 1 to 12"),
        ("0000-00-00", ANY, "date.invalid: invalid date; expected a year from 1900 to 2200"),
        ("3024-01-01", ANY, "date.invalid: invalid date; expected a year from 1900 to 2200"),
        ("01.01.1066", ANY, "date.invalid: invalid date; expected a year from 1900 to 2200"),
        // no dates at all
        ("Over 3 years", ANY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        ("36 months", ANY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        ("3 Jahre", ANY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        ("reçu 05/23", ANY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        ("NIL return", ANY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        ("-", ANY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        (".", ANY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        ("", ANY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        ("~2024-01-01", ANY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        ("2024-01-01?", ANY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        ("2024-01-01 to 2025-01-01", ANY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        ("-5/3/2024", DMY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        ("1,234,567", ANY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        ("123456789", ANY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        ("TRUE", ANY, "date.invalid: invalid date; expected a date such as `2026-01-31`"),
    ] {
        assert_eq!(read(text(cell), &by_order(order)), outcome, "{cell} {order:?}");
    }
}

#[test]
fn real_dates_are_taken_as_such() {
    let cell = |day: jiff::civil::Date| Cell { text: "1/2/24", value: Value::Date(day.at(14, 35, 0, 0)), format: None };
    assert_eq!(parse(cell(date(2024, 1, 2)), &DateReading::default()), Ok(date(2024, 1, 2)));
    assert_eq!(parse(cell(date(1899, 12, 30)), &DateReading::default()).unwrap_err().code, Code::DateInvalid);
}

#[test]
fn bare_numbers_show_the_day_they_would_be() {
    for (serial, hint) in [
        (36526.0, "format the cell as a date in the spreadsheet, or write `2000-01-01` if that is the date you mean"),
        (45292.75, "format the cell as a date in the spreadsheet, or write `2024-01-01` if that is the date you mean"),
        (36.0, "write the date itself; a count of days, months or years is not a date"),
        (59.0, "write the date itself; a count of days, months or years is not a date"),
    ] {
        let error = parse(number(serial), &DateReading::default()).unwrap_err();
        assert_eq!((error.code, error.hint()), (Code::DateSerial, hint), "{serial}");
    }
    assert_eq!(day_of_serial(1.0), Some(date(1900, 1, 1)));
    assert_eq!(day_of_serial(59.0), Some(date(1900, 2, 28)));
    assert_eq!(day_of_serial(60.0), None);
    assert_eq!(day_of_serial(61.0), Some(date(1900, 3, 1)));
    for (cell, outcome) in [
        (number(2020.0), "date.incomplete: incomplete date; expected day, month and year, such as `2026-01-31`"),
        (number(20150322.0), "2015-03-22"),
        (number(0.5), "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        (number(-3.0), "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        (number(1e300), "date.invalid: invalid date; expected a date such as `2026-01-31`"),
        (number(f64::NAN), "date.invalid: invalid date; expected a date such as `2026-01-31`"),
    ] {
        assert_eq!(read(cell, &DateReading::default()), outcome, "{cell:?}");
    }
    assert_eq!(read(number(2042003.0), &by_format("DDMMYYYY")), "2003-04-02");
}

#[test]
fn a_format_is_taken_at_its_word() {
    for (cell, pattern, outcome) in [
        ("01/02/2024", "DD/MM/YYYY", "2024-02-01"),
        ("01/02/2024 10:00", "MM/DD/YYYY", "2024-01-02"),
        (
            "01.02.2024",
            "MM/DD/YYYY",
            "date.invalid: invalid date; expected a date written as `MM/DD/YYYY`, or as `YYYY-MM-DD`",
        ),
        ("13/01/2024", "MM/DD/YYYY", "date.invalid: invalid date; expected a month from 1 to 12"),
        ("2024-02-01", "MM/DD/YYYY", "2024-02-01"),
        ("9 Mar 2011", "MM/DD/YYYY", "2011-03-09"),
        ("2024-02-01", "YYYY-DD-MM", "2024-01-02"),
        ("2024/02/01", "YYYY-DD-MM", "date.invalid: invalid date; expected a date written as `YYYY-DD-MM`"),
        ("20240201", "YYYY-DD-MM", "date.invalid: invalid date; expected a date written as `YYYY-DD-MM`"),
        ("150322", "YYMMDD", "2015-03-22"),
        ("1503", "YYMMDD", "date.serial: bare number; expected a date such as `2026-01-31`"),
    ] {
        assert_eq!(read(text(cell), &by_format(pattern)), outcome, "{cell} {pattern}");
    }
}

#[test]
fn the_ambiguous_date_says_how_to_settle_it() {
    let error = parse(text("01/02/2024"), &DateReading::default()).unwrap_err();
    assert_eq!(
        error.hint(),
        "say how dates are written with `--date-format`, such as `DD/MM/YYYY` or `MM/DD/YYYY`, or write them as `YYYY-MM-DD`"
    );
}

fn any_day() -> impl Strategy<Value = jiff::civil::Date> {
    (1900i16..=2200, 1i8..=12, 1i8..=31)
        .prop_filter_map("a day of the calendar", |(year, month, day)| jiff::civil::Date::new(year, month, day).ok())
}

/// The day as people in some country write it.
fn written(day: jiff::civil::Date, order: DateOrder, separator: &str, padding: usize) -> String {
    let (d, m, y) =
        (format!("{:0padding$}", day.day()), format!("{:0padding$}", day.month()), format!("{:04}", day.year()));
    match order {
        DateOrder::DayMonthYear => [d, m, y].join(separator),
        DateOrder::MonthDayYear => [m, d, y].join(separator),
        DateOrder::YearMonthDay => [y, m, d].join(separator),
    }
}

proptest! {
    #[test]
    fn days_written_in_an_order_are_read_back(
        day in any_day(),
        order in proptest::sample::select(&DateOrder::ALL[..]),
        separator in proptest::sample::select(&["-", "/", ".", "\\", " ", ". "][..]),
        padding in 1usize..=2,
        time in proptest::sample::select(&["", " 14:35", "T00:00:00Z", ", 2:35:00 PM"][..]),
    ) {
        let cell = written(day, order, separator, padding) + time;
        prop_assert_eq!(parse(text(&cell), &by_order(Some(order))), Ok(day), "{}", cell);
        // Without the order it is that day, or a question that shows that day.
        match parse(text(&cell), &DateReading::default()) {
            Ok(read) => prop_assert_eq!(read, day),
            Err(error) => prop_assert!(error.code == Code::DateAmbiguous && error.message.contains(&day.to_string())),
        }
    }

    #[test]
    fn days_written_in_a_format_are_read_back(
        day in any_day(),
        pattern in proptest::sample::select(&["%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%d%m%Y", "%d %b %Y", "%B %d, %Y", "%Y年%m月%d日"][..]),
    ) {
        let cell = jiff::fmt::strtime::format(pattern, day).unwrap();
        prop_assert_eq!(parse(text(&cell), &by_format(pattern)), Ok(day), "{}", cell);
    }

    #[test]
    fn short_years_turn_at_69(year in 1969i16..=2068, order in proptest::sample::select(&DateOrder::ALL[..])) {
        let day = date(year, 3, 9);
        let cell = written(day, order, "/", 2).replace(&year.to_string(), &format!("{:02}", year % 100));
        prop_assert_eq!(parse(text(&cell), &by_order(Some(order))), Ok(day), "{}", cell);
    }

    #[test]
    fn nothing_panics(cell in "\\PC*", pattern in "\\PC*", order in proptest::option::of(proptest::sample::select(&DateOrder::ALL[..]))) {
        let _ = parse(text(&cell), &by_order(order));
        if let Ok(format) = DateFormat::parse(&pattern) {
            let _ = parse(text(&cell), &DateReading { format: Some(format), ..by_order(order) });
        }
    }

    #[test]
    fn nothing_panics_near_a_date(cell in "[0-9]{1,4}[-/.: T年Zé]{0,2}([0-9]{1,9}|Mar|août)?[-/.: T月]{0,2}[0-9]{0,4}[ T:+Z0-9éPM]{0,8}") {
        let _ = parse(text(&cell), &DateReading::default());
        let _ = parse(text(&cell), &by_format("DD.MM.YYYY"));
        let _ = parse(text(&cell), &by_format("DDMMYY"));
    }

    #[test]
    fn no_number_panics(serial in any::<f64>()) {
        let _ = parse(number(serial), &DateReading::default());
        let _ = parse(number(serial), &by_format("DDMMYYYY"));
    }
}

#[test]
#[ignore = "runs in a process of its own: see the module `fuzz`"]
fn fuzz_dates() {
    let inputs: [&[u8]; 8] = [
        b"2024-05-01T12:34:56.789Z",
        b"1.5.24",
        b"05/01/2024 12:00 AM",
        "1. März 2024".as_bytes(),
        "2024年5月1日".as_bytes(),
        b"Wed, 1 May 2024",
        b"45413",
        b"DD.MM.YYYY",
    ];
    let words = ["Z", "T", "/", ".", "-", "May", "mars", "AM", "+02:00", "99999", "Y", "D", "M", "-0001"];
    crate::fuzz::each_mutation(&inputs, &words, 1, |bytes| {
        let written = String::from_utf8_lossy(bytes);
        let given = DateFormat::parse(&written).ok();
        for reading in [DateReading::default(), DateReading { format: given, ..DateReading::default() }] {
            let _ = parse(text(&written), &reading);
        }
        let bits = bytes.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        let _ = parse(number(f64::from_bits(bits)), &by_order(None));
    });
}
