//! The zip container of .xlsx, .xlsb and .ods, looked over before anybody unpacks it.
//!
//! The zip crate stops a part that inflates to more than its stated size, so the stated sizes can be relied on. What
//! they cannot tell, a part of modest size that is a single endless token or millions of empty elements, is counted by
//! [`XmlScanner`] where a part is large or packed suspiciously well; that pass inflates the part once more and keeps nothing.

use std::fs::File;
use std::io::{BufReader, Read};

use zip::ZipArchive;

use super::damage::{broken, guarded, unpacking};
use super::xml_scanner::XmlScanner;
use crate::table::error::ReadFault;
use crate::table::input::{NUMBERS_DOCUMENT, ReopenableInput};
use crate::table::sheet::FileKind;

/// Parts up to this size cannot hurt, whatever is in them.
const HARMLESS: u64 = 64 * 1024 * 1024;
/// 1,048,576 rows of 200 columns.
const LARGEST_PART: u64 = 8 * 1024 * 1024 * 1024;
/// Sheets pack 10 to 30 times, a million empty rows 60 times; deflate's limit, and a bomb's, is 1,030 times.
const SUSPICIOUS_RATIO: u64 = 50;
const BOMB_RATIO: u64 = 200;
/// More elements than this in a part that is held in memory are refused.
const MOST_ELEMENTS: u64 = 100_000_000;

/// A zip file and its table of contents.
pub(in crate::table) struct Package {
    archive: ZipArchive<BufReader<File>>,
}

/// A part's sizes, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartSize {
    pub(super) unpacked: u64,
    packed: u64,
}

impl PartSize {
    fn is_over(self, ratio: u64) -> bool {
        self.unpacked > HARMLESS && self.unpacked / ratio > self.packed
    }
}

impl Package {
    /// Opens the container and refuses what is encrypted, cut off or a zip bomb.
    pub(in crate::table) fn open(source: &ReopenableInput) -> Result<Package, ReadFault> {
        let file = BufReader::new(source.open()?);
        let archive = guarded(|| ZipArchive::new(file).map_err(|error| broken(&error)))?;
        let package = Package { archive };
        for index in 0..package.archive.len() {
            package.check(index)?;
        }
        Ok(package)
    }

    fn check(&self, index: usize) -> Result<(), ReadFault> {
        let entry = self.archive.by_index_data(index).map_err(|error| broken(&error))?;
        if entry.encrypted() {
            return Err(ReadFault::Password);
        }
        let size = PartSize { unpacked: entry.size(), packed: entry.compressed_size() };
        if size.unpacked > LARGEST_PART {
            return Err(ReadFault::TooLarge { what: "it unpacks to more than 8 GiB" });
        }
        if size.is_over(BOMB_RATIO) { Err(ReadFault::Bloated) } else { Ok(()) }
    }

    /// Where a part stands, whatever the case and the slashes of its name.
    fn index_of(&self, name: &str) -> Option<usize> {
        let name = name.trim_start_matches('/');
        let is_same = |raw: &[u8]| {
            let byte = |byte: &u8| if *byte == b'\\' { b'/' } else { byte.to_ascii_lowercase() };
            raw.len() == name.len() && raw.iter().map(byte).eq(name.bytes().map(|byte| byte.to_ascii_lowercase()))
        };
        self.archive.index_for_name(name).or_else(|| self.archive.file_names_raw().position(is_same))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.index_of(name).is_some()
    }

    pub(super) fn size(&self, name: &str) -> Option<PartSize> {
        let entry = self.archive.by_index_data(self.index_of(name)?).ok()?;
        Some(PartSize { unpacked: entry.size(), packed: entry.compressed_size() })
    }

