//! Who saved a workbook last, as its properties say.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// More than any program writes there.
const MAX_BYTES: u64 = 64 * 1024;

/// The part of a workbook that has them.
const PART: &str = "docProps/core.xml";

/// Who saved a workbook last, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SavedBy {
    pub(crate) person: Option<String>,
    pub(crate) time: Option<String>,
}

impl SavedBy {
    /// Reads it; nothing where the workbook does not say, which is no fault.
    pub(crate) fn read(path: &Path) -> Self {
        Self::text(path).map(|text| Self::parse(&text)).unwrap_or_default()
    }

    fn text(path: &Path) -> Option<String> {
        let mut archive = zip::ZipArchive::new(BufReader::new(File::open(path).ok()?)).ok()?;
        let mut text = String::new();
        archive.by_name(PART).ok()?.take(MAX_BYTES).read_to_string(&mut text).ok()?;
        Some(text)
    }

    fn parse(text: &str) -> Self {
        let mut reader = Reader::from_str(text);
        let (mut saved, mut element) = (Self::default(), String::new());
        loop {
            match reader.read_event() {
                Ok(Event::Start(start)) => element = start.local_name().as_ref().to_owned(),
                Ok(Event::End(_)) => element.clear(),
                Ok(Event::Text(found)) => {
                    let text = Some(found.trim().to_owned()).filter(|text| !text.is_empty());
                    match element.as_str() {
                        "lastModifiedBy" => saved.person = text,
                        "modified" => saved.time = text,
                        _ => {}
                    }
                }
                Ok(Event::Eof) | Err(_) => return saved,
                Ok(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SavedBy;

    #[test]
    fn the_person_and_the_time_are_found_under_any_prefix() {
        let text = "<?xml version=\"1.0\"?><cp:coreProperties xmlns:cp=\"a\" xmlns:dcterms=\"b\"><cp:lastModifiedBy>Ada\
                    </cp:lastModifiedBy><dcterms:modified>2026-11-29T08:00:00Z</dcterms:modified></cp:coreProperties>";
        let saved = SavedBy { person: Some("Ada".into()), time: Some("2026-11-29T08:00:00Z".into()) };
        assert_eq!(SavedBy::parse(text), saved);
        assert_eq!(SavedBy::parse("<broken"), SavedBy::default());
    }
}
