//! Quotes that programs and people write in other ways than RFC 4180 says.
//!
//! Some programs put a blank before an opening quote, and word processors make quotes curly. Both are dialects that
//! [`PlainQuotes`] turns into plain CSV on the way. Text after a closing quote is no dialect: whoever wrote it meant
//! something else than what stands there, and the cells of the row may have shifted ([`quote_fault`]).

use std::io::{self, BufRead, BufReader, Read};

/// Curly quotes that open a cell, and those that may close it.
const CURLY: &[(&str, &[&str])] = &[("“", &["”", "“"]), ("„", &["“", "”"]), ("”", &["”"])];

/// Whether the quotes in a text are plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuoteStyle {
    Plain,
    /// There are blanks before opening quotes, or curly quotes around cells.
    Dialect,
}

impl QuoteStyle {
    /// The style of a file that begins with this text.
    pub(super) fn detect(beginning: &str, delimiter: u8) -> Self {
        let mut is_quoted = false;
        let mut is_first = true;
        for line in beginning.split_inclusive('\n') {
            let mut found = LineQuotes::default();
            plain_line(line, delimiter, &mut is_quoted, &mut found);
            let is_dialect = found.blanks_before > 0 || found.curly_around_delimiter > 0;
            if is_dialect || (is_first && found.curly > 0) {
                return Self::Dialect;
            }
            is_first &= line.trim().is_empty();
        }
        Self::Plain
    }
}

/// What was unusual in a line.
#[derive(Debug, Default)]
struct LineQuotes {
    blanks_before: usize,
    curly: usize,
    curly_around_delimiter: usize,
}

/// A text with plain quotes, line for line.
pub(super) struct PlainQuotes<R> {
    input: BufReader<R>,
    delimiter: u8,
    /// Whether the next line begins inside a quoted cell.
    is_quoted: bool,
    line: Vec<u8>,
    plain: Vec<u8>,
    /// How much of `plain` has been read.
    read: usize,
}

impl<R: Read> PlainQuotes<R> {
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        let input = BufReader::new(input);
        Self { input, delimiter, is_quoted: false, line: Vec::new(), plain: Vec::new(), read: 0 }
    }

    fn next_line(&mut self) -> io::Result<()> {
        self.line.clear();
        self.read = 0;
        // A line that is longer than any record is handed on in pieces, and refused by who reads records.
        let mut limited = self.input.by_ref().take(super::LONGEST_RECORD as u64);
        limited.read_until(b'\n', &mut self.line)?;
        self.plain.clear();
        match std::str::from_utf8(&self.line) {
            Ok(line) => {
                let plain = plain_line(line, self.delimiter, &mut self.is_quoted, &mut LineQuotes::default());
                self.plain.extend_from_slice(plain.as_bytes());
            }
            Err(_) => self.plain.extend_from_slice(&self.line),
        }
        Ok(())
    }
}

impl<R: Read> Read for PlainQuotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.plain.len() {
            self.next_line()?;
        }
        let unread = &self.plain[self.read..];
        let count = unread.len().min(buffer.len());
        buffer[..count].copy_from_slice(&unread[..count]);
        self.read += count;
        Ok(count)
    }
}

/// A line with plain quotes. `is_quoted` tells whether it begins and ends inside a quoted cell.
fn plain_line(line: &str, delimiter: u8, is_quoted: &mut bool, found: &mut LineQuotes) -> String {
    let mut plain = String::with_capacity(line.len());
    let body = line.strip_prefix('\u{feff}').unwrap_or(line);
    plain.push_str(&line[..line.len() - body.len()]);
    let mut rest = body;
    if *is_quoted {
        rest = push_quoted(rest, &mut plain, is_quoted);
        rest = push_unquoted(rest, delimiter, &mut plain);
    }
    let mut curly = CurlyCells { line: body, delimiter, last_closers: [None; CURLY.len()] };
    while !rest.is_empty() {
        // A tab may be the delimiter itself.
        let cell = rest.trim_start_matches(|blank| matches!(blank, ' ' | '\t') && blank as u32 != u32::from(delimiter));
        let has_blanks = cell.len() < rest.len();
        if let Some(quoted) = cell.strip_prefix('"') {
            found.blanks_before += usize::from(has_blanks && closes(quoted, delimiter));
            plain.push('"');
            *is_quoted = true;
            rest = push_quoted(quoted, &mut plain, is_quoted);
        } else if let Some((inside, behind)) = curly.split(cell) {
            found.curly += 1;
            found.curly_around_delimiter += usize::from(inside.as_bytes().contains(&delimiter));
            plain.push('"');
            plain.push_str(&inside.replace('"', "\"\""));
            plain.push('"');
            rest = behind;
        }
        rest = push_unquoted(rest, delimiter, &mut plain);
    }
    plain
}

