//! JSON: an object per line, objects over several lines, or one array of objects.
//!
//! The header is the union of all keys in the order in which they are first seen, which takes a pass over the file of
//! its own. Numbers keep their digits as written: a serial of twenty digits is not rounded.

use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;

use hashbrown::HashMap;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::csv::LONGEST_RECORD;
use super::encoding::{self, Certainty, DetectedEncoding, Utf8Text};
use super::limits::{Limits, MOST_COLUMNS, Tally};
use super::{OnRow, SheetReader};
use crate::table::cell::{Row, Value};
use crate::table::error::{LocatedFault, ReadFault};
use crate::table::input::{InputFile, ReopenableInput};

/// The most digits of a whole number that spreadsheet programs keep.
const MOST_DIGITS: usize = 15;

/// A file of JSON objects, read through once.
pub(in crate::table) struct JsonlReader {
    source: ReopenableInput,
    detected: DetectedEncoding,
    keys: Vec<String>,
    columns: HashMap<String, usize>,
}

impl JsonlReader {
    pub(in crate::table) fn open(source: ReopenableInput) -> Result<JsonlReader, LocatedFault> {
        let detected = encoding::detect(&|| Ok(Box::new(source.open()?)), None)?;
        if detected.certainty == Certainty::Guessed {
            return Err(ReadFault::Json { detail: "it is not in UTF-8".into() }.into());
        }
        let mut file = JsonlReader { source, detected, keys: Vec::new(), columns: HashMap::new() };
        file.collect_keys()?;
        if file.keys.is_empty() {
            return Err(ReadFault::Empty.into());
        }
        Ok(file)
    }

    fn collect_keys(&mut self) -> Result<(), LocatedFault> {
        let mut objects = self.objects()?;
        while let Some((line, object)) = objects.next()? {
            for (key, _) in fields(object, line)?.0 {
                if !self.columns.contains_key(&key) {
                    self.columns.insert(key.clone(), self.keys.len());
                    self.keys.push(key);
                }
            }
            if self.keys.len() > MOST_COLUMNS {
                return Err(ReadFault::TooLarge { what: "more than 16,384 different keys" }.at(line));
            }
        }
        Ok(())
    }

    /// The values of an object that are not null, in the order of their columns.
    ///
    /// # Errors
    /// If a key stands in it twice, with different values.
    fn values<'a>(&self, object: &'a [u8], line: u64) -> Result<Vec<(usize, &'a RawValue)>, LocatedFault> {
        let mut values = Vec::new();
        for (key, value) in fields(object, line)?.0 {
            // A key that was not there in the first pass: another program is writing the file.
            let column = self.columns.get(&key).ok_or_else(|| ReadFault::Changed.at(line))?;
            values.push((*column, value));
        }
        values.sort_by_key(|(column, _)| *column);
        let twice = |pair: &&[(usize, &RawValue)]| pair[0].0 == pair[1].0 && pair[0].1.get() != pair[1].1.get();
        if let Some([(column, _), _]) = values.windows(2).find(twice) {
            let detail = format!("two different values of `{}` in one object", self.keys[*column]);
            return Err(ReadFault::Json { detail }.at(line));
        }
        values.dedup_by_key(|(column, _)| *column);
        values.retain(|(_, value)| value.get() != "null");
        Ok(values)
    }

    fn objects(&self) -> Result<JsonObjects<Utf8Text<InputFile>>, ReadFault> {
        Ok(JsonObjects::new(Utf8Text::new(self.source.open()?, self.detected.encoding, self.detected.line_ending)))
    }
}

