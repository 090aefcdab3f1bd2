#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;

fn text(text: &str) -> Cell<'_> {
    Cell { text, value: Value::Text, format: None }
}

fn number<'a>(number: f64, format: Option<&'a str>, text: &'a str) -> Cell<'a> {
    Cell { text, value: Value::Number(number), format }
}

/// The amount with its currency hint, or the code of the error with its message.
fn read(cell: Cell<'_>, mark: Option<DecimalMark>) -> String {
    match parse(cell, mark) {
        Ok(Amount { value, currency: None }) => value.to_string(),
        Ok(Amount { value, currency: Some(hint) }) => format!("{value} {hint}"),
        Err(error) => format!("{}: {}", error.code.as_str(), error.message),
    }
}

const ANY: Option<DecimalMark> = None;
const POINT: Option<DecimalMark> = Some(DecimalMark::Point);
const COMMA: Option<DecimalMark> = Some(DecimalMark::Comma);
const INVALID: &str = "money.invalid: invalid amount; expected a number such as `1299.00`";

#[test]
fn every_spelling_seen_has_its_outcome() {
    for (cell, mark, outcome) in [
        ("2266.13", ANY, "2266.13"),
        ("5000.00", ANY, "5000.00"),
        ("301300", ANY, "301300"),
        ("0.00", ANY, "0.00"),
        ("$12.58", ANY, "12.58 $"),
        ("$4.00 ", ANY, "4.00 $"),
        ("$49", ANY, "49 $"),
        ("$1,299.00", ANY, "1299.00 $"),
        ("£512.20", ANY, "512.20 £"),
        ("£4,814,973.35", ANY, "4814973.35 £"),
        ("184,904.05", ANY, "184904.05"),
        ("-93,705.32", ANY, "-93705.32"),
        ("-10.00", ANY, "-10.00"),
        ("229,932.50", ANY, "229932.50"),
        ("13,1", ANY, "13.1"),
        ("0,166", ANY, "0.166"),
        ("0.166", ANY, "0.166"),
        ("0,316666667", ANY, "0.316666667"),
        ("81,20416129", ANY, "81.20416129"),
        ("12.345,67", ANY, "12345.67"),
        ("1.234", ANY, "money.ambiguous: ambiguous amount; could be `1234` or `1.234`"),
        ("1,234", ANY, "money.ambiguous: ambiguous amount; could be `1234` or `1.234`"),
        ("1.234", COMMA, "1234"),
        ("1.234", POINT, "1.234"),
        ("1,234", POINT, "1234"),
        ("1,234", COMMA, "1.234"),
        ("-1,234 €", ANY, "money.ambiguous: ambiguous amount; could be `1234` or `1.234`"),
        ("10.000,1", ANY, "10000.1"),
        ("10.000", COMMA, "10000"),
        ("1.299,00 €", ANY, "1299.00 €"),
        ("€ 1.299,00", COMMA, "1299.00 €"),
        ("1.299,00 Euro", ANY, "1299.00 Euro"),
        ("1\u{a0}234\u{a0}567,89\u{a0}р.", ANY, "1234567.89 р."),
        ("1\u{202f}234,50", ANY, "1234.50"),
        ("1\u{2009}234", ANY, "1234"),
        ("1'299.50", ANY, "1299.50"),
        ("CHF 1’299.–", ANY, "1299 CHF"),
        ("1.299,-", COMMA, "1299"),
        ("5,-", ANY, "5"),
        ("RD$1,234.56", ANY, "1234.56 RD$"),
        ("SFr. 1,234.56 ", ANY, "1234.56 SFr."),
        ("SFr.1'234", ANY, "1234 SFr."),
        ("Rs.500", ANY, "500 Rs."),
        ("R$ 1.299,00", ANY, "1299.00 R$"),
        ("500 kr", ANY, "500 kr"),
        ("500,50 zł", ANY, "500.50 zł"),
        ("¥1200", ANY, "1200 ¥"),
        ("￥１，２００．５", ANY, "1200.5 ￥"),
        ("EUR 12.50", ANY, "12.50 EUR"),
        ("12.50 usd", ANY, "12.50 USD"),
        ("$12.50 CAD", ANY, "12.50 CAD"),
        ("$12.50 EUR", ANY, "money.currency: two currencies in one cell; expected an amount in one currency"),
        ("500 DEM", ANY, "currency.historic: currency no longer in use"),
        ("430553.1", ANY, "430553.1"),
        (".5", ANY, "0.5"),
        ("$.50", ANY, "0.50 $"),
        ("-.5", ANY, "-0.5"),
        ("(45)", ANY, "-45"),
        ("($45.10)", ANY, "-45.10 $"),
        ("$(45)", ANY, "-45 $"),
        ("45-", ANY, "-45"),
        ("(0.00)", ANY, "0.00"),
        ("45.10 €-", ANY, "-45.10 €"),
        ("-$45", ANY, "-45 $"),
        ("$-45", ANY, "-45 $"),
        ("−45", ANY, "-45"),
        ("+45", ANY, "45"),
        ("1,23,456.00", ANY, "123456.00"),
        ("12.5", COMMA, "money.invalid: invalid amount; expected a decimal comma, as in `1299,50`"),
        ("12,5", POINT, "money.invalid: invalid amount; expected a decimal point, as in `1299.50`"),
        // no amounts
        ("95%", ANY, INVALID),
        ("-2.00E-02", ANY, INVALID),
        ("3E+3", ANY, INVALID),
        ("£5k", ANY, INVALID),
        ("0.8 万元", ANY, INVALID),
        ("ECHANTILLON", ANY, INVALID),
        ("NC", ANY, INVALID),
        ("nc", ANY, INVALID),
        ("100*", ANY, INVALID),
        ("1e/ml", ANY, INVALID),
        ("n/a", ANY, INVALID),
        ("-", ANY, INVALID),
        ("****", ANY, INVALID),
        ("NaN", ANY, INVALID),
        ("INF", ANY, INVALID),
        ("", ANY, INVALID),
        ("(-45)", ANY, INVALID),
        ("--45", ANY, INVALID),
        ("(45", ANY, INVALID),
        ("45(", ANY, INVALID),
        ("12 units", ANY, INVALID),
        ("2x500", ANY, INVALID),
        ("12²", ANY, INVALID),
        ("5½", ANY, INVALID),
        ("1.2.3", ANY, INVALID),
        ("12,34,56", ANY, INVALID),
        ("500/600", ANY, INVALID),
        ("2024-01-31", ANY, INVALID),
    ] {
        assert_eq!(read(text(cell), mark), outcome, "{cell} {mark:?}");
    }
}

