//! Mutated files of every format, and calamine beside our own readers.
//!
//! The seed is fixed, so that a failure comes again. `tests/fuzz.sh` runs more, with a limit on memory.

use calamine::{Data, Reader as _};

use super::*;
use crate::table::panic_guard::own_panic;

/// What a spreadsheet can be asked for in a few bytes.
const TOKENS: &[&[u8]] = &[
    b"1048576",
    b"16384",
    b"4294967295",
    b"-1",
    b"XFD1048576",
    b"A1:XFD1048576",
    b"99999999999999999999",
    b"1e308",
    b"<c t=\"s\"><v>0</v></c>",
    b"<row>",
    b"</row>",
    b"<text:s text:c=\"9999999\"/>",
    b"\"",
    b"'",
    b"<",
    b">",
    b"&lt;",
    b"&#x0;",
    b"&a;",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"<!DOCTYPE x [",
    b"../",
    b"%2e",
    b"\\",
    b"\xFF\xFF\xFF\xFF",
    b"\0\0\0\0",
    b"\xFF\xFE",
    b"{",
    b"[",
    b"}",
    b",",
    b";",
    b"\n",
    b"\r",
    b"\t",
    "“".as_bytes(),
    b"table:number-rows-repeated=\"999999\" ",
    b"table:number-columns-repeated=\"16384\" ",
    b"[$-409]",
    b"[h]",
    b"0.0E+0",
    b"??/??",
];

const CSV: &str =
    "asset_id;name;\"cost, EUR\";bought\r\nA-1;Zoë;\"1.299,50\";31.01.2024\r\nA-2; \"x \"\"y\"\"\";“z”;\r\n";
const JSONL: &str =
    "{\"asset_id\": \"A-1\", \"cost\": 12.50, \"tags\": [\"a\", {\"b\": null}]}\n{\"asset_id\": \"A-2\\u00e9\"}\n";

/// Files to begin with.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let fixtures =
        ["openpyxl.xlsx", "libreoffice.xlsx", "epoch1904.xlsx", "xlwt.xls", "libreoffice.xls", "libreoffice.ods"];
    let mut samples: Vec<_> = fixtures.into_iter().map(|name| (name, std::fs::read(fixture(name)).unwrap())).collect();
    samples.push(("xlsb", xlsb()));
    samples.push(("csv", CSV.repeat(20).into_bytes()));
    samples.push(("utf-16", CSV.encode_utf16().flat_map(u16::to_le_bytes).collect()));
    samples.push(("jsonl", JSONL.repeat(20).into_bytes()));
    samples
}

/// Changes some bytes.
fn mutate(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    for _ in 0..random.usize(1..8) {
        if bytes.is_empty() {
            return;
        }
        let at = random.usize(..bytes.len());
        let len = random.usize(..=(bytes.len() - at).min(64));
        match random.u8(..7) {
            0 => bytes[at] = random.u8(..),
            1 => bytes[at] ^= 1 << random.u8(..8),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..at + len)),
            4 => {
                let copy = bytes[at..at + len].repeat(random.usize(1..200));
                bytes.splice(at..at, copy);
            }
            5 => {
                let token = TOKENS[random.usize(..TOKENS.len())];
                bytes.splice(at..at, token.iter().copied());
            }
            _ => {
                let token = TOKENS[random.usize(..TOKENS.len())];
                let end = (at + token.len()).min(bytes.len());
                bytes.splice(at..end, token.iter().copied());
            }
        }
    }
}

/// The same package with one part changed, or its name.
fn mutate_part(bytes: &[u8], random: &mut fastrand::Rng) -> Option<Vec<u8>> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).ok()?;
    let chosen = random.usize(..zip.len());
    let mut written = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).ok()?;
        let (mut name, mut content) = (entry.name().ok()?.into_owned(), Vec::new());
        entry.read_to_end(&mut content).ok()?;
        if index == chosen && random.u8(..10) == 0 {
            name = name.to_uppercase();
        } else if index == chosen {
            mutate(&mut content, random);
        }
        written.start_file(name, options).ok()?;
        written.write_all(&content).ok()?;
    }
    Some(written.finish().ok()?.into_inner())
}

#[test]
fn mutated_files_of_every_format_end_in_rows_or_one_error() {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let iterations = number("TALLYPORT_FUZZ_ITERATIONS").unwrap_or(60);
    let seed = number("TALLYPORT_SEED").unwrap_or(11);
    for (name, sample) in samples() {
        for iteration in 0..iterations {
            let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(iteration));
            let is_package = sample.starts_with(b"PK") && random.u8(..4) > 0;
            let mutated = if is_package { mutate_part(&sample, &mut random) } else { None };
            let bytes = mutated.unwrap_or_else(|| {
                let mut bytes = sample.clone();
                mutate(&mut bytes, &mut random);
                bytes
            });
            let read = std::panic::catch_unwind(|| size_of_output(&bytes));
            let context = format!("{name}, seed {seed}, iteration {iteration}");
            let size = read.unwrap_or_else(|_| panic!("{context}: a panic"));
            assert_eq!(own_panic(), None, "{context}");
            assert!(size < 256 * 1024 * 1024, "{context}: {size} bytes");
        }
    }
}

/// Bytes of text and cells that a file gives, each counted as sixteen bytes.
fn size_of_output(bytes: &[u8]) -> usize {
    let (_folder, path) = file("file", bytes);
    let Ok(mut workbook) = open(&path) else { return 0 };
    let mut size = 0;
    for sheet in 0..workbook.sheets().len() {
        let _ = workbook.layout(sheet);
        let _ = workbook.each_row(sheet, &mut |row| {
            size += row.text_len() + 16 * row.len();
            ControlFlow::Continue(())
        });
    }
    size
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
            _ => continue,
        };
        cells.push((first_row + row as u32, first_column + column as u32, text));
    }
    Some(cells)
}

#[test]
fn calamine_reads_the_same_cells() {
    for (name, bytes) in samples().into_iter().filter(|(name, _)| !["csv", "utf-16", "jsonl"].contains(name)) {
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
