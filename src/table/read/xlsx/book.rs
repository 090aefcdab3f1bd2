//! The small parts of an .xlsx file: which part holds which sheet, the styles, where dates count from, and the tables.

use std::collections::{HashMap, HashSet};

use super::super::limits::{LONGEST_SHEET_NAME, MOST_SHEETS, check_sheets};
use super::super::number_format::StyleTable;
use super::super::package::{Package, PartId, resolved_target};
use super::super::serial_date::DateSystem;
use super::super::xml_scanner::{TagKind, XmlTag};
use super::address::area;
use crate::table::error::ReadFault;
use crate::table::sheet::Visibility;

/// Tables of one sheet.
const MOST_TABLES: usize = 1_000;

/// What the workbook's part says.
pub(super) struct Book {
    /// The worksheets in the order of their tabs.
    pub(super) sheets: Vec<BookSheet>,
    pub(super) system: DateSystem,
    pub(super) strings: Option<PartId>,
    pub(super) styles: Option<PartId>,
}

/// A worksheet.
pub(super) struct BookSheet {
    pub(super) name: String,
    pub(super) visibility: Visibility,
    /// The name of its part, whose relations are beside it.
    pub(super) part: String,
}

/// A part that the workbook's relations name.
struct RelatedPart {
    kind: String,
    part: String,
}

impl Book {
    pub(super) fn read(package: &mut Package) -> Result<Book, ReadFault> {
        let name = book_part(package)?;
        let related = related_parts(package, &name)?;
        let by_kind = |kind: &str, usual: &str| {
            let named = related.values().find(|related| related.kind == kind).and_then(|it| package.find(&it.part));
            named.or_else(|| package.find(&resolved_target(&name, usual)))
        };
        let strings = by_kind("sharedStrings", "sharedStrings.xml");
        let styles = by_kind("styles", "styles.xml");
        let mut book = Book { sheets: Vec::new(), system: DateSystem::From1900, strings, styles };
        let part = package.find(&name).ok_or_else(|| ReadFault::missing_part(&name))?;
        let mut scanner = package.xml(part)?;
        while let Some(tag) = scanner.next()? {
            match tag.name {
                b"workbookPr" if matches!(tag.attribute("date1904"), Some(b"1" | b"true")) => {
                    book.system = DateSystem::From1904;
                }
                b"sheet" if tag.kind != TagKind::Close => {
                    book.sheets.extend(book_sheet(&tag, &related)?);
                    check_sheets(book.sheets.iter().map(|sheet| sheet.name.as_str()))?;
                }
                _ => {}
            }
        }
        drop(scanner);
        check_parts(package, &book.sheets)?;
        Ok(book)
    }
}

/// The name of the workbook's part, as the package's relations say.
fn book_part(package: &mut Package) -> Result<String, ReadFault> {
    let mut named = None;
    package.each_relation("", |relation| match relation.kind.as_str() {
        "officeDocument" if named.is_some() => Err(ReadFault::damaged("it holds two workbooks")),
        "officeDocument" => {
            named = Some(relation.target);
            Ok(())
        }
        _ => Ok(()),
    })?;
    Ok(named.unwrap_or_else(|| String::from("xl/workbook.xml")))
}

/// The parts that matter, by the ids of their relations.
fn related_parts(package: &mut Package, book: &str) -> Result<HashMap<String, RelatedPart>, ReadFault> {
    const KINDS: &[&str] = &["worksheet", "chartsheet", "dialogsheet", "sharedStrings", "styles"];
    let mut related = HashMap::new();
    package.each_relation(book, |relation| {
        if !KINDS.contains(&relation.kind.as_str()) {
            return Ok(());
        }
        let is_long = relation.id.len().max(relation.target.len()) > LONGEST_SHEET_NAME;
        if is_long || related.len() > 2 * MOST_SHEETS {
            return Err(ReadFault::TooLarge { what: "more parts than a workbook can have" });
        }
        let part = resolved_target(book, &relation.target);
        match related.insert(relation.id, RelatedPart { kind: relation.kind, part }) {
            Some(_) => Err(ReadFault::damaged("two of its relations have the same id")),
            None => Ok(()),
        }
    })?;
    Ok(related)
}

