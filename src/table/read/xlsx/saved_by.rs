//! Who saved a workbook last, as its properties say.

use std::io::Read;
use std::path::Path;

use super::super::package::Package;
use super::super::xml_scanner::{TagKind, XmlScanner, XmlTag};
use crate::table::error::ReadFault;
use crate::table::input::{Input, ReopenableInput};

/// The part of a workbook that has its properties.
const PART: &str = "docProps/core.xml";

/// Who saved a workbook last, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SavedBy {
    pub(crate) person: Option<String>,
    pub(crate) time: Option<String>,
}

impl SavedBy {
    /// Reads it; nothing where the workbook does not say, which is no fault.
    pub(crate) fn read(path: &Path) -> SavedBy {
        SavedBy::of_workbook(path).unwrap_or_default()
    }

    fn of_workbook(path: &Path) -> Result<SavedBy, ReadFault> {
        let mut package = Package::open(&ReopenableInput::new(&Input::Path(path.to_path_buf()))?)?;
        match package.find(PART) {
            Some(part) => SavedBy::parse(package.xml(part)?),
            None => Ok(SavedBy::default()),
        }
    }

    fn parse(mut xml: XmlScanner<impl Read>) -> Result<SavedBy, ReadFault> {
        let mut saved = SavedBy::default();
        let text = |tag: &XmlTag<'_>| Some(tag.plain_text()).filter(|text| !text.is_empty());
        while let Some(tag) = xml.next()? {
            match (tag.name, tag.kind) {
                (b"lastModifiedBy", TagKind::Close) => saved.person = text(&tag),
                (b"modified", TagKind::Close) => saved.time = text(&tag),
                _ => {}
            }
        }
        Ok(saved)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_person_and_the_time_are_found_under_any_prefix() {
        let text = "<?xml version=\"1.0\"?><cp:coreProperties xmlns:cp=\"a\" xmlns:dcterms=\"b\"><cp:lastModifiedBy>Ada &amp; Bob\
                    </cp:lastModifiedBy><dcterms:modified>2026-11-29T08:00:00Z</dcterms:modified></cp:coreProperties>";
        let parse = |text: &str| SavedBy::parse(XmlScanner::new(text.as_bytes())).unwrap();
        let saved = SavedBy { person: Some("Ada & Bob".into()), time: Some("2026-11-29T08:00:00Z".into()) };
        assert_eq!(parse(text), saved);
        assert_eq!(parse("<broken"), SavedBy::default());
    }
}
