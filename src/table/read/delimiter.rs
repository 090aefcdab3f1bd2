//! Detects the delimiter of a CSV file.

use std::fmt;

use super::encoding::Certainty;

/// The character between cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delimiter {
    Comma,
    Semicolon,
    Tab,
    Pipe,
}

/// Delimiter, its byte, how messages write it, and its name for people.
const DELIMITERS: &[(Delimiter, u8, &str, &str)] = &[
    (Delimiter::Comma, b',', ",", "comma"),
    (Delimiter::Semicolon, b';', ";", "semicolon"),
    (Delimiter::Tab, b'\t', "tab", "tab"),
    (Delimiter::Pipe, b'|', "|", "vertical bar"),
];

impl Delimiter {
    /// Reads `,`, `;`, `|`, `tab` or `\t`.
    pub(crate) fn parse(text: &str) -> Option<Delimiter> {
        let text = match text {
            "\t" | "\\t" => "tab",
            other => other,
        };
        DELIMITERS.iter().find(|(_, _, sign, _)| text.eq_ignore_ascii_case(sign)).map(|(delimiter, ..)| *delimiter)
    }

    pub(crate) fn byte(self) -> u8 {
        self.entry().1
    }

    fn entry(self) -> &'static (Delimiter, u8, &'static str, &'static str) {
        DELIMITERS.iter().find(|(delimiter, ..)| *delimiter == self).unwrap_or(&DELIMITERS[0])
    }

    /// Its name for people.
    pub(super) fn name(self) -> &'static str {
        self.entry().3
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.entry().2)
    }
}

/// Excel's own way of saying it: a first line such as `sep=;`, which is no row of the table. Its length, line end
/// included.
pub(super) fn sep_line(text: &[u8]) -> Option<(Delimiter, usize)> {
    let end = memchr::memchr(b'\n', text).map_or(text.len(), |at| at + 1);
    let line = text[..end].trim_ascii_end();
    // The tab of `sep=` and tab would go with the white space.
    let line = if text[..end].starts_with(b"sep=\t") { &text[..5] } else { line };
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    let (name, value) = line.split_at_checked(4)?;
    let [byte] = value else { return None };
    let (delimiter, ..) = DELIMITERS.iter().find(|(_, candidate, ..)| candidate == byte)?;
    name.eq_ignore_ascii_case(b"sep=").then_some((*delimiter, end))
}

/// How well one delimiter cuts the first rows.
struct DelimiterFit {
    delimiter: Delimiter,
    /// The number of cells that most rows have.
    columns: usize,
    /// The first row that has so many.
    first: usize,
    /// Of all rows, the share that has so many.
    share: f64,
}

/// Detects the delimiter from the beginning of the text, as UTF-8.
///
/// A right delimiter cuts the header too. The decimal commas of a file of semicolons may cut all of its rows alike,
/// but never the header; so the delimiter that starts to fit first wins, and among equals the one that cuts more.
pub(super) fn detect(beginning: &[u8], is_whole: bool) -> (Delimiter, Certainty) {
    let mut fits: Vec<DelimiterFit> =
        DELIMITERS.iter().filter_map(|&(delimiter, byte, ..)| fit(beginning, is_whole, delimiter, byte)).collect();
    // A comma in a title above the table fits one row, early.
    let most = fits.iter().map(|fit| fit.share).fold(0.0, f64::max);
    fits.retain(|fit| fit.share > 0.5 * most);
    let score = |fit: &DelimiterFit| fit.share * (fit.columns as f64).ln();
    fits.sort_by(|one, other| one.first.cmp(&other.first).then_with(|| score(other).total_cmp(&score(one))));
    let Some(best) = fits.first() else { return (Delimiter::Comma, Certainty::Certain) };
    let is_rivalled = fits.iter().skip(1).any(|rival| rival.first == best.first && score(rival) > 0.8 * score(best));
    let certainty = if best.share < 0.5 || is_rivalled { Certainty::Guessed } else { Certainty::Certain };
    (best.delimiter, certainty)
}