/// Copies up to and with the closing quote, and gives what stands behind it.
fn push_quoted<'a>(text: &'a str, plain: &mut String, is_quoted: &mut bool) -> &'a str {
    let close = super::closing_quote(text.as_bytes());
    let end = close.map_or(text.len(), |at| at + 1);
    *is_quoted = close.is_none();
    plain.push_str(&text[..end]);
    &text[end..]
}

/// Copies up to and with the next delimiter, or to the end of the line.
fn push_unquoted<'a>(text: &'a str, delimiter: u8, plain: &mut String) -> &'a str {
    let end = memchr::memchr(delimiter, text.as_bytes()).map_or(text.len(), |at| at + 1);
    plain.push_str(&text[..end]);
    &text[end..]
}

/// Whether an opened quote is closed at the end of a cell of the same line.
fn closes(quoted: &str, delimiter: u8) -> bool {
    super::closing_quote(quoted.as_bytes()).is_some_and(|at| ends_cell(&quoted[at + 1..], delimiter))
}

fn ends_cell(behind: &str, delimiter: u8) -> bool {
    let behind = behind.trim_start_matches(' ');
    behind.is_empty() || behind.starts_with(['\r', '\n']) || behind.as_bytes().first() == Some(&delimiter)
}

/// The cells of a line that curly quotes stand around.
struct CurlyCells<'a> {
    line: &'a str,
    delimiter: u8,
    /// For each opening quote, once it was asked for, where the last quote stands that could close it. Without it each
    /// cell of a long line would be searched to the line's end.
    last_closers: [Option<Option<usize>>; CURLY.len()],
}

impl<'a> CurlyCells<'a> {
    /// The inside of a cell in curly quotes, and what stands behind it; `cell` goes to the end of the line.
    fn split(&mut self, cell: &'a str) -> Option<(&'a str, &'a str)> {
        let (kind, (open, closers)) = CURLY.iter().enumerate().find(|(_, (open, _))| cell.starts_with(open))?;
        let (line, delimiter) = (self.line, self.delimiter);
        let last =
            *self.last_closers[kind].get_or_insert_with(|| closing(line, closers, delimiter).last().map(|it| it.0));
        if last? < line.len() - cell.len() + open.len() {
            return None;
        }
        let inside = &cell[open.len()..];
        let (at, found) = closing(inside, closers, delimiter).next()?;
        Some((&inside[..at], &inside[at + found.len()..]))
    }
}

/// Where in a text quotes stand that close a cell.
fn closing<'a>(text: &'a str, closers: &'a [&str], delimiter: u8) -> impl Iterator<Item = (usize, &'a str)> {
    text.char_indices().filter_map(move |(at, _)| {
        let closer = closers.iter().find(|closer| text[at..].starts_with(**closer))?;
        ends_cell(&text[at + closer.len()..], delimiter).then_some((at, *closer))
    })
}

