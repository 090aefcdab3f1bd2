//! Replaces what differs between runs and machines, so that tests can compare whole outputs.

use std::path::Path;

use serde_json::Value;

/// The run that redacted outputs show.
const RUN: &str = "20261124-093015-abcd";
/// The day that redacted outputs show in place of today and yesterday.
const TODAY: &str = "2026-11-24";
/// The moment that redacted outputs show.
const TIMESTAMP: &str = "2026-11-24T09:30:15Z";

/// An output with a fixed run id, duration, port, file size and date, and `~` for the folder of the test.
pub fn redact(text: &str, folder: &Path) -> String {
    // The day may change while a test runs.
    let today = jiff::tz::TimeZone::system().to_datetime(jiff::Timestamp::now()).date();
    let text = text.replace(&folder.display().to_string(), "~");
    let text = [today, today.yesterday().unwrap()].iter().fold(text, |text, day| text.replace(&day.to_string(), TODAY));
    // A progress line appears only if a step takes long enough.
    let is_progress = |line: &str| {
        line.contains(" rows/s") || line.starts_with("no response to ") || line.starts_with("the service is failing; ")
    };
    let lines = text.lines().filter(|line| !is_progress(line));
    lines.map(|line| redact_line(line).trim_end().to_owned() + "\n").collect()
}

/// A redacted output without how the work was shared between a killed process and the one that resumed it.
pub fn without_split(output: &str) -> String {
    let mask = |line: &str| match line.trim_start() {
        text if text.starts_with("requests ") => String::from("  requests  N"),
        text if text.contains(" rows: ") && text.contains(" created, ") => String::from("  N rows: ..."),
        text if text.contains("asset `#") => {
            let (before, id) = line.split_once("asset `#").unwrap_or((line, ""));
            format!("{before}asset `#N{}", id.trim_start_matches(|char: char| char.is_ascii_digit()))
        }
        _ => line.to_owned(),
    };
    output.lines().map(|line| mask(line) + "\n").collect()
}

fn redact_line(line: &str) -> String {
    let mut line = redact_digests(&redact_sizes(&redact_age_and_size(&redact_runs(line))));
    for (before, after, replacement) in [
        (", in ", " s", "0.5"),
        (" after ", " s", "0.5"),
        ("127.0.0.1:", "", "49152"),
        ("answered in ", " ms", "2"),
        ("milliseconds=", "", "2"),
    ] {
        line = redact_number(&line, before, after, replacement);
    }
    redact_log_time(redact_os_error(redact_retry_time(line)))
}

/// The time of day of the next attempt.
fn redact_retry_time(line: String) -> String {
    for before in [" at ", " until "] {
        let Some(start) = line.find(before).map(|at| at + before.len()) else { continue };
        let time: Vec<&str> = line.get(start..start + 8).unwrap_or_default().split(':').collect();
        if time.len() == 3 && time.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit())) {
            return format!("{}09:30:15{}", &line[..start], &line[start + 8..]);
        }
    }
    line
}

/// The words of the operating system: they differ between systems.
fn redact_os_error(line: String) -> String {
    let Some(end) = line.find(" (os error ") else { return line };
    let start = line[..end].rfind(": ").map_or(0, |at| at + 2);
    let rest = line[end..].split_once(')').map_or("", |(_, rest)| rest);
    // Rust adds the path of a temporary file, which has a random name.
    let rest = if rest.starts_with(" at path ") { "" } else { rest };
    format!("{}OS ERROR{rest}", &line[..start])
}

/// The time at the start of a log line.
fn redact_log_time(line: String) -> String {
    match line.split_once("Z ") {
        Some((time, rest)) if time.len() > 19 && time.as_bytes()[10] == b'T' => {
            format!("{TIMESTAMP} {}", rest.trim_start())
        }
        _ => line,
    }
}

/// All run ids become one.
fn redact_runs(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = if is_run(rest) { RUN.len() } else { rest.bytes().take_while(u8::is_ascii_digit).count() };
        out.push_str(if is_run(rest) { RUN } else { &rest[..length] });
        rest = &rest[length..];
    }
    out + rest
}

/// Whether a text begins like `20261124-093015-abcd`.
fn is_run(text: &str) -> bool {
    let Some(start) = text.as_bytes().get(..RUN.len()) else { return false };
    start.iter().zip(RUN.bytes()).all(|(byte, like)| match like {
        b'0'..=b'9' => byte.is_ascii_digit(),
        b'-' => *byte == b'-',
        _ => byte.is_ascii_lowercase(),
    })
}

/// Replaces hexadecimal digests, such as in the names of quota files.
fn redact_digests(line: &str) -> String {
    let is_digest = |word: &str| word.len() >= 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    line.split_inclusive(|c: char| !c.is_ascii_alphanumeric())
        .map(|part| {
            let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_digest(word) { part.replace(word, "DIGEST") } else { part.to_owned() }
        })
        .collect()
}

/// Of a run: when it began, and the size of its journal.
fn redact_age_and_size(line: &str) -> String {
    for before in ["just now, ", "began before "] {
        if let Some((start, began)) = line.split_once(before) {
            let rest = began.get("2026-11-24 09:30".len()..).unwrap_or_default();
            return format!("{start}{before}2026-11-24 09:30{rest}");
        }
    }
    // In the list of runs: `2026-11-24 03:04, 36.86 kB; 2 created`.
    match line.split_once(" kB; ") {
        Some((began, rest)) if began.trim_start().starts_with("20") => {
            let indent = began.len() - began.trim_start().len();
            format!("{:indent$}2026-11-24 09:30, 48 kB; {rest}", "")
        }
        _ => line.to_owned(),
    }
}

/// Replaces sizes of files.
fn redact_sizes(line: &str) -> String {
    let Some(end) = line.find(" kB") else { return line.to_owned() };
    let start = line[..end].trim_end_matches(|char: char| char.is_ascii_digit() || char == '.').len();
    if start == end { line.to_owned() } else { format!("{}48{}", &line[..start], &line[end..]) }
}

/// Replaces numbers, or times of day, between two texts.
fn redact_number(line: &str, before: &str, after: &str, replacement: &str) -> String {
    let Some(start) = line.find(before).map(|at| at + before.len()) else { return line.to_owned() };
    let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b':');
    let digits = line[start..].bytes().take_while(is_part).count();
    match digits {
        0 => line.to_owned(),
        _ if !line[start + digits..].starts_with(after) => line.to_owned(),
        _ => {
            let rest = redact_number(&line[start + digits..], before, after, replacement);
            format!("{}{replacement}{rest}", &line[..start])
        }
    }
}

/// A JSON document, indented, redacted like [`redact`].
pub fn redact_json(text: &str, folder: &Path) -> String {
    let mut document: Value =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("not a JSON document: {error}\n{text}"));
    redact_value(&mut document);
    redact(&format!("{document:#}"), folder)
}

fn redact_value(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| match name.as_str() {
            "seconds" => *value = 0.5.into(),
            "as_of" | "began" | "ended" if value.is_string() => *value = TIMESTAMP.into(),
            "bytes" => *value = 49152.into(),
            _ => redact_value(value),
        }),
        Value::Array(values) => values.iter_mut().for_each(redact_value),
        _ => {}
    }
}
