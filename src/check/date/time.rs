//! Strips the time of day after a date.

/// The date part of a trimmed text, without time, zone and offset. The offset does not matter, because the written
/// day counts. Returns the whole text if what follows the date is not a time.
pub(super) fn without_time(text: &str) -> &str {
    match text.find(':') {
        Some(colon) => before_time(text, colon).unwrap_or(text),
        None => without_zulu(text),
    }
}

/// `2015-03-22Z`, as some databases write dates.
fn without_zulu(text: &str) -> &str {
    match text.strip_suffix(['Z', 'z']) {
        Some(date) if date.ends_with(|char: char| char.is_ascii_digit()) => date,
        _ => text,
    }
}

fn before_time(text: &str, colon: usize) -> Option<&str> {
    let hour = text[..colon].trim_end_matches(|char: char| char.is_ascii_digit()).len();
    let (date, time) = text.split_at(hour);
    if date.ends_with(['+', '-']) {
        // `2015-03-22+03:00`: a date with an offset and no time.
        let (date, offset) = text.split_at(hour - 1);
        return is_zone(offset).then_some(date);
    }
    let bare = date.trim_end_matches(|char: char| char.is_whitespace() || char == ',');
    let bare = match date.strip_suffix(['T', 't']) {
        Some(date) if date.ends_with(|char: char| char.is_ascii_digit()) => date,
        _ => bare,
    };
    (bare.len() < date.len() && is_time(time)).then_some(bare)
}

/// `14:35`, `9:05:07.123 PM`, `15:00:00+03:00`, `10:00:00 GMT+0200 (CEST)`, `12:00 Uhr`.
fn is_time(text: &str) -> bool {
    let Some(rest) = number(text, 1, 24).and_then(minutes) else { return false };
    let rest = match minutes(rest) {
        Some(rest) => without_fraction(rest),
        None => rest,
    };
    is_zone(without_word(rest, &["am", "pm", "a.m.", "p.m.", "uhr"]))
}

/// Whether a text is a moment in UTC that is another day for many people: `2024-03-04T23:00:00Z` is midnight of the next
/// day in Berlin. Midnight itself is what programs write that know only a day. An offset other than zero is local time.
#[inline]
pub(in crate::check) fn is_local_day_uncertain(text: &str) -> bool {
    let Some(colon) = text.bytes().position(|byte| byte == b':') else { return false };
    let start = text[..colon].trim_end_matches(|char: char| char.is_ascii_digit()).len();
    let time = &text[start..];
    let clock_end = time.find(|char: char| !matches!(char, '0'..='9' | ':' | '.' | ',')).unwrap_or(time.len());
    let (clock, zone) = time.split_at(clock_end);
    let zone = zone.trim_start();
    let is_afternoon = zone.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("pm"));
    let zone = without_word(zone, &["am", "pm"]).trim_start();
    let hour = clock[..colon - start].parse().unwrap_or(0) + if is_afternoon { 12 } else { 0 };
    let is_midnight = clock.bytes().all(|byte| !byte.is_ascii_digit() || byte == b'0');
    is_utc(zone) && !is_midnight && !CERTAIN_HOURS.contains(&hour)
}

/// The hours in UTC that belong to the same day from California to eastern Australia.
const CERTAIN_HOURS: std::ops::Range<u8> = 8..14;

fn is_utc(zone: &str) -> bool {
    const ZEROS: [&str; 8] = ["z", "utc", "gmt", "+00:00", "-00:00", "+0000", "+00", "+0"];
    ZEROS.iter().any(|zero| zone.trim_end().eq_ignore_ascii_case(zero))
}

/// The rest after `:59`.
fn minutes(text: &str) -> Option<&str> {
    number(text.strip_prefix(':')?, 2, 60)
}

/// The rest after a number of at least `least` and at most two digits, up to `most`.
fn number(text: &str, least: usize, most: u8) -> Option<&str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let value: u8 = text.get(..digits)?.parse().ok()?;
    ((least..=2).contains(&digits) && value <= most).then(|| &text[digits..])
}