/// The cell of a record, from 0, whose quotes do not stand around all of it: text follows the closing quote, or blanks
/// precede the opening one where no cell before did so.
pub(super) fn quote_fault(record: &[u8], delimiter: u8) -> Option<usize> {
    let (mut at, mut cell) = (0, 0);
    while at < record.len() {
        let blanks = record[at..].iter().take_while(|byte| **byte == b' ').count();
        if record.get(at + blanks) == Some(&b'"') {
            let quote = at + blanks;
            let close = quote + 1 + super::closing_quote(&record[quote + 1..])?;
            let behind = record[close + 1..].iter().find(|byte| **byte != b' ');
            let is_cell_end = behind.is_none_or(|byte| *byte == delimiter || matches!(byte, b'\r' | b'\n'));
            if is_cell_end != (blanks == 0) {
                // Blanks, a quote and more text is a text as people write it.
                return (blanks == 0 || is_cell_end).then_some(cell);
            }
            at = close + 1;
        }
        match memchr::memchr(delimiter, &record[at..]) {
            Some(next) => at += next + 1,
            None => return None,
        }
        cell += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str, delimiter: u8) -> String {
        let mut plain = String::new();
        PlainQuotes::new(text.as_bytes(), delimiter).read_to_string(&mut plain).unwrap();
        plain
    }

    #[test]
    fn dialects_become_plain() {
        for (text, plainly) in [
            ("A, \"HQ, North\", x\n", "A,\"HQ, North\", x\n"),
            ("A,\t\"HQ\"\r\nB,c", "A,\"HQ\"\r\nB,c"),
            (" \"A\" , \"b \"\"c\"\"\"\n", "\"A\" ,\"b \"\"c\"\"\"\n"),
            ("A, \"one\ntwo, three\", x\n", "A,\"one\ntwo, three\", x\n"),
            ("“HQ, North”,Oslo\n", "\"HQ, North\",Oslo\n"),
            ("„HQ, North“, „Oslo”\n", "\"HQ, North\",\"Oslo\"\n"),
            ("“19\" rack”,x\n", "\"19\"\" rack\",x\n"),
            ("say “hi”,x\n", "say “hi”,x\n"),
            ("“open,x\n", "“open,x\n"),
            ("a, b,19\",\"\"\n", "a, b,19\",\"\"\n"),
            ("\u{feff}“a”,b\n", "\u{feff}\"a\",b\n"),
        ] {
            assert_eq!(plain(text, b','), plainly, "{text}");
        }
        assert_eq!(plain("a\t\"b\"\t x\n", b'\t'), "a\t\"b\"\t x\n");
    }

    #[test]
    fn dialects_are_detected_by_what_they_would_change() {
        for text in ["a,b\n1, \"x\"\n", "a,b\n1, \"x, y\"\n", "a,b\n“x, y”,2\n", "“a”,“b”\n“x”,2\n", "\n„a“,b\n"]
        {
            assert_eq!(QuoteStyle::detect(text, b','), QuoteStyle::Dialect, "{text}");
        }
        for text in [
            "a,b\n1,\"x\"\n", "a,b\n1, x\n", "a,b\n1, 19\"\n", "a,b\n“x”,2\n", "a,b\n1, \"x\" y\n",
            "a;b\n1, \"x\";2\n", "a,b\n\"1, \"\"x\"\"\",2\n", "a,b\n\"one\n, \"\"two\"\"\",2\n", "",
        ] {
            assert_eq!(QuoteStyle::detect(text, b','), QuoteStyle::Plain, "{text}");
        }
    }

    #[test]
    fn long_lines_take_no_time() {
        for line in ["“a,", "“a”,", "”a,", "„a“,", "\t", "“a,”", " \"a,", "“ "] {
            let text = format!("{}x”\n", line.repeat(40_000));
            assert!(plain(&text, b',').len() >= 40_000, "{line}");
            assert!(plain(&text, b'\t').len() >= 40_000, "{line}");
        }
    }

    #[test]
    fn text_after_a_closing_quote_is_a_fault() {
        for (record, cell) in [
            (r#""HQ \"North, wing B\"","Oslo""#, Some(0)),
            (r#"a,"b" c,d"#, Some(1)),
            (r#"a,""HQ"",d"#, Some(1)),
            (r#"a, "b",c"#, Some(1)),
            (r#"a,"b","c""#, None),
            (r#"a,"b" ,c"#, None),
            (r#"a,19",c"#, None),
            (r#"a, "b" c,d"#, None),
            ("\"a\"\"b\",\"c\"\r\n", None),
            ("\"a\",\"b\nc\"\n", None),
            ("", None),
        ] {
            assert_eq!(quote_fault(record.as_bytes(), b','), cell, "{record}");
        }
    }

    proptest! {
        #[test]
        fn plain_tables_stay_as_they_are(
            table in prop::collection::vec(prop::collection::vec("[a-z0-9 ,\"\n]{0,8}", 1..5), 1..8)
        ) {
            let mut writer = ::csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            table.iter().for_each(|record| writer.write_record(record).unwrap());
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(QuoteStyle::detect(&text, b','), QuoteStyle::Plain);
            prop_assert_eq!(plain(&text, b','), text);
        }

        #[test]
        fn nothing_panics(text in "[a,\"“”„ \n\u{feff}]{0,60}") {
            let _ = plain(&text, b',');
            let _ = QuoteStyle::detect(&text, b',');
            let _ = quote_fault(text.as_bytes(), b',');
        }
    }
}