    /// A part, unpacked as it is read; none where the package has no such part.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<impl Read>, ReadFault> {
        match self.index_of(name) {
            None => Ok(None),
            Some(index) => self.archive.by_index(index).map(Some).map_err(|error| broken(&error)),
        }
    }

    /// Ids and targets of the relations in a part.
    pub(super) fn relations(&mut self, name: &str) -> Result<Vec<(String, String)>, ReadFault> {
        let mut targets = Vec::new();
        let Some(part) = self.part(name)? else { return Ok(targets) };
        let mut scanner = XmlScanner::new(part);
        while let Some(tag) = scanner.next()? {
            targets.extend(tag.text_attribute("Id").zip(tag.text_attribute("Target")));
        }
        Ok(targets)
    }

    /// The beginning of a small part as text; empty where there is none.
    pub(super) fn text(&mut self, name: &str) -> Result<String, ReadFault> {
        const ENOUGH: u64 = 1024 * 1024;
        let mut bytes = Vec::new();
        if let Some(part) = self.part(name)? {
            part.take(ENOUGH).read_to_end(&mut bytes).map_err(|error| unpacking(&error))?;
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether a part packs so well that its tokens should be looked at.
    pub(super) fn is_suspicious(&self, name: &str) -> bool {
        self.size(name).is_some_and(|size| size.is_over(SUSPICIOUS_RATIO))
    }

    /// Looks at every token of a part that will be held in memory, if it is large: none endless, and in all not too
    /// many.
    pub(super) fn check_elements(&mut self, name: &str, most: u64) -> Result<(), ReadFault> {
        if self.size(name).is_none_or(|size| size.unpacked / 4 <= most.min(HARMLESS / 4)) {
            return Ok(());
        }
        let Some(part) = self.part(name)? else { return Ok(()) };
        let mut scanner = XmlScanner::new(part);
        let mut elements: u64 = 0;
        while scanner.next()?.is_some() {
            elements += 1;
            if elements > most {
                return Err(ReadFault::TooLarge { what: "more texts and formats than a workbook can have" });
            }
        }
        Ok(())
    }

    /// As [`Package::check_elements`], with the limit for shared strings.
    pub(super) fn check_strings(&mut self, name: &str) -> Result<(), ReadFault> {
        self.check_elements(name, MOST_ELEMENTS)
    }

    /// Which workbook the container holds.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Foreign`] for documents of other kinds and plain archives.
    pub(in crate::table) fn kind(&mut self) -> Result<FileKind, ReadFault> {
        let types = self.text("[Content_Types].xml")?;
        let mimetype = self.text("mimetype")?;
        if let Some((_, kind)) = WORKBOOKS.iter().find(|(sign, _)| types.contains(sign) || mimetype.starts_with(sign)) {
            return Ok(*kind);
        }
        if let Some(&(_, what, hint)) =
            DOCUMENTS.iter().find(|(sign, ..)| types.contains(sign) || mimetype.starts_with(sign))
        {
            return Err(ReadFault::Foreign { what, hint });
        }
        match () {
            () if self.has("xl/workbook.xml") => Ok(FileKind::Xlsx),
            () if self.has("xl/workbook.bin") => Ok(FileKind::Xlsb),
            () if self.has("Index.zip") || self.archive.file_names_raw().any(|name| name.ends_with(b".iwa")) => {
                Err(NUMBERS_DOCUMENT)
            }
            () if self.has("word/document.xml") => {
                Err(ReadFault::Foreign { what: "a Word document", hint: "copy its table into a spreadsheet" })
            }
            () => Err(ReadFault::Foreign { what: "a zip archive", hint: "unpack it and name the spreadsheet in it" }),
        }
    }
}

/// Signs of a workbook in the content types of Office, or the mimetype of OpenDocument.
const WORKBOOKS: &[(&str, FileKind)] = &[
    ("ms-excel.sheet.binary.macroEnabled.main", FileKind::Xlsb),
    ("spreadsheetml.sheet.main+xml", FileKind::Xlsx),
    ("spreadsheetml.template.main+xml", FileKind::Xlsx),
    ("ms-excel.sheet.macroEnabled.main", FileKind::Xlsx),
    ("ms-excel.template.macroEnabled.main", FileKind::Xlsx),
    ("ms-excel.addin.macroEnabled.main", FileKind::Xlsx),
    ("application/vnd.oasis.opendocument.spreadsheet", FileKind::Ods),
];

const COPY: &str = "copy its table into a spreadsheet and save that as .xlsx";

/// Signs of other documents.
const DOCUMENTS: &[(&str, &str, &str)] = &[
    ("wordprocessingml", "a Word document", COPY),
    ("ms-word", "a Word document", COPY),
    ("presentationml", "a PowerPoint presentation", COPY),
    ("application/vnd.oasis.opendocument.", "an OpenDocument file of another kind", COPY),
    ("application/epub", "an e-book", COPY),
];