#[test]
fn numeric_cells_are_exact_and_show_their_currency() {
    for (cell, outcome) in [
        (number(0.5, Some("[$EUR] 0.00"), "EUR 0.50"), "0.5 EUR"),
        (number(0.5, Some("[$CHF] 0.00"), "CHF 0.50"), "0.5 CHF"),
        (number(0.5, None, "€ 0.50"), "0.5 €"),
        (number(430553.1, None, "430553.1"), "430553.1"),
        (number(2266.13, Some("#,##0.00"), "2,266.13"), "2266.13"),
        (number(1299.0, Some("\"£\"#,##0"), "£1,299"), "1299 £"),
        (number(-10.0, None, "-10"), "-10"),
        (number(0.316666667, None, "0.316666667"), "0.316666667"),
        (number(0.1 + 0.2, None, "0.3"), "0.3"),
        (number(1e-9, None, "0.000000001"), "0.000000001"),
        (number(0.0, None, "0"), "0"),
        (number(0.95, Some("0%"), "95%"), INVALID),
        (number(1e15, None, "1E+15"), INVALID),
        (number(f64::NAN, None, ""), INVALID),
        (number(f64::INFINITY, None, ""), INVALID),
        (Cell { value: Value::Boolean(true), ..text("1") }, INVALID),
    ] {
        assert_eq!(read(cell, None), outcome, "{cell:?}");
    }
}

