//! Text for the terminal: our own styles, and nothing else that a terminal obeys (design rule 15).
//!
//! Names, headers, file names and replies may contain escape sequences, which write the clipboard, fake links or turn
//! the text around. They are made visible in one place, just before text is printed. So that our own styles survive
//! that, they are written as marks that nobody outside this process can write, and become escape sequences there.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::sync::LazyLock;

use ring::rand::{SecureRandom, SystemRandom};

use crate::unicode::is_invisible;

/// How something said is meant; colour never carries it alone. `{STYLE}` begins it and `{STYLE:#}` ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style(&'static str);

impl Style {
    pub(crate) const PLAIN: Self = Self("");
}

pub(crate) const STRONG: Style = Style("1");
pub(crate) const FAINT: Style = Style("2");
pub(crate) const GOOD: Style = Style("1;32");
pub(crate) const WARNING: Style = Style("1;33");
pub(crate) const ERROR: Style = Style("1;31");

/// Ends every style.
const RESET: &str = "0";

/// What marks of styles begin with: a control sequence with a number of this process. A name that contains `ESC [ 1 m`
/// is no style of ours.
static MARK: LazyLock<String> = LazyLock::new(|| {
    let mut number = [0; 8];
    // Without random numbers no key could be sent either; the address of a value differs from process to process, too.
    if SystemRandom::new().fill(&mut number).is_err() {
        number = (std::ptr::from_ref(&number).addr() as u64).to_le_bytes();
    }
    format!("\u{1b}[{};", u64::from_le_bytes(number))
});

impl fmt::Display for Style {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, formatter.alternate()) {
            ("", _) => Ok(()),
            (_, true) => write!(formatter, "{}{RESET}m", *MARK),
            (codes, false) => write!(formatter, "{}{codes}m", *MARK),
        }
    }
}

/// A part of a text with marks.
enum Part<'a> {
    Text(&'a str),
    /// The codes of a style.
    Style(&'a str),
}

/// The text cut at the marks of our own styles.
fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut pieces = text.split(MARK.as_str());
    let first = pieces.next().map(Part::Text);
    first.into_iter().chain(pieces.flat_map(|piece| match piece.split_once('m') {
        Some((codes, rest)) => [Part::Style(codes), Part::Text(rest)],
        None => [Part::Style(RESET), Part::Text(piece)],
    }))
}

/// The text as a terminal gets it: our styles as escape sequences, everything else that it would obey made visible.
pub(crate) fn rendered(text: &str) -> String {
    let mut rendered = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Text(text) => rendered.push_str(&visible(text)),
            Part::Style(codes) => {
                let _ = write!(rendered, "\u{1b}[{codes}m");
            }
        }
    }
    rendered
}

/// The text without our styles, and otherwise as it is.
pub(crate) fn unstyled(text: &str) -> String {
    parts(text).filter_map(|part| if let Part::Text(text) = part { Some(text) } else { None }).collect()
}

/// Where the text behind a label begins: `  note      3 rows …`.
const LABELLED: usize = 12;

/// Where the text behind a count begins: `       3 × not a date …`.
const COUNTED: usize = 11;

/// The text with its lines broken between words where they are longer than a terminal is wide. Lines that are copied or
/// aligned stay whole: commands and paths, which are strong behind their label, and the lines of a table.
pub(crate) fn fitted(text: &str, width: usize) -> String {
    text.split_inclusive('\n').map(|line| fitted_line(line, width)).collect()
}

fn fitted_line(line: &str, width: usize) -> Cow<'_, str> {
    let shown = unstyled(line.trim_end());
    let indent = shown.chars().take_while(|char| *char == ' ').count();
    let is_table = shown.chars().skip(LABELLED).collect::<String>().contains("  ");
    let is_copied = indent > 0 && line.contains(&STRONG.to_string());
    if shown.chars().count() <= width || is_table || is_copied {
        return Cow::Borrowed(line);
    }
    let char_at = |column| shown.chars().nth(column);
    let hang = match indent {
        _ if char_at(COUNTED - 2) == Some('×') => COUNTED,
        2 if char_at(LABELLED - 1) == Some(' ') => LABELLED,
        indent => indent.max(2),
    };
    let (mut fitted, mut column) = (String::with_capacity(line.len() + 2 * hang), 0);
    for (number, word) in line.split(' ').enumerate() {
        let length = unstyled(word.trim_end()).chars().count();
        if column > hang && length > 0 && column + 1 + length > width {
            fitted.push('\n');
            fitted.extend(std::iter::repeat_n(' ', hang));
            column = hang;
        } else if number > 0 {
            fitted.push(' ');
            column += 1;
        }
        fitted.push_str(word);
        column += length;
    }
    Cow::Owned(fitted)
}

