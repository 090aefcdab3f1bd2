//! Plans that another program has saved: what LibreOffice and scripts do to a workbook is no edit, whatever they do to its
//! parts, and a changed value is one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use serde_json::json;

use crate::harness::{CliTest, sheet_rows};
use crate::plan_book::fill;

/// What a program does to a workbook when it saves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SavedBy {
    /// LibreOffice: texts are shared, styles are numbered anew, the hidden sheet is hidden in another way, and escapes of
    /// characters are lost where there were two.
    LibreOffice,
    /// openpyxl: texts are shared, numbers that are texts stay texts, and only cells with something in them are kept.
    OpenPyxl,
    /// A script that writes what looks like a number as a number, and line ends as on its system.
    Numbers,
}

/// The parts of a workbook by name.
fn parts(path: &Path) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut parts = BTreeMap::new();
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).unwrap();
        let mut text = String::new();
        part.read_to_string(&mut text).unwrap();
        parts.insert(part.name().unwrap().into_owned(), text);
    }
    parts
}

/// Saves a workbook again as that program does.
fn save_again(path: &Path, by: SavedBy) {
    let mut parts = parts(path);
    let mut shared = Vec::new();
    // The first sheet has its texts shared as it is written.
    let known = texts(&parts["xl/sharedStrings.xml"], "<si>", "</si>");
    for (name, part) in &mut parts {
        if name.starts_with("xl/worksheets/sheet") {
            *part = saved_sheet(part, by, &known, &mut shared);
        }
    }
    let items: String = shared.iter().map(|text| format!("<si>{text}</si>")).collect();
    let namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let list = format!(r#"<?xml version="1.0"?><sst xmlns="{namespace}" uniqueCount="{}">{items}</sst>"#, shared.len());
    parts.insert(String::from("xl/sharedStrings.xml"), list);
    if let Some(book) = parts.get_mut("xl/workbook.xml") {
        *book = book.replace("veryHidden", "hidden");
    }
    if let Some(core) = parts.get_mut("docProps/core.xml") {
        *core = core.replace("<cp:lastModifiedBy>tallyport<", "<cp:lastModifiedBy>Grace Hopper<");
    }
    let mut writer = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, text) in parts.iter().rev() {
        writer.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap();
}

/// What stands between two marks, each time.
fn texts(text: &str, open: &str, close: &str) -> Vec<String> {
    text.split(open).skip(1).map(|rest| rest.split(close).next().unwrap().to_owned()).collect()
}

fn saved_sheet(part: &str, by: SavedBy, known: &[String], shared: &mut Vec<String>) -> String {
    let (head, rest) = part.split_once("<sheetData>").unwrap();
    let (data, tail) = rest.split_once("</sheetData>").unwrap();
    let mut saved = format!("{head}<sheetData>");
    for row in data.split("<row ").skip(1) {
        let number = texts(row, "r=\"", "\"").remove(0);
        saved.push_str(&format!(r#"<row r="{number}" spans="1:8" ht="12.8" hidden="false">"#));
        let cells = row.split_once('>').map_or("", |(_, cells)| cells).trim_end_matches("</row>");
        for cell in cells.split("<c ").skip(1) {
            saved.push_str(&saved_cell(cell, by, known, shared));
        }
        saved.push_str("</row>");
    }
    format!("{saved}</sheetData>{tail}")
}

/// A cell that begins behind its `<c `.
fn saved_cell(cell: &str, by: SavedBy, known: &[String], shared: &mut Vec<String>) -> String {
    let at = texts(cell, "r=\"", "\"").remove(0);
    let text = if cell.contains("t=\"inlineStr\"") {
        texts(cell, "<is>", "</is>").remove(0)
    } else if cell.contains("t=\"s\"") {
        known[texts(cell, "<v>", "</v>").remove(0).parse::<usize>().unwrap()].clone()
    } else {
        return match by {
            SavedBy::LibreOffice => format!(r#"<c r="{at}" s="1"/>"#),
            SavedBy::OpenPyxl | SavedBy::Numbers => String::new(),
        };
    };
    let plain = texts(&text, "<t", "</t>").concat();
    let plain = plain.split_once('>').map_or("", |(_, plain)| plain);
    if by == SavedBy::Numbers && plain.len() < 10 && !plain.starts_with('0') && plain.parse::<u64>().is_ok() {
        return format!(r#"<c r="{at}"><v>{plain}</v></c>"#);
    }
    let text = match by {
        SavedBy::LibreOffice => text.replace("_x005F_", "_").replace("_x000D_", ""),
        SavedBy::OpenPyxl => text,
        SavedBy::Numbers => text.replace('\n', "_x000D_\n"),
    };
    shared.push(text);
    format!(r#"<c r="{at}" t="s" s="0"><v>{}</v></c>"#, shared.len() - 1)
}

/// Texts that programs treat in their own ways.
const ODD: [&str; 12] = [
    "=1+1", "+49 30 1234", "007", "1500", "1 500 a", "TRUE", "_x0041_", "_x005F_x0041_", "\"one\r\ntwo\"",
    "bell _x0007_", "  spaced", "Zürich 東京 & <b>",
];

fn account() -> CliTest {
    let rows: String =
        ODD.iter().enumerate().map(|(number, odd)| format!("Place {number},{odd},{}\n", number * 100)).collect();
    let account = CliTest::new()
        .holds("locations", json!({"name": "Place 0", "city": "before"}))
        .sheet("places.csv", &format!("name,city,zip\n{rows}"));
    account.run(&["import", "places.csv", "--entity", "locations", "--plan", "plan.xlsx", "--quiet"]).exits(0);
    account
}

#[test]
fn a_plan_that_another_program_has_saved_is_applied_with_its_approvals() {
    for by in [SavedBy::LibreOffice, SavedBy::OpenPyxl, SavedBy::Numbers] {
        let account = account();
        let path = account.path("plan.xlsx");
        // The second record is not wanted: line 2 is the first update, lines from 4 on are the new places.
        let lines = sheet_rows(&path, "locations");
        let second = lines.iter().position(|line| line[2].starts_with("Place 1 ")).unwrap() + 1;
        fill(&path, "locations", &[(&format!("A{second}"), "No ")]);
        save_again(&path, by);
        let (code, applied) = account.json(&["apply", "plan.xlsx"]);
        let counts = ["created", "updated", "skipped"].map(|name| applied["counts"][name].as_u64().unwrap());
        assert_eq!((code, counts), (0, [ODD.len() as u64 - 2, 1, 1]), "{by:?}: {applied:#}");
        let (code, found) = account.json(&["verify", "places.csv", "--entity", "locations"]);
        assert_eq!((code, &found["counts"]["missing"], &found["counts"]["different"]), (1, &json!(1), &json!(0)));
        let remarks = applied["remarks"].to_string();
        assert!(remarks.contains("the plan was last saved by Grace Hopper"), "{by:?}: {remarks}");
    }
}

#[test]
fn a_value_that_was_changed_and_saved_by_another_program_is_an_edit() {
    for by in [SavedBy::LibreOffice, SavedBy::OpenPyxl, SavedBy::Numbers] {
        let account = account();
        let path = account.path("plan.xlsx");
        fill(&path, "locations", &[("F2", "=1+2")]);
        save_again(&path, by);
        let refused = account.run(&["apply", "plan.xlsx"]).exits(2);
        assert!(refused.stderr.contains("sheet `locations` is not as it was written"), "{by:?}: {}", refused.stderr);
        assert_eq!(account.records("locations").len(), 1);
    }
}