/// Groups of three with a separator between them.
fn grouped(digits: &str, separator: &str) -> String {
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(separator)
}

proptest! {
    #[test]
    fn any_amount_is_read_back(
        mantissa in 0i64..1_000_000_000_000_000,
        scale in 0u32..6,
        minus in any::<bool>(),
        mark in proptest::sample::select(&[DecimalMark::Point, DecimalMark::Comma][..]),
        separator in 0usize..5,
        sign in proptest::sample::select(&["", "$", "€ ", "CHF ", "RD$"][..]),
        accounting in any::<bool>(),
    ) {
        let value = Decimal::new(mantissa, scale);
        let plain = value.to_string();
        let (whole, decimals) = plain.split_once('.').unwrap_or((&plain, ""));
        let thousands = if mark == DecimalMark::Point { "," } else { "." };
        let separator = ["", thousands, " ", "\u{202f}", "’"][separator];
        let point = if decimals.is_empty() { String::new() } else { mark.as_char().to_string() };
        let digits = format!("{sign}{}{point}{decimals}", grouped(whole, separator));
        let cell = match (minus, accounting) {
            (false, _) => digits,
            (true, false) => format!("-{digits}"),
            (true, true) => format!("({digits})"),
        };
        let expected = if minus && mantissa != 0 { -value } else { value };
        prop_assert_eq!(parse(text(&cell), Some(mark)).unwrap().value, expected, "{}", cell);
        // Without the mark it is that amount, or a question that shows it.
        match parse(text(&cell), None) {
            Ok(amount) => prop_assert_eq!(amount.value, expected),
            Err(error) => {
                prop_assert_eq!(error.code, Code::MoneyAmbiguous);
                let shown = format!("`{value}`");
                prop_assert!(error.message.contains(&shown), "{}", error.message);
            }
        }
    }

    #[test]
    fn numbers_with_up_to_15_digits_are_exact(mantissa in -999_999_999_999_999i64..=999_999_999_999_999, scale in 0u32..12) {
        let value = Decimal::new(mantissa, scale);
        let cell = number(value.to_string().parse().unwrap(), None, "");
        prop_assert_eq!(parse(cell, None).unwrap().value, value);
    }

    #[test]
    fn nothing_panics(cell in "\\PC*", format in "\\PC*", value in any::<f64>()) {
        for mark in [None, POINT, COMMA] {
            let _ = parse(text(&cell), mark);
        }
        let _ = parse(number(value, Some(&format), &cell), None);
    }

    #[test]
    fn nothing_panics_near_an_amount(cell in "[$€(+-]{0,3}[0-9１]{0,30}[., '’]{0,2}[0-9]{0,30}[., ]?[0-9]{0,4}[)€ .,-]{0,3}") {
        for mark in [None, POINT, COMMA] {
            let _ = parse(text(&cell), mark);
        }
    }
}

#[test]
#[ignore = "runs in a process of its own: see the module `fuzz`"]
fn fuzz_money() {
    let inputs: [&[u8]; 6] =
        [b"1,299.00", b"(12'345.60)", "€ 1.299,-".as_bytes(), b"USD 5k", b"-.5", "١٢٣٫٤".as_bytes()];
    let words = ["EUR", "$", ".", ",", "'", "\u{a0}", "-", "(", ")", "e9", "k", "%", "CHF", "\u{202f}"];
    crate::fuzz::each_mutation(&inputs, &words, 1, |bytes| {
        let written = String::from_utf8_lossy(bytes);
        let bits = bytes.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        for mark in [ANY, POINT, COMMA] {
            let _ = parse(text(&written), mark);
            let _ = parse(number(f64::from_bits(bits), Some(&written), "1"), mark);
        }
    });
}