impl SheetReader for JsonlReader {
    fn each_row(&mut self, _sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), LocatedFault> {
        let mut row = Row::default();
        self.keys.iter().for_each(|key| row.push_text(key));
        if on_row(&mut row) == ControlFlow::Break(()) {
            return Ok(());
        }
        let mut objects = self.objects()?;
        let mut tally = Tally::new(Limits::of(self.source.len()));
        while let Some((line, object)) = objects.next()? {
            row.clear(line);
            for (column, value) in self.values(object, line)? {
                row.pad(column);
                push(&mut row, value.get());
            }
            tally.add(&row).map_err(|fault| fault.at(line))?;
            if !row.is_blank() && on_row(&mut row) == ControlFlow::Break(()) {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Appends a value as a cell.
fn push(row: &mut Row, json: &str) {
    match json.as_bytes().first() {
        Some(b'"') => match serde_json::from_str::<String>(json) {
            Ok(text) => row.push_text(&text),
            Err(_) => row.push_text(&serde_json::from_str(&replace_lone_surrogates(json)).unwrap_or(json.to_owned())),
        },
        // A number that a spreadsheet program could not hold: here all its digits are there.
        Some(_) if json.len() > MOST_DIGITS && json.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {
            row.push(json, Value::Text);
        }
        Some(b't') => row.push(json, Value::Boolean(true)),
        Some(b'f') => row.push(json, Value::Boolean(false)),
        Some(b'n') | None => row.push("", Value::Blank),
        Some(b'{' | b'[') => row.push(&compact(json), Value::Structure),
        Some(_) => match json.parse() {
            Ok(number) => row.push(json, Value::Number(number)),
            Err(_) => row.push(json, Value::Text),
        },
    }
}

/// A text in which halves of characters are written as U+FFFD. JSON can spell them, and no text can hold them.
fn replace_lone_surrogates(json: &str) -> String {
    let mut whole = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        whole.push_str(&rest[..at]);
        rest = &rest[at..];
        let code = |text: &str| text.strip_prefix("\\u").and_then(|text| u16::from_str_radix(text.get(..4)?, 16).ok());
        let second = rest.get(6..).and_then(code);
        let (length, is_lone) = match code(rest) {
            None => (1 + rest[1..].chars().next().map_or(0, char::len_utf8), false),
            Some(0xD800..=0xDBFF) if matches!(second, Some(0xDC00..=0xDFFF)) => (12, false),
            Some(first) => (6, (0xD800..=0xDFFF).contains(&first)),
        };
        whole.push_str(if is_lone { "\\ufffd" } else { &rest[..length] });
        rest = &rest[length..];
    }
    whole + rest
}

/// The same JSON without white space between its tokens.
fn compact(json: &str) -> String {
    let mut inside = JsonPosition::default();
    json.chars()
        .filter(|character| {
            let is_kept = inside.text || !character.is_ascii_whitespace();
            inside.step(*character as u32 as u8, character.is_ascii());
            is_kept
        })
        .collect()
}

/// Whether a position is inside of a text, and how deep in objects and arrays.
#[derive(Debug, Default, Clone, Copy)]
struct JsonPosition {
    text: bool,
    escaped: bool,
    depth: usize,
}

impl JsonPosition {
    fn step(&mut self, byte: u8, is_ascii: bool) {
        match byte {
            _ if !is_ascii => self.escaped = false,
            _ if self.escaped => self.escaped = false,
            b'\\' if self.text => self.escaped = true,
            b'"' => self.text = !self.text,
            b'{' | b'[' if !self.text => self.depth += 1,
            b'}' | b']' if !self.text => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// An object's fields in their order, values as written.
struct OrderedFields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for OrderedFields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = OrderedFields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(OrderedFields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

fn fields(object: &[u8], line: u64) -> Result<OrderedFields<'_>, LocatedFault> {
    serde_json::from_slice(object).map_err(|error| {
        // serde_json counts lines within the object.
        let line = line + (error.line() as u64).saturating_sub(1);
        let text = error.to_string();
        let detail = text.split(" at line ").next().unwrap_or(&text).to_owned();
        ReadFault::Json { detail }.at(line)
    })
}

/// The objects of a file one after the other, each as bytes with the line it begins in.
struct JsonObjects<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    input_ended: bool,
    line: u64,
    array: ArrayState,
}

/// Where we are in an array around the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ArrayState {
    /// Nothing has been read yet, so there may be one.
    Possible,
    Inside,
    /// There is none, or it has ended.
    Outside,
}

impl<R: Read> JsonObjects<R> {
    fn new(input: R) -> JsonObjects<R> {
        let buffer = vec![0; 64 * 1024];
        JsonObjects { input, buffer, start: 0, end: 0, input_ended: false, line: 1, array: ArrayState::Possible }
    }

    fn next(&mut self) -> Result<Option<(u64, &[u8])>, LocatedFault> {
        loop {
            let Some(byte) = self.peek()? else { return self.ended() };
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                b',' if self.array == ArrayState::Inside => {}
                b'[' if self.array == ArrayState::Possible => self.array = ArrayState::Inside,
                b']' if self.array == ArrayState::Inside => self.array = ArrayState::Outside,
                b'{' => break,
                b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                    return Err(ReadFault::NotObjects.at(self.line));
                }
                _ => {
                    let detail = format!("`{}` where an object is expected", char::from(byte));
                    return Err(ReadFault::Json { detail }.at(self.line));
                }
            }
            self.start += 1;
        }
        if self.array == ArrayState::Possible {
            self.array = ArrayState::Outside;
        }
        let len = self.object_len()?;
        let (start, line) = (self.start, self.line);
        self.start += len;
        let object = &self.buffer[start..start + len];
        self.line += memchr::memchr_iter(b'\n', object).count() as u64;
        Ok(Some((line, object)))
    }

    fn ended(&self) -> Result<Option<(u64, &[u8])>, LocatedFault> {
        match self.array {
            ArrayState::Inside => Err(ReadFault::Truncated.at(self.line)),
            _ => Ok(None),
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, ReadFault> {
        while self.start == self.end && !self.input_ended {
            self.read_more()?;
        }
        Ok(self.buffer[self.start..self.end].first().copied())
    }

    /// The length of the object at `start`, all of it in the buffer.
    fn object_len(&mut self) -> Result<usize, LocatedFault> {
        let mut inside = JsonPosition::default();
        let mut seen = 0;
        loop {
            for (at, byte) in self.buffer[self.start + seen..self.end].iter().enumerate() {
                inside.step(*byte, byte.is_ascii());
                if inside.depth == 0 {
                    return Ok(seen + at + 1);
                }
            }
            seen = self.end - self.start;
            if self.input_ended || seen > LONGEST_RECORD {
                return Err(ReadFault::Json { detail: "an object that begins here is not closed".into() }.at(self.line));
            }
            self.read_more()?;
        }
    }

    fn read_more(&mut self) -> Result<(), ReadFault> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let read = self.input.read(&mut self.buffer[self.end..])?;
        self.end += read;
        self.input_ended = read == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    type Rows = Vec<(u64, Vec<(String, Value)>)>;

    fn read(text: &str) -> Result<Rows, LocatedFault> {
        let mut rows = Vec::new();
        JsonlReader::open(ReopenableInput::spool(&mut text.as_bytes())?)?.each_row(0, &mut |row| {
            rows.push((row.number, row.cells().map(|cell| (cell.text.to_owned(), cell.value)).collect()));
            ControlFlow::Continue(())
        })?;
        Ok(rows)
    }

    fn texts(row: &(u64, Vec<(String, Value)>)) -> (u64, Vec<&str>) {
        (row.0, row.1.iter().map(|(text, _)| text.as_str()).collect())
    }

    #[test]
    fn the_header_is_the_union_of_all_keys() {
        let rows = read("{\"a\": 1, \"b\": \"x\"}\n\n{\"c\": true, \"a\": null}\n{}\n").unwrap();
        assert_eq!(texts(&rows[0]), (0, vec!["a", "b", "c"]));
        assert_eq!(texts(&rows[1]), (1, vec!["1", "x"]));
        assert_eq!(texts(&rows[2]), (3, vec!["", "", "true"]));
        assert_eq!(rows[2].1[2].1, Value::Boolean(true));
        assert_eq!(rows.len(), 3);
    }

    #[test]
    fn values_are_kept_as_written() {
        let rows = read(
            "{\"n\": 12345678901234567890, \"d\": 1.50, \"s\": \"a\\n\\u00e9\", \"o\": {\"x\": [1, 2], \"y\": \"a b\"}}",
        )
        .unwrap();
        assert_eq!(texts(&rows[1]).1, ["12345678901234567890", "1.50", "a\né", "{\"x\":[1,2],\"y\":\"a b\"}"]);
        assert_eq!((rows[1].1[1].1, rows[1].1[3].1), (Value::Number(1.5), Value::Structure));
    }

    #[test]
    fn halves_of_characters_are_told_and_long_numbers_keep_their_digits() {
        let rows = read(
            "{\"a\": \"\\ud83d\\ude00 \\ud800\\n\\\\ud800 \\udc00\", \"b\": -1234567890123456, \"c\": 123456789012345}",
        )
        .unwrap();
        assert_eq!(texts(&rows[1]).1[0], "\u{1f600} \u{fffd}\n\\ud800 \u{fffd}");
        assert_eq!((rows[1].1[1].1, rows[1].1[2].1), (Value::Text, Value::Number(123_456_789_012_345.0)));
    }

    #[test]
    fn a_key_that_stands_twice_in_an_object_says_the_same_or_is_an_error() {
        assert_eq!(texts(&read("{\"a\": 1, \"a\": 1, \"b\": 2}").unwrap()[1]).1, ["1", "2"]);
        let LocatedFault { row, fault } = read("{\"a\": 1}\n{\"a\": 1, \"b\": 3, \"a\": 2}").unwrap_err();
        assert_eq!(
            (row, fault.to_string()),
            (Some(2), "invalid JSON: two different values of `a` in one object".into())
        );
    }

    #[test]
    fn an_array_of_objects_is_read_too() {
        let rows = read("[\n  {\"a\": \"}\"},\n  {\n    \"a\": \"\\\"{\"\n  }\n]\n").unwrap();
        assert_eq!(texts(&rows[1]), (2, vec!["}"]));
        assert_eq!(texts(&rows[2]), (3, vec!["\"{"]));
    }

    #[test]
    fn faults_name_the_line() {
        let fault = |text: &str| {
            let LocatedFault { row, fault } = read(text).unwrap_err();
            (row, fault.to_string())
        };
        assert_eq!(fault("{\"a\": 1}\n{\"a\": x}\n"), (Some(2), "invalid JSON: expected value".into()));
        assert_eq!(fault("{\"a\": 1}\n[1]\n"), (Some(2), "JSON, but not objects".into()));
        assert_eq!(
            fault("{\"a\": 1}\n{\"a\": 1\n"),
            (Some(2), "invalid JSON: an object that begins here is not closed".into())
        );
        assert_eq!(fault("[{\"a\": 1},\n"), (Some(2), "the file is truncated".into()));
        assert_eq!(fault("{}"), (None, "the file is empty".into()));
    }

    proptest::proptest! {
        #[test]
        fn random_text_never_panics(text in "[\\[\\]{}\",:a1\\\\ \n]{0,60}") {
            let _ = read(&text);
        }
    }
}
