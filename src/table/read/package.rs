//! The zip container of .xlsx, .xlsb and .ods, looked over before anybody unpacks it.
//!
//! A part is chosen here and nowhere else, by its name without case, slashes and escapes: whoever reads a part asks for
//! its [`PartId`]. A package in which two names come to the same is refused, since each program would read another one.
//! The zip crate stops a part that inflates to more than its stated size, so the stated sizes can be relied on.

use std::io::{BufReader, Read};

use hashbrown::HashMap;
use zip::ZipArchive;
use zip::read::ZipFile;

use super::damage::{broken, guarded, unpacking};
use super::limits::Limits;
use super::unpack_ahead::unpack_ahead;
use super::utf8_part::Utf8Part;
use super::xml_scanner::{LONGEST_TOKEN, TagKind, XmlScanner};
use crate::table::error::ReadFault;
use crate::table::input::{InputFile, NUMBERS_DOCUMENT, ReopenableInput};
use crate::table::sheet::FileKind;

/// A zip file and its table of contents.
pub(in crate::table) struct Package {
    archive: ZipArchive<BufReader<InputFile>>,
    /// By their folded names.
    parts: HashMap<String, PartId>,
    pub(super) limits: Limits,
}

/// A part of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PartId(usize);

/// A part as its package stores it.
pub(super) type PackedPart<'a> = ZipFile<'a, BufReader<InputFile>>;

/// What a part says about another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    pub(super) id: String,
    /// The last word of its type, such as `worksheet`.
    pub(super) kind: String,
    /// As it stands.
    pub(super) target: String,
}

impl Package {
    /// Opens the container and refuses what is encrypted, cut off, contradictory or a zip bomb.
    pub(in crate::table) fn open(source: &ReopenableInput) -> Result<Package, ReadFault> {
        let file = BufReader::new(source.open()?);
        let archive = guarded(|| ZipArchive::new(file).map_err(|error| broken(&error)))?;
        let mut package = Package { archive, parts: HashMap::new(), limits: Limits::of(source.len()) };
        package.list_parts(source.len())?;
        Ok(package)
    }

    fn list_parts(&mut self, file_len: u64) -> Result<(), ReadFault> {
        let (mut packed, mut unpacked) = (0_u64, 0_u64);
        for index in 0..self.archive.len() {
            let entry = self.archive.by_index_data(index).map_err(|error| broken(&error))?;
            if entry.encrypted() {
                return Err(ReadFault::Password);
            }
            packed = packed.saturating_add(entry.compressed_size());
            unpacked = unpacked.saturating_add(entry.size());
            if entry.is_dir() {
                continue;
            }
            let name = folded(&entry.name().map_err(|error| broken(&error))?);
            if self.parts.insert(name, PartId(index)).is_some() {
                return Err(ReadFault::damaged("two of its parts have the same name"));
            }
        }
        if packed > file_len {
            return Err(ReadFault::damaged("its parts overlap"));
        }
        if unpacked > self.limits.unpacked { Err(ReadFault::Bloated) } else { Ok(()) }
    }

    /// A part by its name; none where the package has no such part.
    pub(super) fn find(&self, name: &str) -> Option<PartId> {
        self.parts.get(&folded(name)).copied()
    }

