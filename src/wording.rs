//! Numbers and times as people read them.

/// `1,204`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `1,204 rows`. For nouns whose plural ends in `s`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

/// `3 e-mails to 2 people`.
pub(crate) fn mails(emails: u64, people: u64) -> String {
    let noun = if people == 1 { "person" } else { "people" };
    format!("{} to {} {noun}", counted(emails, "e-mail"), thousands(people))
}

/// A time in the two units that matter: `0.4 s`, `42 s`, `2 min 5 s`, `1 h 12 min`.
pub(crate) fn duration(seconds: f64) -> String {
    let seconds = if seconds.is_finite() { seconds.max(0.0) } else { 0.0 };
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3_600 => pair(whole / 60, "min", whole % 60, "s"),
        _ => pair(whole.div_ceil(60) / 60, "h", whole.div_ceil(60) % 60, "min"),
    }
}

fn pair(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    match small {
        0 => format!("{} {large_unit}", thousands(large)),
        _ => format!("{} {large_unit} {small} {small_unit}", thousands(large)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([1, 2].map(|number| counted(number, "row")), ["1 row", "2 rows"]);
        assert_eq!(
            [0.04, 9.94, 9.96, 59.6, 125.0, 3_600.0, 4_321.0, f64::NAN].map(duration),
            ["0.0 s", "9.9 s", "10 s", "1 min", "2 min 5 s", "1 h", "1 h 13 min", "0.0 s"]
        );
    }
}
