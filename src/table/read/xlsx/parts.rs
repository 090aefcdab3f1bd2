//! The small parts of an .xlsx file: which part holds which sheet, and whether the parts that calamine keeps in memory
//! are of a size that can be true.

use super::super::package::Package;
use super::super::xml_scanner::{TagKind, XmlScanner};
use super::rich_text::{self, RichStrings};
use crate::table::error::ReadFault;

/// Excel stops at 65,490 cell formats, and has a few elements for each.
const MOST_STYLE_ELEMENTS: u64 = 4_000_000;
/// Sheets, names, relationships: 250,000 would be a record.
const MOST_BOOK_ELEMENTS: u64 = 2_000_000;

/// What the workbook's parts say.
pub(super) struct WorkbookParts {
    /// The parts of the sheets in the order of the workbook.
    pub(super) sheets: Vec<String>,
    pub(super) rich_strings: RichStrings,
}

/// Looks over the parts.
pub(super) fn check(package: &mut Package) -> Result<WorkbookParts, ReadFault> {
    let (folder, book) = book_part(package)?;
    let part = |name: &str| format!("{folder}{name}");
    let relations = part(&format!("_rels/{book}.rels"));
    for name in [part(&book), relations.clone(), part("styles.xml"), part("theme/theme1.xml")] {
        let most = if name.ends_with("styles.xml") { MOST_STYLE_ELEMENTS } else { MOST_BOOK_ELEMENTS };
        package.check_elements(&name, most)?;
    }
    let strings = part("sharedStrings.xml");
    package.check_strings(&strings)?;
    check_string_count(package, &strings)?;
    let targets = package.relations(&relations)?;
    let sheets = sheet_parts(package, &part(&book), &folder, &targets)?;
    Ok(WorkbookParts { sheets, rich_strings: rich_text::shared(package, &strings)? })
}

/// Folder and name of the workbook's part, as the package's relations say.
fn book_part(package: &mut Package) -> Result<(String, String), ReadFault> {
    let mut target = String::from("xl/workbook.xml");
    if let Some(relations) = package.part("_rels/.rels")? {
        let mut scanner = XmlScanner::new(relations);
        while let Some(tag) = scanner.next()? {
            let is_book = tag.text_attribute("Type").is_some_and(|kind| kind.ends_with("/officeDocument"));
            if let (true, Some(named)) = (is_book, tag.text_attribute("Target")) {
                target = named;
            }
        }
    }
    let target = target.trim_start_matches('/');
    let (folder, name) = target.rfind('/').map_or(("", target), |slash| target.split_at(slash + 1));
    Ok((folder.to_owned(), name.to_owned()))
}

/// calamine makes room for as many strings as the part says it has, even for more than memory can hold.
fn check_string_count(package: &mut Package, name: &str) -> Result<(), ReadFault> {
    const SHORTEST: u64 = "<si/>".len() as u64;
    let Some(size) = package.size(name) else { return Ok(()) };
    let Some(part) = package.part(name)? else { return Ok(()) };
    let mut scanner = XmlScanner::new(part);
    while let Some(tag) = scanner.next()? {
        if tag.name != b"sst" {
            continue;
        }
        let count = tag.text_attribute("uniqueCount").and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
        // Many programs write a wrong count; only those beyond the possible and the harmless are a danger.
        let is_possible = count <= size.unpacked / SHORTEST || count < 1_000_000;
        if !is_possible {
            return Err(ReadFault::damaged("it claims more texts than it has room for"));
        }
        return Ok(());
    }
    Ok(())
}

fn sheet_parts(
    package: &mut Package,
    book: &str,
    folder: &str,
    targets: &[(String, String)],
) -> Result<Vec<String>, ReadFault> {
    let mut parts = Vec::new();
    let Some(part) = package.part(book)? else { return Ok(parts) };
    let mut scanner = XmlScanner::new(part);
    while let Some(tag) = scanner.next()? {
        if tag.name != b"sheet" || tag.kind == TagKind::Close {
            continue;
        }
        let id = tag.text_attribute("id").unwrap_or_default();
        let target = targets.iter().find(|(known, _)| *known == id).map_or("", |(_, target)| target.as_str());
        parts.push(match target.strip_prefix('/') {
            Some(absolute) => absolute.to_owned(),
            None => format!("{folder}{target}"),
        });
    }
    Ok(parts)
}