    /// A part, unpacked as it is read.
    pub(super) fn part(&mut self, part: PartId) -> Result<PackedPart<'_>, ReadFault> {
        self.archive.by_index(part.0).map_err(|error| broken(&error))
    }

    /// The tags of a part with the first kilobyte of each text.
    pub(super) fn xml(&mut self, part: PartId) -> Result<XmlScanner<Utf8Part<PackedPart<'_>>>, ReadFault> {
        Ok(XmlScanner::new(Utf8Part::new(self.part(part)?).map_err(|error| unpacking(&error))?))
    }

    /// Runs `work` on the tags of a part with their texts in full. A large part is unpacked on a thread of its own.
    pub(super) fn scan_part<T, E: From<ReadFault>>(
        &mut self,
        part: PartId,
        work: impl FnOnce(XmlScanner<&mut dyn Read>) -> Result<T, E>,
    ) -> Result<T, E> {
        /// Less than it takes to start a thread.
        const SMALL: u64 = 1024 * 1024;
        let part = self.part(part)?;
        let is_small = part.size() <= SMALL;
        let mut text = Utf8Part::new(part).map_err(|error| unpacking(&error))?;
        let work = |text: &mut dyn Read| work(XmlScanner::keeping(text, LONGEST_TOKEN));
        if is_small { work(&mut text) } else { unpack_ahead(text, work) }
    }

    /// All of a part.
    pub(super) fn bytes(&mut self, part: PartId) -> Result<Vec<u8>, ReadFault> {
        let mut part = self.part(part)?;
        // The sum of all sizes was checked.
        let mut bytes = Vec::with_capacity(part.size() as usize);
        part.read_to_end(&mut bytes).map_err(|error| unpacking(&error))?;
        Ok(bytes)
    }

    /// The relations of a part, up to the first for which `take` says that it is enough.
    pub(super) fn each_relation(
        &mut self,
        part: &str,
        mut take: impl FnMut(Relation) -> Result<(), ReadFault>,
    ) -> Result<(), ReadFault> {
        let (folder, name) = split_path(part);
        let Some(relations) = self.find(&format!("{folder}_rels/{name}.rels")) else { return Ok(()) };
        let mut scanner = self.xml(relations)?;
        while let Some(tag) = scanner.next()? {
            if tag.name != b"Relationship" || tag.kind == TagKind::Close {
                continue;
            }
            let [id, kind, target] = ["Id", "Type", "Target"].map(|name| tag.text_attribute(name).unwrap_or_default());
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            take(Relation { id, kind, target })?;
        }
        Ok(())
    }

    /// The beginning of a small part as text; empty where there is none.
    pub(super) fn text(&mut self, name: &str) -> Result<String, ReadFault> {
        const ENOUGH: u64 = 1024 * 1024;
        let mut bytes = Vec::new();
        if let Some(part) = self.find(name) {
            self.part(part)?.take(ENOUGH).read_to_end(&mut bytes).map_err(|error| unpacking(&error))?;
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
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
            () if self.find("xl/workbook.xml").is_some() => Ok(FileKind::Xlsx),
            () if self.find("xl/workbook.bin").is_some() => Ok(FileKind::Xlsb),
            () if self.find("Index.zip").is_some() || self.parts.keys().any(|name| name.ends_with(".iwa")) => {
                Err(NUMBERS_DOCUMENT)
            }
            () if self.find("word/document.xml").is_some() => {
                Err(ReadFault::Foreign { what: "a Word document", hint: "copy its table into a spreadsheet" })
            }
            () => Err(ReadFault::Foreign { what: "a zip archive", hint: "unpack it and name the spreadsheet in it" }),
        }
    }
}

/// Folder, with its slash, and name.
fn split_path(path: &str) -> (&str, &str) {
    path.rfind('/').map_or(("", path), |slash| path.split_at(slash + 1))
}

/// The part that a relation of a part names: `../tables/table1.xml` beside `xl/worksheets/`.
pub(super) fn resolved_target(part: &str, target: &str) -> String {
    if target.starts_with(['/', '\\']) { target.to_owned() } else { format!("{}{target}", split_path(part).0) }
}

/// A part's name as all programs understand it: without case, escapes and detours.
fn folded(name: &str) -> String {
    let name = percent_decoded(name).replace('\\', "/").to_lowercase();
    let mut segments: Vec<&str> = Vec::new();
    for segment in name.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

fn percent_decoded(name: &str) -> String {
    let mut decoded = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, behind @ ..] = rest {
        let digits = behind.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let hex = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&decoded).into_owned()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_to_what_all_programs_read() {
        for name in ["xl/worksheets/sheet1.xml", "/XL\\worksheets/Sheet1.xml", "xl/./x/../worksheets//sheet%31.xml"] {
            assert_eq!(folded(name), "xl/worksheets/sheet1.xml", "{name}");
        }
        assert_eq!(folded("a%2"), "a%2");
        assert_eq!(folded("a%+1"), "a%+1");
        assert_eq!(folded("../../a"), "a");
    }

    #[test]
    fn targets_are_relative_to_the_part() {
        let folded_target = |part, target| folded(&resolved_target(part, target));
        assert_eq!(folded_target("xl/worksheets/sheet1.xml", "../tables/table1.xml"), "xl/tables/table1.xml");
        assert_eq!(folded_target("xl/worksheets/sheet1.xml", "/xl/tables/t.xml"), "xl/tables/t.xml");
        assert_eq!(folded_target("workbook.xml", "t.xml"), "t.xml");
    }
}