/// Text in which everything that a terminal would obey, and that nobody would see, stands as `\u{1b}`. Line feeds stay.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |char| char != '\n' && is_obeyed(char), |char| format!("\\u{{{:x}}}", u32::from(char)))
}

/// Which characters of a JSON document are written as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JsonText {
    Visible,
    /// PowerShell reads what programs say in the code page of the console, which is seldom UTF-8.
    Ascii,
}

impl JsonText {
    const HERE: Self = if cfg!(windows) { Self::Ascii } else { Self::Visible };
}

/// A JSON document with the same characters escaped as JSON does it: whoever reads it gets what it says.
pub(crate) fn json(document: &str) -> Cow<'_, str> {
    json_as(document, JsonText::HERE)
}

fn json_as(document: &str, text: JsonText) -> Cow<'_, str> {
    let escape = |char: char| {
        let mut units = [0; 2];
        char.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
    };
    // Between its values a document has line feeds; within them JSON has escaped the C0 characters already.
    let is_escaped = |char: char| {
        let is_foreign = text == JsonText::Ascii && !char.is_ascii();
        !char.is_ascii_whitespace() && (is_foreign || is_obeyed(char))
    };
    escaped(document, is_escaped, escape)
}

fn escaped(text: &str, is_meant: impl Fn(char) -> bool, escape: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.contains(&is_meant) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if is_meant(char) { escaped.push_str(&escape(char)) } else { escaped.push(char) }
    }
    Cow::Owned(escaped)
}

/// Whether a terminal obeys the character or hides it: controls (C0, DEL, C1), separators of lines, direction marks,
/// characters without a width. Variation selectors only choose a shape, and stay.
fn is_obeyed(char: char) -> bool {
    let is_shape = matches!(char, '\u{fe00}'..='\u{fe0f}');
    let is_separator = matches!(char, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}');
    char.is_control() || is_separator || (is_invisible(char) && !is_shape)
}

/// Standard output for data: as it is for a file or a program, cleaned for a terminal.
pub(crate) fn data_output() -> Box<dyn Write + Send> {
    let output = io::stdout();
    if io::IsTerminal::is_terminal(&output) { Box::new(VisibleWriter::new(output)) } else { Box::new(output) }
}

/// Makes visible what a terminal would obey in a stream of data. Tabs and the ends of lines stay.
struct VisibleWriter<W: Write> {
    output: W,
    /// The beginning of a character, or a CR whose LF may follow.
    pending: Vec<u8>,
}

impl<W: Write> VisibleWriter<W> {
    fn new(output: W) -> Self {
        Self { output, pending: Vec::new() }
    }

    fn write_text(&mut self, text: &str) -> io::Result<()> {
        let lines = text.split_inclusive("\r\n");
        for line in lines {
            let (line, end) = line.strip_suffix("\r\n").map_or((line, ""), |line| (line, "\r\n"));
            let kept = escaped(
                line,
                |char| !matches!(char, '\n' | '\t') && is_obeyed(char),
                |char| format!("\\u{{{:x}}}", u32::from(char)),
            );
            self.output.write_all(kept.as_bytes())?;
            self.output.write_all(end.as_bytes())?;
        }
        Ok(())
    }
}

