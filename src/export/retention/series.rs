//! The file names of one export over time.

use std::collections::BTreeSet;
use std::path::{MAIN_SEPARATOR, Path};

use jiff::civil::{Date, DateTime, Time};

/// The placeholders, and the shape of their values: `d` stands for a digit, any other character for itself.
const STAMPS: &[(&str, &str)] = &[("{date}", "dddd-dd-dd"), ("{time}", "dddddd")];

/// When a file was written, as its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Stamp {
    pub(super) date: Option<Date>,
    pub(super) time: Option<Time>,
}

impl Stamp {
    /// Takes in the value of a placeholder; false if it is no date or time, or another than that of the same
    /// placeholder before.
    fn set(&mut self, placeholder: &str, text: &str) -> bool {
        fn agree<T: PartialEq + Copy>(known: &mut Option<T>, value: Option<T>) -> bool {
            value.is_some_and(|value| *known.get_or_insert(value) == value)
        }
        if placeholder == "{date}" {
            agree(&mut self.date, text.parse().ok())
        } else {
            agree(&mut self.time, Time::strptime("%H%M%S", text).ok())
        }
    }

    /// The order of files: a time without a date that is later than now is yesterday's. None for the future, which this
    /// export has not reached.
    fn age_order(self, now: DateTime) -> Option<(Date, Time)> {
        let now_time = now.time().with().subsec_nanosecond(0).build().unwrap_or(now.time());
        let (date, time) = match (self.date, self.time) {
            (None, Some(time)) if time > now_time => (now.date().yesterday().ok()?, time),
            (date, time) => (date.unwrap_or(now.date()), time.unwrap_or(Time::midnight())),
        };
        ((date, time) <= (now.date(), now_time)).then_some((date, time))
    }
}

/// Whether the name is that of the pattern, with the stamp that was read so far. Adds what the name says to the stamp.
pub(super) fn match_stamp(pattern: &str, name: &str, stamp: Stamp) -> Option<Stamp> {
    let (mut pattern, mut name, mut stamp) = (pattern, name, stamp);
    loop {
        let placeholder = STAMPS.iter().find(|(placeholder, _)| pattern.starts_with(placeholder));
        if let Some((placeholder, shape)) = placeholder {
            let (part, after) = name.split_at_checked(shape.len())?;
            let fits =
                |(char, wanted): (char, char)| if wanted == 'd' { char.is_ascii_digit() } else { char == wanted };
            if !part.chars().zip(shape.chars()).all(fits) || !stamp.set(placeholder, part) {
                return None;
            }
            (pattern, name) = (&pattern[placeholder.len()..], after);
            continue;
        }
        let Some(char) = pattern.chars().next() else { return name.is_empty().then_some(stamp) };
        name = name.strip_prefix(char)?;
        pattern = &pattern[char.len_utf8()..];
    }
}

/// Whether a date or time is part of the name.
pub(super) fn has_stamp(pattern: &str) -> bool {
    STAMPS.iter().any(|(placeholder, _)| pattern.contains(placeholder))
}

/// The patterns of the files that a run wrote: `pattern` is its output, of which only `{date}` and `{time}` are left.
///
/// Written files lie in the folder of the output, or beside it with its stem, such as `.changes.csv`. A file that is
/// neither (behind a link, say) has no pattern.
pub(super) fn patterns_of(pattern: &str, written: &[String], now: DateTime) -> BTreeSet<String> {
    let filled = fill(pattern, now);
    let stem_of = |text: &str| -> Option<String> {
        let name_starts = text.rfind(['/', MAIN_SEPARATOR]).map_or(0, |slash| slash + 1);
        let dot = text[name_starts..].rfind('.')?;
        Some(text[..name_starts + dot].to_owned())
    };
    // A partitioned export has the date in the folders that it makes below its output.
    let snapshot = format!("snapshot={}", now.date());
    let pattern_of = |file: &String| {
        if *file == filled {
            return Some(pattern.to_owned());
        }
        if let Ok(below) = Path::new(file).strip_prefix(&filled) {
            let below = below.to_str()?.replace(&snapshot, "snapshot={date}");
            return Some(format!("{}/{below}", pattern.trim_end_matches(['/', MAIN_SEPARATOR])));
        }
        let beside = file.strip_prefix(&stem_of(&filled)?)?;
        Some(format!("{}{beside}", stem_of(pattern)?)).filter(|_| beside.starts_with('.'))
    };
    written.iter().filter_map(pattern_of).filter(|pattern| has_stamp(pattern)).collect()
}

/// The text with the date and the time of `now`.
pub(crate) fn fill(pattern: &str, now: DateTime) -> String {
    let time = format!("{:02}{:02}{:02}", now.hour(), now.minute(), now.second());
    pattern.replace("{date}", &now.date().to_string()).replace("{time}", &time)
}

/// The items that are older than the newest `keep` stamps of items that count, of which the run of `now` is one. Stamps of
/// the future do not count, and their items are never outdated.
pub(super) fn outdated<T>(found: Vec<(Stamp, T)>, counts: impl Fn(&T) -> bool, keep: usize, now: DateTime) -> Vec<T> {
    let dated: Vec<_> = found.into_iter().filter_map(|(stamp, item)| Some((stamp.age_order(now)?, item))).collect();
    let newest: BTreeSet<(Date, Time)> = dated.iter().filter(|(_, item)| counts(item)).map(|(at, _)| *at).collect();
    // With fewer than `keep` all stay.
    let Some(oldest) = newest.into_iter().rev().nth(keep.saturating_sub(1)) else { return Vec::new() };
    dated.into_iter().filter(|(at, _)| *at < oldest).map(|(_, item)| item).collect()
}
