//! The texts that cells share, and texts in several formats.
//!
//! calamine strips the runs of such a text of the blanks at their ends: `MacBook`, a blank and `Pro 14` in three runs
//! are `MacBookPro 14` for it where the runs lack `xml:space="preserve"`, as those of many programs do. So shared texts
//! are read here, and texts in several formats within a sheet once more.

use super::super::package::{Package, PartId};
use super::super::xml_scanner::{LONGEST_TOKEN, TagKind, XmlScanner, XmlTag};
use super::super::xml_text::{unescaped, without_code_points};
use crate::table::error::ReadFault;

/// As much of a run in a sheet as is kept: longer than any cell can be.
pub(super) const LONGEST_RUN: usize = 256 * 1024;

/// The beginnings of a run's element.
pub(super) const RUN_SIGNS: [&[u8]; 2] = [b"<r>", b"<r "];

/// Reads the part of shared texts.
pub(super) fn shared_strings(package: &mut Package, part: Option<PartId>) -> Result<Vec<String>, ReadFault> {
    let mut strings = Vec::new();
    let Some(part) = part else { return Ok(strings) };
    let most = package.limits.strings;
    let mut scanner = XmlScanner::keeping(package.part(part)?, LONGEST_TOKEN);
    let mut text = RichText::default();
    while let Some(tag) = scanner.next()? {
        match (tag.name, tag.kind) {
            (b"si", TagKind::Open) => text = RichText::default(),
            (b"si", _) => {
                strings.push(std::mem::take(&mut text).into_text()?);
                if strings.len() as u64 > most {
                    return Err(ReadFault::TooLarge { what: "more texts than a file of this size can hold" });
                }
            }
            _ => text.observe(&tag),
        }
    }
    Ok(strings)
}

/// The runs of one text so far.
#[derive(Debug, Default)]
pub(super) struct RichText {
    text: String,
    has_runs: bool,
    /// Whether a run has blanks at its ends that calamine cuts off.
    has_blanks: bool,
    is_in_run: bool,
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
            (b"r", TagKind::Open) => (self.has_runs, self.is_in_run) = (true, true),
            (b"r", TagKind::Close) => self.is_in_run = false,
            (b"rPh", kind) => self.is_phonetic = kind == TagKind::Open,
            (b"t", TagKind::Open) => self.is_preserved = tag.attribute("space") == Some(b"preserve"),
            (b"t", TagKind::Close) if !self.is_phonetic => self.take_run(tag),
            _ => {}
        }
    }

    fn take_run(&mut self, tag: &XmlTag<'_>) {
        let (whole, trimmed) = (tag.whole_text, tag.whole_text.trim_ascii());
        let is_trimmed = !self.is_preserved && trimmed.len() < whole.len();
        self.has_blanks |= is_trimmed && self.is_in_run;
        self.is_unclear |= whole.len() < tag.text_len;
        let run = if is_trimmed && !self.is_in_run { trimmed } else { whole };
        match std::str::from_utf8(run).ok().and_then(unescaped) {
            Some(text) => self.text.push_str(&without_code_points(text)),
            None => self.is_unclear = true,
        }
    }

    /// The text, if calamine reads another one.
    pub(super) fn corrected(self) -> Option<String> {
        (self.has_runs && self.has_blanks && !self.is_unclear).then_some(self.text)
    }

    fn into_text(mut self) -> Result<String, ReadFault> {
        if self.is_unclear {
            return Err(ReadFault::damaged("its XML is broken"));
        }
        self.text.shrink_to_fit();
        Ok(self.text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

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
            ("<r><t>a </t></r><r><t><![CDATA[<b>]]></t></r>", "a <b>"),
            ("<x:r><x:t>a </x:t></x:r><x:r><x:t>b_x_</x:t></x:r>", "a b_x_"),
        ] {
            assert_eq!(corrected(runs).as_deref(), Some(text), "{runs}");
        }
        for runs in [
            "<t> padded </t>",
            "<r><t>Ber</t></r><r><t>lin</t></r>",
            "<r><t xml:space=\"preserve\">a </t></r><r><t>b</t></r>",
            "<r><t>a </t></r><r><t>&unknown;</t></r>",
            "",
        ] {
            assert_eq!(corrected(runs), None, "{runs}");
        }
    }
}
