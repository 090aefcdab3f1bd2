//! The text below an `<si>` or `<is>`, in one format or several.

use super::super::xml_scanner::{TagKind, XmlTag};
use super::super::xml_text::{unescaped, without_code_points};
use crate::table::error::ReadFault;

/// The runs of one text so far.
///
/// A text in one format loses the blanks at its ends unless it asks for them to be kept. The runs of a text in several
/// formats never do: `MacBook`, a blank and `Pro 14` make `MacBook Pro 14`, although the runs of many programs lack
/// `xml:space="preserve"`.
#[derive(Debug, Default)]
pub(super) struct RichText {
    text: String,
    is_in_run: bool,
    /// Whether the run at hand asks for its blanks to be kept.
    is_preserved: bool,
    /// Inside the reading of Japanese characters, which is no part of the text.
    is_phonetic: bool,
    /// Whether it holds what is not resolved here.
    is_unclear: bool,
}

impl RichText {
    /// Begins the next text, in the same buffer.
    pub(super) fn clear(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        *self = RichText { text, ..RichText::default() };
    }

    /// Takes in a tag below `<si>` or `<is>`.
    pub(super) fn observe(&mut self, tag: &XmlTag<'_>) {
        match (tag.name, tag.kind) {
            (b"r", kind) => self.is_in_run = kind == TagKind::Open,
            (b"rPh", kind) => self.is_phonetic = kind == TagKind::Open,
            (b"t", TagKind::Open) => self.is_preserved = tag.attribute("space") == Some(b"preserve"),
            (b"t", TagKind::Close) if !self.is_phonetic => self.take_run(tag),
            _ => {}
        }
    }

    fn take_run(&mut self, tag: &XmlTag<'_>) {
        let whole = tag.whole_text;
        self.is_unclear |= whole.len() < tag.text_len;
        let run = if self.is_preserved || self.is_in_run { whole } else { whole.trim_ascii() };
        match std::str::from_utf8(run).ok().and_then(unescaped) {
            Some(text) => self.text.push_str(&without_code_points(text)),
            None => self.is_unclear = true,
        }
    }

    /// The text.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Damaged`] where it holds an unknown entity or is no UTF-8.
    pub(super) fn text(&self) -> Result<&str, ReadFault> {
        if self.is_unclear { Err(ReadFault::damaged("its XML is broken")) } else { Ok(&self.text) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::super::xml_scanner::{LONGEST_TOKEN, XmlScanner};
    use super::*;

    fn text_of(runs: &str) -> Option<String> {
        let mut scanner = XmlScanner::keeping(runs.as_bytes(), LONGEST_TOKEN);
        let mut text = RichText::default();
        while let Some(tag) = scanner.next().unwrap() {
            text.observe(&tag);
        }
        text.text().ok().map(str::to_owned)
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
            ("<t> padded </t>", "padded"),
            ("<t xml:space=\"preserve\"> padded </t>", " padded "),
            ("<t>東京</t><rPh sb=\"0\" eb=\"2\"><t>とうきょう</t></rPh>", "東京"),
            ("<r><t>Ber</t></r><r><t>lin</t></r>", "Berlin"),
            ("<t/>", ""),
            ("", ""),
        ] {
            assert_eq!(text_of(runs).as_deref(), Some(text), "{runs}");
        }
        assert_eq!(text_of("<r><t>a </t></r><r><t>&unknown;</t></r>"), None);
    }
}
