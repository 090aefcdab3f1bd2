//! The plainest number formats, `00000`, `0.00` and `#,##0.00`, at the speed of a table full of them.

use std::fmt::Write;

/// Digits with or without thousands separators, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlainFormat {
    has_thousands: bool,
    least_digits: usize,
    decimals: usize,
}

impl PlainFormat {
    /// Reads a format code; none where it says anything more.
    pub(super) fn parse(code: &str) -> Option<PlainFormat> {
        let (whole, decimals) = code.split_once('.').map_or((code, 0), |(whole, decimals)| (whole, decimals.len()));
        let zeros = whole.strip_prefix("#,##").unwrap_or(whole);
        let plain = PlainFormat { has_thousands: zeros.len() < whole.len(), least_digits: zeros.len(), decimals };
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte == b'0');
        let is_plain = is_digits(zeros) && code.split_once('.').is_none_or(|(_, decimals)| is_digits(decimals));
        let is_short = plain.least_digits <= 15 && decimals <= 6 && (!plain.has_thousands || plain.least_digits == 1);
        (is_plain && is_short).then_some(plain)
    }

    /// Appends the number as shown. False, and nothing appended, where that would take rounding: how it is done is
    /// left to those who know.
    pub(super) fn push(self, text: &mut String, number: f64) -> bool {
        const EXACT: f64 = 1e14;
        let scale = 10_i64.pow(self.decimals as u32);
        let scaled = number * scale as f64;
        let whole = scaled.round();
        let is_exact = whole.abs() < EXACT && (whole / scale as f64) == number;
        if !is_exact {
            return false;
        }
        let digits = whole.abs() as i64;
        if whole < 0.0 {
            text.push('-');
        }
        self.push_whole(text, digits / scale);
        if self.decimals > 0 {
            // Writing to a string cannot fail.
            let _ = write!(text, ".{:0width$}", digits % scale, width = self.decimals);
        }
        true
    }

    fn push_whole(self, text: &mut String, number: i64) {
        if !self.has_thousands || number < 1000 {
            let _ = write!(text, "{number:0width$}", width = self.least_digits);
            return;
        }
        self.push_whole(text, number / 1000);
        let _ = write!(text, ",{:03}", number % 1000);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_plain_formats_are_taken() {
        for code in ["0", "00000", "0.00", "#,##0", "#,##0.00", "0.0"] {
            assert!(PlainFormat::parse(code).is_some(), "{code}");
        }
        for code in ["General", "#", "0.", ".0", "0.0#", "#,##00", "0%", "0.00;-0.00", "#,##", "0,0", "0.0.0", ""] {
            assert!(PlainFormat::parse(code).is_none(), "{code}");
        }
    }

    #[test]
    fn rounding_is_left_to_others() {
        let mut text = String::new();
        assert!(!PlainFormat::parse("0.00").unwrap().push(&mut text, 1.005));
        assert!(!PlainFormat::parse("0").unwrap().push(&mut text, 1.5));
        assert!(!PlainFormat::parse("0").unwrap().push(&mut text, f64::NAN));
        assert_eq!(text, "");
    }

    proptest! {
        #[test]
        fn the_text_is_that_of_ssfmt(
            code in prop::sample::select(vec!["0", "00000", "0.00", "#,##0", "#,##0.00", "0.0", "000.0000"]),
            cents in -10_000_000_000_i64..10_000_000_000,
            scale in prop::sample::select(vec![1.0, 10.0, 100.0]),
        ) {
            let number = cents as f64 / scale;
            let mut text = String::new();
            if PlainFormat::parse(code).unwrap().push(&mut text, number) {
                let peer = ssfmt::format_default(number, code).unwrap();
                prop_assert_eq!(text, peer);
            }
        }
    }
}