impl<W: Write> Write for VisibleWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = std::mem::take(&mut self.pending);
        all.extend_from_slice(bytes);
        let mut whole = match std::str::from_utf8(&all) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => all.len(),
        };
        if whole > 0 && all[whole - 1] == b'\r' {
            whole -= 1;
        }
        self.pending = all.split_off(whole);
        self.write_text(&String::from_utf8_lossy(&all))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.pending);
        self.write_text(&String::from_utf8_lossy(&rest))?;
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    /// Writes the clipboard, fakes a link, clears the screen, turns text around, hides text.
    const ATTACKS: [(&str, &str); 9] = [
        ("\u{1b}]52;c;cm0gLXJm\u{7}", "\\u{1b}]52;c;cm0gLXJm\\u{7}"),
        ("\u{1b}]8;;http://x\u{1b}\\a", "\\u{1b}]8;;http://x\\u{1b}\\a"),
        ("\u{9b}2J", "\\u{9b}2J"),
        ("\u{1b}[1m", "\\u{1b}[1m"),
        ("a\rb\u{8}\u{7f}\u{0}", "a\\u{d}b\\u{8}\\u{7f}\\u{0}"),
        ("\u{202e}fdp\u{202c}\u{2066}\u{200f}", "\\u{202e}fdp\\u{202c}\\u{2066}\\u{200f}"),
        ("a\u{200b}b\u{feff}c\u{ad}", "a\\u{200b}b\\u{feff}c\\u{ad}"),
        ("a\u{2028}b\u{2029}c\u{85}", "a\\u{2028}b\\u{2029}c\\u{85}"),
        ("\u{e0041}", "\\u{e0041}"),
    ];

    #[test]
    fn what_a_terminal_obeys_is_made_visible_and_our_styles_survive() {
        for (attack, shown) in ATTACKS {
            let text = format!("{STRONG}{attack}{STRONG:#}, {GOOD}ok{GOOD:#}\n");
            assert_eq!(rendered(&text), format!("\u{1b}[1m{shown}\u{1b}[0m, \u{1b}[1;32mok\u{1b}[0m\n"));
            assert_eq!(unstyled(&text), format!("{attack}, ok\n"));
        }
        assert_eq!(
            rendered("Müller, Zürich, 日本, ❤\u{fe0f}, العربية\n"),
            "Müller, Zürich, 日本, ❤\u{fe0f}, العربية\n"
        );
        assert_eq!(format!("{0}x{0:#}", Style::PLAIN), "x");
    }

    #[test]
    fn lines_are_broken_between_words_and_what_is_copied_stays_whole() {
        let text = format!(
            "{STRONG}Import of assets.csv{STRONG:#}: all good\n  {FAINT}note     {FAINT:#} one two three four five six\n           \
             hint: correct the address of it\n  {FAINT}     2 ×{FAINT:#} not one of the options\n  {FAINT}next     {FAINT:#} {STRONG}tallyport import assets.result.xlsx{STRONG:#}\n  \
             sheet   holds      rows  created\n"
        );
        let expected = "Import of assets.csv: all\n  good\n  note      one two three\n            four five six\n           \
                        hint: correct\n           the address of\n           it\n       2 × not one of the\n           options\n  next      tallyport import \
                        assets.result.xlsx\n  sheet   holds      rows  created\n";
        assert_eq!(unstyled(&fitted(&text, 26)), expected);
        assert_eq!(fitted(&text, 100), text);
    }

    #[test]
    fn json_keeps_what_it_says() {
        for (attack, _) in ATTACKS {
            let document = serde_json::json!({ attack: [attack, "Müller\t\n"] });
            for text in [document.to_string(), format!("{document:#}\n")] {
                let clean = json(&text);
                assert!(!clean.chars().any(|char| char != '\n' && is_obeyed(char)), "{clean:?}");
                assert_eq!(serde_json::from_str::<serde_json::Value>(&clean).unwrap(), document);
            }
        }
    }

    #[test]
    fn json_in_ascii_says_the_same() {
        let document = serde_json::json!({"größe": "Müller 🖥 \u{202e}\t"});
        let text = document.to_string();
        let ascii = json_as(&text, JsonText::Ascii);
        assert!(ascii.is_ascii() && ascii.contains("M\\u00fcller \\ud83d\\udda5 \\u202e"), "{ascii}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&ascii).unwrap(), document);
        assert!(json_as(&text, JsonText::Visible).contains("Müller 🖥 \\u202e"));
    }

    #[test]
    fn data_on_a_terminal_keeps_its_lines() {
        let text = "a,b\r\n\u{1b}[31m,\"x\ty\"\r\nü\u{202e},\r\n\r";
        for step in 1..5 {
            let mut writer = VisibleWriter::new(Vec::new());
            text.as_bytes().chunks(step).for_each(|chunk| writer.write_all(chunk).unwrap());
            writer.flush().unwrap();
            let shown = String::from_utf8(writer.output).unwrap();
            assert_eq!(shown, "a,b\r\n\\u{1b}[31m,\"x\ty\"\r\nü\\u{202e},\r\n\\u{d}", "{step}");
        }
    }

    proptest! {
        #[test]
        fn no_text_reaches_a_terminal_as_a_command(text in "(?s).{0,40}") {
            prop_assert!(!rendered(&text).chars().any(|char| char != '\n' && is_obeyed(char)));
        }
    }
}
