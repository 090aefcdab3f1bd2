//! The General number format, which spreadsheet programs use where no other is set.

use std::fmt::Write;

/// A number in the General format, without an exponent up to 21 digits: `6377021234567890` is what the cell holds.
///
/// Like a spreadsheet program it shows 15 significant digits: 0.1 + 0.2 is stored as 0.30000000000000004.
pub(super) fn general(text: &mut String, number: f64) {
    const EXACT: f64 = 1e15;
    let size = number.abs();
    let _ = if number == 0.0 {
        text.push('0');
        Ok(())
    } else if size < EXACT && number.trunc() == number {
        write!(text, "{}", number as i64)
    } else if !(1e-9..1e21).contains(&size) {
        write!(text, "{number:E}")
    } else if size >= EXACT {
        write!(text, "{number}")
    } else {
        let rounded = format!("{number:.14e}").parse().unwrap_or(number);
        write!(text, "{rounded}")
    };
}
