//! Texts in several formats, whose runs calamine strips of the blanks at their ends.
//!
//! `MacBook`, a blank and `Pro 14` in three runs are `MacBookPro 14` for calamine where the runs lack
//! `xml:space="preserve"`, as those of many programs do. Such texts are read here once more.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::package::Package;
use super::super::xml_scanner::{TagKind, XmlScanner, XmlTag};
use super::pre_scan::SearchedSigns;
use crate::table::error::ReadFault;

/// As much of a run as is kept: longer than any cell can be.
pub(super) const LONGEST_RUN: usize = 256 * 1024;

/// The shared strings that calamine reads wrongly, by index.
pub(super) type RichStrings = HashMap<u32, Arc<str>>;

/// The beginnings of a run's element.
pub(super) const RUN_SIGNS: [&[u8]; 2] = [b"<r>", b"<r "];

/// Looks through the part of shared strings.
pub(super) fn shared(package: &mut Package, part: &str) -> Result<RichStrings, ReadFault> {
    let mut rich = RichStrings::new();
    let Some(strings) = package.part(part)? else { return Ok(rich) };
    let signs = SearchedSigns { root: b"<sst", inside: &RUN_SIGNS, end: b"</sst>", behind: &[] };
    if !signs.occur_in(strings)? {
        return Ok(rich);
    }
    let Some(strings) = package.part(part)? else { return Ok(rich) };
    let mut scanner = XmlScanner::keeping(strings, LONGEST_RUN);
    let (mut index, mut text) = (0, RichText::default());
    while let Some(tag) = scanner.next()? {
        match (tag.name, tag.kind) {
            (b"si", TagKind::Open) => text = RichText::default(),
            (b"si", _) => {
                if let Some(corrected) = std::mem::take(&mut text).corrected() {
                    rich.insert(index, corrected.into());
                }
                index += 1;
            }
            _ => text.observe(&tag),
        }
    }
    Ok(rich)
}

/// The runs of one text so far.
#[derive(Debug, Default)]
pub(super) struct RichText {
    text: String,
    has_runs: bool,
    /// Whether a run has blanks at its ends that calamine cuts off.
    has_blanks: bool,
    /// Whether the run at hand asks for its blanks to be kept.
    is_preserved: bool,
    /// Inside the reading of Japanese characters, which is no part of the text.
    is_phonetic: bool,
    /// Whether it holds what is not resolved here.
    is_unclear: bool,
}

impl RichText {
    /// Takes in a tag below `<si>` or `<is>`.
    pub(super) fn observe(&mut self, tag: &XmlTag<'_>) {
        match (tag.name, tag.kind) {
            (b"r", TagKind::Open) => self.has_runs = true,
            (b"rPh", kind) => self.is_phonetic = kind == TagKind::Open,
            (b"t", TagKind::Open) => self.is_preserved = tag.attribute("space") == Some(b"preserve"),
            (b"t", TagKind::Close) if !self.is_phonetic => self.take_run(tag),
            _ => {}
        }
    }

    fn take_run(&mut self, tag: &XmlTag<'_>) {
        let run = tag.whole_text;
        self.has_blanks |= !self.is_preserved && run.trim_ascii().len() < run.len();
        self.is_unclear |= run.len() < tag.text_len;
        match std::str::from_utf8(run).ok().and_then(unescaped) {
            Some(text) => self.text.push_str(&text),
            None => self.is_unclear = true,
        }
    }

    /// The text, if calamine reads another one.
    pub(super) fn corrected(self) -> Option<String> {
        (self.has_runs && self.has_blanks && !self.is_unclear).then_some(self.text)
    }
}

/// A text of XML without its escapes: `&amp;`, `&#228;`, `_x000D_`. None if it holds another entity.
fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        let (entity, behind) = rest[at + 1..].split_once(';')?;
        plain.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "amp" => '&',
            number => {
                let number = number.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16),
                    None => number.parse(),
                };
                char::from_u32(code.ok()?)?
            }
        });
        rest = behind;
    }
    plain.push_str(rest);
    Some(without_code_points(&plain))
}

/// A text without Excel's escapes of characters that XML cannot hold: `_x000D_` is a CR.
fn without_code_points(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let digits = rest.get(at + 2..at + 6).filter(|_| rest.as_bytes().get(at + 6) == Some(&b'_'));
        let char = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        let end = if char.is_some() { at + 7 } else { at + 2 };
        plain.push_str(&rest[..at]);
        match char {
            Some(char) => plain.push(char),
            None => plain.push_str("_x"),
        }
        rest = &rest[end..];
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn corrected(runs: &str) -> Option<String> {
        let mut scanner = XmlScanner::keeping(runs.as_bytes(), LONGEST_RUN);
        let mut text = RichText::default();
        while let Some(tag) = scanner.next().unwrap() {
            text.observe(&tag);
        }
        text.corrected()
    }

    #[test]
    fn blanks_between_runs_are_kept() {
        for (runs, text) in [
            ("<r><t>MacBook</t></r><r><rPr><b/></rPr><t> </t></r><r><t>Pro 14</t></r>", "MacBook Pro 14"),
            ("<r><t>hello </t></r><r><t>world</t></r>", "hello world"),
            ("<r><t xml:space=\"preserve\">a </t></r><r><t> b</t></r>", "a  b"),
            ("<r><t>R&amp;D </t></r><r><t>M&#252;nchen_x000D_</t></r>", "R&D München\r"),
            ("<r><t>Head</t></r><r><t>\n</t></r><r><t>quarters</t></r>", "Head\nquarters"),
            ("<r><t>東 </t></r><rPh sb=\"0\" eb=\"1\"><t>ひがし</t></rPh><r><t>京</t></r>", "東 京"),
            ("<x:r><x:t>a </x:t></x:r><x:r><x:t>b_x_</x:t></x:r>", "a b_x_"),
        ] {
            assert_eq!(corrected(runs).as_deref(), Some(text), "{runs}");
        }
        for runs in [
            "<t> padded </t>",
            "<r><t>Ber</t></r><r><t>lin</t></r>",
            "<r><t xml:space=\"preserve\">a </t></r><r><t>b</t></r>",
            "<r><t>a </t></r><r><t>&unknown;</t></r>",
            "<r><t>a </t></r><r><t><![CDATA[b]]></t></r>",
            "",
        ] {
            assert_eq!(corrected(runs), None, "{runs}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[&#;x_0-9a-fé]{0,30}") {
            let _ = unescaped(&text);
        }
    }
}
