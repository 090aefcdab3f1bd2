//! Reads the part of shared texts.

use std::io::Read;

use super::super::package::{Package, PartId};
use super::super::shared_strings::SharedStrings;
use super::super::xml_scanner::{TagKind, XmlScanner};
use super::plain_cell::PlainText;
use super::rich_text::RichText;
use crate::table::error::ReadFault;

/// Reads the part of shared texts; without one there are none.
pub(super) fn shared_strings(package: &mut Package, part: Option<PartId>) -> Result<SharedStrings, ReadFault> {
    let most = package.limits.strings;
    match part {
        Some(part) => package.scan_part(part, |xml| read_texts(xml, most)),
        None => Ok(SharedStrings::default()),
    }
}

fn read_texts(mut xml: XmlScanner<impl Read>, most: u64) -> Result<SharedStrings, ReadFault> {
    let mut strings = SharedStrings::default();
    let mut text = RichText::default();
    let mut prefix: Vec<u8> = Vec::new();
    let mut is_between = false;
    loop {
        while is_between && let Some(plain) = PlainText::parse(xml.unread(), &prefix) {
            let bytes = &xml.unread()[plain.text];
            strings.push(std::str::from_utf8(bytes).map_err(|_| ReadFault::damaged("its XML is broken"))?);
            check_count(&strings, most)?;
            xml.skip(plain.len);
        }
        let Some(tag) = xml.next()? else { return Ok(strings) };
        is_between =
            matches!((tag.name, tag.kind), (b"sst", TagKind::Open) | (b"si", TagKind::Close | TagKind::SelfClosing));
        match (tag.name, tag.kind) {
            (b"sst", TagKind::Open) => prefix = tag.prefix().to_vec(),
            (b"si", TagKind::Open) => text.clear(),
            (b"si", _) => {
                strings.push(text.text()?);
                text.clear();
                check_count(&strings, most)?;
            }
            _ => text.observe(&tag),
        }
    }
}

fn check_count(strings: &SharedStrings, most: u64) -> Result<(), ReadFault> {
    if strings.len() as u64 > most {
        return Err(ReadFault::TooLarge { what: "more texts than a file of this size can hold" });
    }
    Ok(())
}