fn without_fraction(text: &str) -> &str {
    match text.strip_prefix(['.', ',']) {
        Some(fraction) => fraction.trim_start_matches(|char: char| char.is_ascii_digit()),
        None => text,
    }
}

/// The rest after one of `words`, white space before it skipped.
fn without_word<'a>(text: &'a str, words: &[&str]) -> &'a str {
    let text = text.trim_start();
    let begins = |word: &&&str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    words.iter().find(begins).map_or(text, |word| &text[word.len()..])
}

/// Nothing, `Z`, `UTC`, `+03:00`, `GMT+0200 (CEST)`, `+01:00[Europe/Berlin]`.
fn is_zone(text: &str) -> bool {
    let rest = without_word(text, &["z", "utc", "gmt"]).trim_start();
    let rest = match rest.strip_prefix(['+', '-', '−']) {
        Some(offset) => match number(offset.get(..2).unwrap_or_default(), 2, 18) {
            Some(_) => offset[2..].trim_start_matches(|char: char| char == ':' || char.is_ascii_digit()),
            None => return false,
        },
        None => rest,
    };
    let rest = rest.trim_start();
    rest.is_empty() || (rest.starts_with('(') && rest.ends_with(')')) || (rest.starts_with('[') && rest.ends_with(']'))
}

#[cfg(test)]
mod tests {
    use super::{is_local_day_uncertain, without_time};

    #[test]
    fn moments_in_utc_may_be_another_day() {
        for text in [
            "2024-03-04T23:00:00Z", "2024-03-04T22:00:00.000Z", "2024-03-04 23:00:00 UTC", "2024-03-04T15:00:00+00:00",
            "2024-03-04T04:00:00Z", "3/4/2024 11:00 PM GMT", " 2024-03-04T18:30Z ",
        ] {
            assert!(is_local_day_uncertain(text), "{text}");
        }
        for text in [
            "2024-03-04T00:00:00Z", "2024-03-04T00:00:00.000Z", "2024-03-04T12:00:00Z", "2024-03-04T23:00:00",
            "2024-03-04 23:00", "2024-03-04T23:00:00+01:00", "2024-03-04T23:00:00-05:00", "2024-03-04", "2015-03-22Z",
            ":", "",
        ] {
            assert!(!is_local_day_uncertain(text), "{text}");
        }
    }

    #[test]
    fn times_are_left_off() {
        for (text, date) in [
            ("2020-01-01T15:00:00Z", "2020-01-01"),
            ("2020-01-01T15:00:00+03:00", "2020-01-01"),
            ("2020-01-01 15:00:00.123456 -05:30", "2020-01-01"),
            ("2009-07/14 10:00+02:00", "2009-07/14"),
            ("12/17/2017 14:35", "12/17/2017"),
            ("12/17/2017, 2:35\u{202f}PM", "12/17/2017"),
            ("9/15/2000 00:00:00", "9/15/2000"),
            ("09.07.2013 12:00 Uhr", "09.07.2013"),
            ("2015-03-22Z", "2015-03-22"),
            ("2015-03-22+03:00", "2015-03-22"),
            ("2015-03-22-05:00", "2015-03-22"),
            ("Wed Apr 23 2003 10:00:00 GMT+0200 (CEST)", "Wed Apr 23 2003"),
            ("2003-04-23T10:00:00+01:00[Europe/Berlin]", "2003-04-23"),
            ("2003-04-23 25:00", "2003-04-23 25:00"),
            ("2003-04-23 10:00 maybe", "2003-04-23 10:00 maybe"),
            ("2003-04-2310:00", "2003-04-2310:00"),
            ("10:00", "10:00"),
            ("Oct:14", "Oct:14"),
            (":", ":"),
        ] {
            assert_eq!(without_time(text), date, "{text}");
        }
    }
}
