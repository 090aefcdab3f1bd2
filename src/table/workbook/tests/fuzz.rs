//! Mutated files of every format, and calamine beside our own readers.

use calamine::{Data, Reader as _};

use super::*;
use crate::fuzz::each_mutation;
use crate::table::panic_guard::own_panic;

/// What a spreadsheet can be asked for in a few bytes.
const WORDS: &[&str] = &[
    "1048576",
    "16384",
    "-1",
    "XFD1048576",
    "A1:XFD1048576",
    "99999999999999999999",
    "1e308",
    "<row>",
    "</row>",
    "<c t=\"s\"><v>0</v></c>",
    "<text:s text:c=\"9999999\"/>",
    "\"",
    "'",
    "<",
    ">",
    "&lt;",
    "&#x0;",
    "&a;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "<!DOCTYPE x [",
    "../",
    "%2e",
    "\\",
    "{",
    "[",
    "}",
    ",",
    ";",
    "\n",
    "\r",
    "\t",
    "“",
    "”",
    " table:number-rows-repeated=\"999999\"",
    " table:number-columns-repeated=\"16384\"",
    "[$-409]",
    "[h]",
    "0.0E+0",
    "??/??",
];

const CSV: &str =
    "asset_id;name;\"cost, EUR\";bought\r\nA-1;Zoë;\"1.299,50\";31.01.2024\r\nA-2; \"x \"\"y\"\"\";“z”;\r\n";
const JSONL: &str =
    "{\"asset_id\": \"A-1\", \"cost\": 12.50, \"tags\": [\"a\", {\"b\": null}]}\n{\"asset_id\": \"A-2\\u00e9\"}\n";
const WORKBOOKS: &[&str] =
    &["openpyxl.xlsx", "libreoffice.xlsx", "epoch1904.xlsx", "xlwt.xls", "libreoffice.xls", "libreoffice.ods"];

fn sample(name: &str) -> Vec<u8> {
    if name == "xlsb" { xlsb() } else { std::fs::read(fixture(name)).unwrap() }
}

/// Reads all sheets of a file: what comes out has bounds, and no code of our own panics.
fn read_all(bytes: &[u8]) {
    const MOST: usize = 256 * 1024 * 1024;
    let mut size = 0;
    let (_folder, path) = file("file", bytes);
    if let Ok(mut workbook) = open(&path) {
        for sheet in 0..workbook.sheets().len() {
            let _ = workbook.layout(sheet);
            let _ = workbook.each_row(sheet, &mut |row| {
                size += row.text_len() + 16 * row.len();
                ControlFlow::Continue(())
            });
        }
    }
    assert_eq!(own_panic(), None);
    assert!(size < MOST, "{size} bytes");
}

/// Mutates the file as it is, and each part of a package, packed again.
fn fuzz_workbook(name: &str) {
    let bytes = sample(name);
    each_mutation(&[&bytes], WORDS, 100, read_all);
    let Ok(mut zip) = zip::ZipArchive::new(std::io::Cursor::new(&bytes)) else { return };
    let mut parts = Vec::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        parts.push((entry.name().unwrap().into_owned(), content));
    }
    for chosen in 0..parts.len() {
        each_mutation(&[&parts[chosen].1], WORDS, 200, |mutated| {
            let content = |index: usize| if index == chosen { mutated } else { parts[index].1.as_slice() };
            let names = parts.iter().map(|(name, _)| name.as_str()).enumerate();
            let parts: Vec<_> = names.map(|(index, name)| (name, content(index))).collect();
            read_all(&package(&parts));
        });
    }
}

#[test]
#[ignore = "needs a process of its own"]
fn fuzz_csv() {
    let utf16: Vec<u8> = CSV.encode_utf16().flat_map(u16::to_le_bytes).collect();
    each_mutation(&[CSV.repeat(20).as_bytes(), &utf16, CSV.as_bytes()], WORDS, 10, read_all);
}

#[test]
#[ignore = "needs a process of its own"]
fn fuzz_jsonl() {
    each_mutation(&[JSONL.repeat(20).as_bytes(), b"[{\"a\": 1}, {\"b\": [2]}]"], WORDS, 10, read_all);
}

#[test]
#[ignore = "needs a process of its own"]
fn fuzz_xlsx() {
    ["openpyxl.xlsx", "libreoffice.xlsx", "epoch1904.xlsx"].into_iter().for_each(fuzz_workbook);
}

#[test]
#[ignore = "needs a process of its own"]
fn fuzz_xls() {
    ["xlwt.xls", "libreoffice.xls"].into_iter().for_each(fuzz_workbook);
}

#[test]
#[ignore = "needs a process of its own"]
fn fuzz_xlsb() {
    fuzz_workbook("xlsb");
}

#[test]
#[ignore = "needs a process of its own"]
fn fuzz_ods() {
    fuzz_workbook("libreoffice.ods");
}