/// A worksheet, or none where the tab is a chart or dialog.
fn book_sheet(tag: &XmlTag<'_>, related: &HashMap<String, RelatedPart>) -> Result<Option<BookSheet>, ReadFault> {
    let id = tag.text_attribute("id").unwrap_or_default();
    let related = related.get(&id).ok_or_else(|| ReadFault::damaged("a sheet is missing in it"))?;
    let visibility = match tag.attribute("state") {
        Some(b"hidden" | b"veryHidden") => Visibility::Hidden,
        _ => Visibility::Visible,
    };
    let name = tag.text_attribute("name").unwrap_or_default();
    let is_worksheet = related.kind == "worksheet";
    Ok(is_worksheet.then(|| BookSheet { name, visibility, part: related.part.clone() }))
}

/// Each worksheet has a part of its own: read once for each, a single part could keep us busy for hours.
fn check_parts(package: &Package, sheets: &[BookSheet]) -> Result<(), ReadFault> {
    let mut parts = HashSet::new();
    let is_first = |sheet: &BookSheet| package.find(&sheet.part).is_none_or(|part| parts.insert(part));
    if sheets.iter().all(is_first) { Ok(()) } else { Err(ReadFault::damaged("two of its sheets are the same part")) }
}

/// The number formats of the cell styles.
pub(super) fn styles(package: &mut Package, part: Option<PartId>) -> Result<StyleTable, ReadFault> {
    let mut styles = StyleTable::default();
    let Some(part) = part else { return Ok(styles) };
    let mut scanner = package.xml(part)?;
    let mut is_inside = false;
    while let Some(tag) = scanner.next()? {
        let id = || tag.text_attribute("numFmtId").and_then(|id| id.parse::<u32>().ok());
        match (tag.name, tag.kind) {
            (b"cellXfs", kind) => is_inside = kind == TagKind::Open,
            (b"numFmt", TagKind::Open | TagKind::SelfClosing) => {
                if let (Some(id), Some(code)) = (id(), tag.text_attribute("formatCode")) {
                    styles.add_code(id, code)?;
                }
            }
            (b"xf", TagKind::Open | TagKind::SelfClosing) if is_inside => styles.add_style(id().unwrap_or(0))?,
            _ => {}
        }
    }
    Ok(styles)
}

/// The rows, from 1, that the tables of a sheet declare to be totals; `name` is the name of the sheet's part.
pub(super) fn totals_rows(package: &mut Package, name: &str) -> Result<Vec<u64>, ReadFault> {
    let mut tables = Vec::new();
    package.each_relation(name, |relation| {
        tables.extend((relation.kind == "table").then(|| resolved_target(name, &relation.target)));
        if tables.len() > MOST_TABLES {
            return Err(ReadFault::TooLarge { what: "more than 1,000 tables on a sheet" });
        }
        Ok(())
    })?;
    let mut rows = Vec::new();
    for part in tables.iter().filter_map(|table| package.find(table)).collect::<HashSet<_>>() {
        let mut scanner = package.xml(part)?;
        while let Some(tag) = scanner.next()? {
            if tag.name == b"table" && tag.kind == TagKind::Open {
                rows.extend(last_rows(&tag));
                break;
            }
        }
    }
    Ok(rows)
}

/// The rows at the end of a table that are its totals.
fn last_rows(table: &XmlTag<'_>) -> impl Iterator<Item = u64> {
    let count: u32 = table.text_attribute("totalsRowCount").and_then(|count| count.parse().ok()).unwrap_or(0);
    let last = table.attribute("ref").and_then(area).map(|(_, (last, _))| last);
    last.into_iter()
        .flat_map(move |last| (0..count.min(10)).map(move |above| u64::from(last.saturating_sub(above)) + 1))
}