fn fit(beginning: &[u8], is_whole: bool, delimiter: Delimiter, byte: u8) -> Option<DelimiterFit> {
    let widths = widths(beginning, is_whole, byte);
    let mut counts: Vec<(usize, usize)> = Vec::new();
    for &width in widths.iter().filter(|width| **width > 1) {
        match counts.iter_mut().find(|(counted, _)| *counted == width) {
            Some((_, count)) => *count += 1,
            None => counts.push((width, 1)),
        }
    }
    let &(columns, count) = counts.iter().max_by_key(|(width, count)| (*count, *width))?;
    let first = widths.iter().position(|width| *width >= columns)?;
    Some(DelimiterFit { delimiter, columns, first, share: count as f64 / widths.len() as f64 })
}

/// The number of cells of each of the first rows; without the last one where it may be cut off.
fn widths(mut text: &[u8], is_whole: bool, delimiter: u8) -> Vec<usize> {
    const ROWS: usize = 100;
    let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    let (mut output, mut ends) = (vec![0; text.len() + 1], vec![0; text.len() + 1]);
    let mut widths = Vec::new();
    let mut cells = 0;
    while widths.len() < ROWS {
        let (result, read, _, more) = reader.read_record(text, &mut output, &mut ends);
        text = &text[read..];
        cells += more;
        match result {
            csv_core::ReadRecordResult::Record => widths.push(std::mem::take(&mut cells)),
            // The next, empty, input tells the reader that the last row ends here.
            csv_core::ReadRecordResult::InputEmpty if is_whole => {}
            _ => break,
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn detected(text: &str) -> (Delimiter, Certainty) {
        detect(text.as_bytes(), true)
    }

    #[test]
    fn names_as_typed() {
        assert_eq!(Delimiter::parse("tab"), Some(Delimiter::Tab));
        assert_eq!(Delimiter::parse("\\t"), Some(Delimiter::Tab));
        assert_eq!(Delimiter::parse(";"), Some(Delimiter::Semicolon));
        assert_eq!(Delimiter::parse("x"), None);
        assert_eq!(Delimiter::Tab.to_string(), "tab");
    }

    #[test]
    fn each_delimiter_is_found() {
        assert_eq!(detected("a,b\n1,2\n"), (Delimiter::Comma, Certainty::Certain));
        assert_eq!(detected("a;b\n1;2\n"), (Delimiter::Semicolon, Certainty::Certain));
        assert_eq!(detected("a\tb\n1\t2\n"), (Delimiter::Tab, Certainty::Certain));
        assert_eq!(detected("a|b\n1|2\n"), (Delimiter::Pipe, Certainty::Certain));
        assert_eq!(detected("name\nBerlin\n"), (Delimiter::Comma, Certainty::Certain));
        assert_eq!(detected("a;b"), (Delimiter::Semicolon, Certainty::Certain));
    }

    #[test]
    fn decimal_commas_do_not_win() {
        assert_eq!(detected("id;coords\n1;1,2,3,4\n2;5,6,7,8\n").0, Delimiter::Semicolon);
        assert_eq!(detected("name;price;cost\na;1,5;2,3\nb;1,5;2,3\n").0, Delimiter::Semicolon);
    }

    #[test]
    fn delimiters_inside_quotes_do_not_count() {
        assert_eq!(detected("a,b\n\"x;y;z\",2\n\"p;q;r\",4\n").0, Delimiter::Comma);
        assert_eq!(detected("name,tags\nA,x|y|z\nB,p|q|r\n").0, Delimiter::Comma);
    }

    #[test]
    fn titles_above_the_header_do_not_decide() {
        assert_eq!(detected("Inventory, Berlin office\n\nid;name;model\n1;a;x\n2;b;y\n").0, Delimiter::Semicolon);
    }

    #[test]
    fn excels_sep_line() {
        assert_eq!(sep_line(b"sep=;\r\na;b\r\n"), Some((Delimiter::Semicolon, 7)));
        assert_eq!(sep_line(b"SEP=,\na,b\n"), Some((Delimiter::Comma, 6)));
        assert_eq!(sep_line(b"\"sep=;\"\na;b"), Some((Delimiter::Semicolon, 8)));
        assert_eq!(sep_line(b"sep=\t\na\tb"), Some((Delimiter::Tab, 6)));
        assert_eq!(sep_line(b"separator,b\n"), None);
        assert_eq!(sep_line(b"a"), None);
    }
}