/// The texts of the first sheet's cells, by row and column from 0, with numbers as they are stored.
fn own_cells(bytes: &[u8]) -> Option<Vec<(u32, u32, String)>> {
    let (_folder, path) = file("file", bytes);
    let mut cells = Vec::new();
    open(&path)
        .ok()?
        .each_row(0, &mut |row| {
            for (column, cell) in row.cells().enumerate() {
                let text = match cell.value {
                    Value::Text => cell.text.to_owned(),
                    Value::Number(number) => format!("{number:?}"),
                    // LibreOffice writes truth values to .ods as numbers, which calamine leaves them.
                    Value::Boolean(truth) => format!("{:?}", f64::from(u8::from(truth))),
                    _ => continue,
                };
                cells.push((row.number as u32 - 1, column as u32, text));
            }
            ControlFlow::Continue(())
        })
        .ok()?;
    Some(cells)
}

fn calamines_cells(bytes: &[u8]) -> Option<Vec<(u32, u32, String)>> {
    let mut book = calamine::open_workbook_auto_from_rs(std::io::Cursor::new(bytes.to_vec())).ok()?;
    let range = book.worksheet_range_at(0)?.ok()?;
    let (first_row, first_column) = range.start()?;
    let mut cells = Vec::new();
    for (row, column, data) in range.used_cells() {
        let text = match data {
            Data::String(text) if !crate::table::is_blank(text) && !text.starts_with('#') => text.clone(),
            Data::Float(number) => format!("{number:?}"),
            Data::Int(number) => format!("{:?}", *number as f64),
            Data::Bool(truth) => format!("{:?}", f64::from(u8::from(*truth))),
            _ => continue,
        };
        cells.push((first_row + row as u32, first_column + column as u32, text));
    }
    Some(cells)
}

#[test]
fn calamine_reads_the_same_cells() {
    for name in WORKBOOKS.iter().copied().chain(["xlsb"]) {
        let bytes = sample(name);
        let (own, calamines) = (own_cells(&bytes).unwrap(), calamines_cells(&bytes).unwrap());
        // Times of day are text for us; calamine has types of its own for them.
        let own: Vec<_> = own.into_iter().filter(|(.., text)| !text.contains(':')).collect();
        assert_eq!(own, calamines, "{name}");
    }
}

/// Whichever part a package's names and relations may lead to, it is the one that everybody else reads, or the package
/// is refused.
#[test]
fn the_part_checked_is_the_part_read() {
    let mut random = fastrand::Rng::with_seed(11);
    let mut compared = 0;
    for _ in 0..600 {
        let bytes = odd_package(&mut random);
        if let (Some(own), Some(calamines)) = (own_cells(&bytes), calamines_cells(&bytes)) {
            assert_eq!(own, calamines);
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared} packages were read by both");
}

/// An .xlsx file with two candidates for each part, their names written in odd ways.
fn odd_package(random: &mut fastrand::Rng) -> Vec<u8> {
    let relation = |id: &str, kind: &str, target: &str| {
        format!(
            "<Relationship Id=\"{id}\" Type=\"http://x/officeDocument/2006/relationships/{kind}\" Target=\"{target}\"></Relationship>"
        )
    };
    let relations = |inner: &str| format!("<Relationships>{inner}</Relationships>");
    let sheet = |text: &str| {
        format!(
            "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>{text}</t></is></c><c r=\"B1\" t=\"s\"><v>0</v></c></row></sheetData></worksheet>"
        )
    };
    let strings = |text: &str| format!("<sst><si><t>{text}</t></si></sst>");
    let book =
        |id: &str| format!("<workbook><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"{id}\"/></sheets></workbook>");
    let mut odd = |name: &str| match random.u8(..60) {
        0 => name.to_uppercase(),
        1 => name.replace('/', "\\"),
        2 => name.replace('s', "%73"),
        3 => format!("./{name}"),
        4 => format!("/{name}"),
        5 => name.replace('/', "//"),
        6 => name.replace("xl/", "yl/"),
        _ => name.to_owned(),
    };
    let mut parts: Vec<(String, String)> = vec![
        (odd("_rels/.rels"), relations(&relation("rId1", "officeDocument", &odd("xl/workbook.xml")))),
        (odd("xl/workbook.xml"), book("rId1")),
        (
            odd("xl/_rels/workbook.xml.rels"),
            relations(
                &(relation("rId1", "worksheet", &odd("worksheets/sheet1.xml"))
                    + &relation("rId2", "sharedStrings", "sharedStrings.xml")),
            ),
        ),
        (odd("xl/worksheets/sheet1.xml"), sheet("one")),
        (odd("xl/sharedStrings.xml"), strings("text")),
        (odd("xl/worksheets/sheet1.xml"), sheet("other")),
        (odd("xl/sharedStrings.xml"), strings("other text")),
        ("[Content_Types].xml".to_owned(), String::from("<Types>spreadsheetml.sheet.main+xml</Types>")),
    ];
    let keeps: Vec<bool> = (0..parts.len()).map(|index| index < 4 || random.bool()).collect();
    let mut keeps = keeps.into_iter();
    parts.retain(|_| keeps.next().unwrap_or(true));
    let mut written = std::collections::HashSet::new();
    parts.retain(|(name, _)| written.insert(name.clone()));
    random.shuffle(&mut parts);
    let parts: Vec<_> = parts.iter().map(|(name, content)| (name.as_str(), content.as_bytes())).collect();
    package(&parts)
}
