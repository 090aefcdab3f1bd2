#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rust_xlsxwriter::{Format, Formula};
use zip::write::SimpleFileOptions;

use super::*;
use crate::fuzz::cases;
use crate::table::cell::Value;
use crate::table::error::ReadFault;

mod attacks;
mod fuzz;
mod ods;
mod reference;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn open(path: &Path) -> Result<Workbook, ReadError> {
    Workbook::open(&Input::Path(path.to_path_buf()), &ReadOptions::default())
}

/// Sheets and rows as text: `=` number, `@` date, `?` boolean, `!` error, `~` unevaluated, in front of the text; the
/// number format behind it.
fn dump(workbook: &mut Workbook) -> Result<String, ReadError> {
    let mut text = String::new();
    for index in 0..workbook.sheets().len() {
        let Sheet { name, visibility } = workbook.sheets()[index].clone();
        writeln!(text, "[{} {visibility:?}]", name.unwrap_or_default()).unwrap();
        workbook.each_row(index, &mut |row| {
            write!(text, "{}:", row.number).unwrap();
            for cell in row.cells() {
                let sign = match cell.value {
                    Value::Blank | Value::Text => "",
                    Value::Number(_) => "=",
                    Value::Date(_) => "@",
                    Value::Boolean(_) => "?",
                    Value::Error => "!",
                    Value::Structure => "{",
                    Value::Unevaluated => "~",
                };
                let format = cell.format.map(|format| format!(" `{format}`")).unwrap_or_default();
                write!(text, " {sign}{:?}{format}", cell.text).unwrap();
            }
            text.push('\n');
            ControlFlow::Continue(())
        })?;
    }
    Ok(text)
}

fn dump_of(path: &Path) -> String {
    dump(&mut open(path).unwrap()).unwrap()
}

/// A file of these bytes, in a folder of its own.
fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// Reads all of a file.
fn read(bytes: &[u8]) -> Result<String, ReadError> {
    let (_folder, path) = file("file", bytes);
    dump(&mut open(&path)?)
}

fn fault(bytes: &[u8]) -> ReadFault {
    read(bytes).unwrap_err().fault
}

/// A zip file of these parts.
fn package(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// An .xlsx file around the content of its only sheet, and its shared strings.
fn xlsx(sheet: &str, strings: &str) -> Vec<u8> {
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let main = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";
    let types = format!(
        "{head}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Override \
         PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/></Types>"
    );
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{office}/{kind}\" Target=\"{target}\"/>")
    };
    let relations = |inner: String| format!("{head}<Relationships>{inner}</Relationships>");
    let book = format!(
        "{head}<workbook {main} xmlns:r=\"{office}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    let sheet = format!("{head}<worksheet {main}><sheetData>{sheet}</sheetData></worksheet>");
    package(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", relations(relation("rId1", "officeDocument", "xl/workbook.xml")).as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations(relation("rId1", "worksheet", "worksheets/sheet1.xml")).as_bytes()),
        ("xl/sharedStrings.xml", format!("{head}<sst {main} {strings}</sst>").as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

const OPENPYXL: &str = r###"[Assets Visible]
1: "Inventory of Berlin"
3: "asset_id" "name" "zip" "price" "share" "bought" "seen" "ok" "error" "sum" "time"
4: "A-1" " Zoë " ="06083" `00000` ="EUR 1,299.50" `"EUR" #,##0.00` ="50.0%" `0.0%` @"2024-01-31" `dd/mm/yyyy` @"2024-01-31 14:30:00" `yyyy-mm-dd h:mm:ss` ?"TRUE" !"#N/A" ~"" "14:30:00" `h:mm:ss`
5: "00042" "line1\nline2" ="00012" `00000` ="-EUR 3.00" `"EUR" #,##0.00` ="12.5%" `0.0%` @"1999-12-31" `dd/mm/yyyy` @"2000-02-29 00:00:01" `yyyy-mm-dd h:mm:ss` ?"FALSE" !"#DIV/0!" ~"" "00:00:00" `h:mm:ss`
9: "" "last"
[Lists Hidden]
1: "a" "b"
[Empty Visible]
"###;

const LIBREOFFICE: &str = r###"[Assets Visible]
1: "Inventory of Berlin"
3: "asset_id" "name" "zip" "price" "share" "bought" "seen" "ok" "error" "sum" "time"
4: "A-1" " Zoë " ="06083" `00000` ="EUR 1,299.50" `"EUR "#,##0.00` ="50.0%" `0.0%` @"2024-01-31" `dd/mm/yyyy` @"2024-01-31 14:30:00" `yyyy\-mm\-dd\ h:mm:ss` ?"TRUE" !"#N/A" ="2" "14:30:00" `h:mm:ss`
5: "00042" "line1\nline2" ="00012" `00000` ="-EUR 3.00" `"EUR "#,##0.00` ="12.5%" `0.0%` @"1999-12-31" `dd/mm/yyyy` @"2000-02-29 00:00:01" `yyyy\-mm\-dd\ h:mm:ss` ?"FALSE" !"#DIV/0!" "A-1" "00:00:00" `h:mm:ss`
9: "" "last"
[Lists Hidden]
1: "a" "b"
[Empty Visible]
"###;

const ODS: &str = r###"[Assets Visible]
1: "Inventory of Berlin"
3: "asset_id" "name" "zip" "price" "share" "bought" "seen" "ok" "error" "sum" "time"
4: "A-1" " Zoë " ="06083" `00000` ="EUR 1,299.50" `"EUR" #,##0.00` ="50.0%" `0.0%` @"2024-01-31" `dd/mm/yyyy` @"2024-01-31 14:30:00" `yyyy-mm-dd h:mm:ss` ?"TRUE" !"#N/A" ="2" "14:30:00" `h:mm:ss`
5: "00042" "line1\nline2" ="00012" `00000` ="-EUR 3.00" `"EUR" #,##0.00` ="12.5%" `0.0%` @"1999-12-31" `dd/mm/yyyy` @"2000-02-29 00:00:01" `yyyy-mm-dd h:mm:ss` ?"FALSE" !"#DIV/0!" "A-1" "00:00:00" `h:mm:ss`
9: "" "last"
[Lists Hidden]
1: "a" "b"
[Empty Visible]
"###;

#[test]
fn workbooks_of_openpyxl_and_libreoffice_read_as_they_show() {
    assert_eq!(dump_of(&fixture("openpyxl.xlsx")), OPENPYXL);
    assert_eq!(dump_of(&fixture("libreoffice.xlsx")), LIBREOFFICE);
    assert_eq!(dump_of(&fixture("libreoffice.xls")), LIBREOFFICE);
    assert_eq!(dump_of(&fixture("libreoffice.ods")), ODS);
    assert_eq!(dump_of(&fixture("epoch1904.xlsx")), "[Sheet Visible]\n1: @\"2024-01-31\" `d-mmm-yy`\n");
    let xlwt = dump_of(&fixture("xlwt.xls"));
    assert!(xlwt.contains("4: \"A-1\" \" Zoë \" =\"06083\" `00000` =\"EUR 1,299.50\""), "{xlwt}");
}

#[test]
fn a_sheet_can_be_read_again_from_the_top() {
    let mut workbook = open(&fixture("openpyxl.xlsx")).unwrap();
    let first: Vec<_> = workbook.first_rows(0, 2).unwrap().iter().map(|row| row.number).collect();
    assert_eq!(first, [1, 3]);
    assert_eq!(dump(&mut workbook).unwrap(), OPENPYXL);
    assert_eq!(dump(&mut workbook).unwrap(), OPENPYXL);
}

#[test]
fn kinds_go_by_content_whatever_the_name() {
    let kind = |name: &str, bytes: &[u8]| {
        let (_folder, path) = file(name, bytes);
        open(&path).unwrap().kind()
    };
    let bytes = |name: &str| std::fs::read(fixture(name)).unwrap();
    assert_eq!(kind("a.xlsx", &bytes("xlwt.xls")), FileKind::Xls);
    assert_eq!(kind("a.csv", &bytes("openpyxl.xlsx")), FileKind::Xlsx);
    assert_eq!(kind("a.xls", &bytes("libreoffice.ods")), FileKind::Ods);
    assert_eq!(kind("a.xlsx", b"a,b\n1,2\n"), FileKind::Csv);
    assert_eq!(kind("a.csv", b"{\"a\": 1}\n"), FileKind::Jsonl);
}

#[test]
fn unicode_text_of_excel_tells_how_it_was_read() {
    let text = "asset_id\tname\r\nA-1\tZoë\r\n";
    let bytes: Vec<u8> = [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let (_folder, path) = file("a.txt", &bytes);
    let mut workbook = open(&path).unwrap();
    let decoding = *workbook.decoding().unwrap();
    assert_eq!((decoding.delimiter.to_string(), decoding.encoding.to_string()), ("tab".into(), "UTF-16".into()));
    assert_eq!(dump(&mut workbook).unwrap(), "[ Visible]\n1: \"asset_id\" \"name\"\n2: \"A-1\" \"Zoë\"\n");
}

#[test]
fn the_users_word_on_delimiter_and_encoding_counts() {
    let (_folder, path) = file("a.csv", b"a;b,c\nZ\x9F;2,3\n");
    let options = ReadOptions { delimiter: Delimiter::parse(";"), encoding: Encoding::parse("mac roman") };
    let mut workbook = Workbook::open(&Input::Path(path), &options).unwrap();
    assert_eq!(dump(&mut workbook).unwrap(), "[ Visible]\n1: \"a\" \"b,c\"\n2: \"Zü\" \"2,3\"\n");
}

#[test]
fn a_zip_with_a_password_is_told() {
    let mut bytes = package(&[("xl/workbook.xml", b"<workbook/>")]);
    let entry = bytes.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    bytes[entry + 8] |= 1;
    assert!(matches!(fault(&bytes), ReadFault::Password));
}

#[test]
fn cells_out_of_order_and_without_address_find_their_place() {
    let bytes = xlsx(
        "<row r=\"2\"><c r=\"C2\"><v>3</v></c><c r=\"A2\"><v>1</v></c><c r=\"C2\"><v>4</v></c></row>\
         <row><c t=\"inlineStr\"><is><t>x</t></is></c><c t=\"b\"><v>1</v></c></row>",
        ">",
    );
    assert_eq!(read(&bytes).unwrap(), "[S Visible]\n2: =\"1\" \"\" =\"4\"\n3: \"x\" ?\"TRUE\"\n");
}

#[test]
fn odd_cells_are_told_apart() {
    let bytes = xlsx(
        "<row r=\"1\"><c r=\"A1\"><f>1+1</f></c><c r=\"B1\" t=\"e\"><v>#SPILL!</v></c><c r=\"C1\" t=\"s\"><v>1</v></c>\
         <c r=\"D1\" t=\"d\"><v>2024-01-31T00:00:00</v></c><c r=\"E1\" t=\"str\"><f>\"\"</f><v></v></c>\
         <c r=\"F1\"><v>6.37702123456789E+15</v></c><c r=\"G1\"><f>A1</f><v/></c><c r=\"H1\" t=\"e\"><v>#REF!</v></c></row>",
        "uniqueCount=\"2\"><si><t>no</t></si><si><r><t>Zo</t></r><r><t xml:space=\"preserve\">ë </t></r><rPh><t>x</t></rPh></si>",
    );
    assert_eq!(
        read(&bytes).unwrap(),
        "[S Visible]\n1: ~\"\" !\"#SPILL!\" \"Zoë \" @\"2024-01-31\" \"\" =\"6377021234567890\" ~\"\" !\"#REF!\"\n"
    );
}

#[test]
fn blanks_between_the_runs_of_a_text_are_kept() {
    let bytes = xlsx(
        "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c><c r=\"C1\" t=\"inlineStr\"><is>\
         <r><t>hello</t></r><r><t> </t></r><r><t>world</t></r></is></c><c r=\"D1\" t=\"s\"><v>0</v></c></row>",
        "uniqueCount=\"2\"><si><r><t>MacBook</t></r><r><t> </t></r><r><t>Pro &amp; 14</t></r></si>\
         <si><t>MacBookPro &amp; 14</t></si>",
    );
    assert_eq!(
        read(&bytes).unwrap(),
        "[S Visible]\n1: \"MacBook Pro & 14\" \"MacBookPro & 14\" \"hello world\" \"MacBook Pro & 14\"\n"
    );
}

#[test]
fn two_cells_at_the_corners_cost_nothing() {
    let bytes = xlsx(
        "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>2</v></c></row>",
        ">",
    );
    let (_folder, path) = file("a.xlsx", &bytes);
    let rows = open(&path).unwrap().first_rows(0, 9).unwrap();
    assert_eq!((rows[1].number, rows[1].len(), rows[1].cell(16_383).text), (1_048_576, 16_384, "2"));
}

#[test]
fn damaged_cells_name_their_row() {
    let error = read(&xlsx(
        "<row r=\"6\"><c r=\"A6\"><v>1</v></c></row><row r=\"7\"><c r=\"A7\" t=\"s\"><v>9</v></c></row>",
        ">",
    ));
    let error = error.unwrap_err();
    assert_eq!((error.sheet.as_deref(), error.row), (Some("S"), Some(7)));
    assert!(matches!(error.fault, ReadFault::Damaged { .. }), "{error:?}");
    assert!(matches!(fault(&xlsx("<row r=\"1\"><c r=\"XFE1\"><v>1</v></c></row>", ">")), ReadFault::Damaged { .. }));
    assert!(matches!(fault(&xlsx("<row r=\"1\"><c r=\"A1\"><v>1</v>", ">")), ReadFault::Damaged { .. }));
}

#[test]
fn claims_beyond_memory_are_refused() {
    // A count of texts is not believed.
    let strings = xlsx("<row><c t=\"s\"><v>0</v></c></row>", "uniqueCount=\"4000000000000\"><si><t>x</t></si>");
    assert_eq!(read(&strings).unwrap(), "[S Visible]\n1: \"x\"\n");
    // The size in the table of contents is what counts, and what the zip crate holds the part to.
    let mut bomb = package(&[("xl/workbook.xml", b"<workbook/>")]);
    let entry = bomb.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    bomb[entry + 24..entry + 28].copy_from_slice(&(1u32 << 30).to_le_bytes());
    assert!(matches!(fault(&bomb), ReadFault::Bloated));
}

#[test]
fn one_long_string_in_every_cell_is_refused() {
    let cells: String = (0..16_000).map(|_| "<c t=\"s\"><v>0</v></c>").collect();
    let strings = format!("uniqueCount=\"1\"><si><t>{}</t></si>", "x".repeat(32_000));
    assert!(matches!(fault(&xlsx(&format!("<row>{cells}</row>"), &strings)), ReadFault::TooLarge { .. }));
}

#[test]
fn other_zip_files_are_named() {
    let what = |parts: &[(&str, &[u8])]| match fault(&package(parts)) {
        ReadFault::Foreign { what, .. } => what,
        other => panic!("{other:?}"),
    };
    let word = b"<Types><Override ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>";
    assert_eq!(what(&[("[Content_Types].xml", word), ("word/document.xml", b"<x/>")]), "a Word document");
    assert_eq!(what(&[("assets.csv", b"a,b\n")]), "a zip archive");
    assert_eq!(what(&[("Index/Document.iwa", b"x")]), "an Apple Numbers document");
    assert_eq!(
        what(&[("mimetype", b"application/vnd.oasis.opendocument.text")]),
        "an OpenDocument file of another kind"
    );
}

#[test]
fn an_encrypted_workbook_asks_for_its_password_to_be_removed() {
    let mut container = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
    container.create_stream("/EncryptedPackage").unwrap().write_all(&[7; 5000]).unwrap();
    let bytes = container.into_inner().into_inner();
    let (_folder, path) = file("assets.xlsx", &bytes);
    let error = open(&path).unwrap_err();
    assert!(error.to_string().ends_with("assets.xlsx`: protected with a password"), "{error}");
}

#[test]
fn a_cut_off_zip_is_told() {
    let bytes = std::fs::read(fixture("libreoffice.xlsx")).unwrap();
    assert!(matches!(fault(&bytes[..bytes.len() / 2]), ReadFault::Truncated));
}

#[test]
fn charts_alone_are_no_table() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let mut chart = rust_xlsxwriter::Chart::new(rust_xlsxwriter::ChartType::Line);
    chart.add_series().set_values("Chart1!$A$1:$A$2");
    book.add_chartsheet().insert_chart(0, 0, &chart).unwrap();
    assert!(matches!(fault(&book.save_to_buffer().unwrap()), ReadFault::NoSheets));
}

#[test]
fn formatted_rows_without_content_are_passed_over() {
    let mut rows = String::new();
    (2..5_000).for_each(|row| {
        write!(rows, "<row r=\"{row}\"><c r=\"A{row}\" s=\"0\"/><c r=\"B{row}\" s=\"0\"/></row>").unwrap()
    });
    let bytes = xlsx(&format!("<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>{rows}"), ">");
    assert_eq!(read(&bytes).unwrap(), "[S Visible]\n1: =\"1\"\n");
}

#[test]
fn an_opendocument_part_that_ends_early_does_not_hang() {
    let manifest = b"<manifest:manifest></manifest:manifest>";
    let content = b"<o:d><table:table table:name=\"A\"><table:table-row>";
    let bytes = package(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", manifest),
        ("content.xml", content),
    ]);
    assert!(matches!(fault(&bytes), ReadFault::Truncated));
    let locked = b"<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>";
    let bytes =
        package(&[("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), ("META-INF/manifest.xml", locked)]);
    assert!(matches!(fault(&bytes), ReadFault::Password));
}

/// A record of .xlsb with a number below 128, or above.
fn brt(kind: u16, data: &[u8]) -> Vec<u8> {
    let kind = if kind < 0x80 { vec![kind as u8] } else { vec![kind as u8 | 0x80, (kind >> 7) as u8] };
    [&kind[..], &[data.len() as u8], data].concat()
}

fn wide(text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [&(text.encode_utf16().count() as u32).to_le_bytes()[..], &units].concat()
}

fn xlsb() -> Vec<u8> {
    let sheet = [&[0; 8][..], &wide("rId1"), &wide("S")].concat();
    let book = [brt(0x9C, &sheet), brt(0x90, &[]), brt(0x9D, &[])].concat();
    let cell = |column: u32, rest: &[u8]| [&column.to_le_bytes()[..], &[0; 4], rest].concat();
    let cells = [
        brt(0x81, &[]),
        brt(0x94, &[0; 16]),
        brt(0x91, &[]),
        brt(0x00, &[0; 17]),
        brt(0x06, &cell(0, &wide("x"))),
        brt(0x05, &cell(1, &1299.5f64.to_le_bytes())),
        brt(0x0B, &cell(2, &[0x2A, 0, 0])),
        brt(0x04, &cell(3, &[1])),
        brt(0x0B, &cell(4, &[0x07, 0, 0])),
        brt(0x92, &[]),
    ]
    .concat();
    let types = b"<Types><Override ContentType=\"application/vnd.ms-excel.sheet.binary.macroEnabled.main\"/></Types>";
    let relations = b"<Relationships><Relationship Id=\"rId1\" Target=\"worksheets/sheet1.bin\"/></Relationships>";
    package(&[
        ("[Content_Types].xml", types),
        ("xl/workbook.bin", &book),
        ("xl/_rels/workbook.bin.rels", relations),
        ("xl/worksheets/sheet1.bin", &cells),
    ])
}

#[test]
fn binary_workbooks_keep_errors_of_formulas() {
    assert_eq!(read(&xlsb()).unwrap(), "[S Visible]\n1: \"x\" =\"1299.5\" !\"#N/A\" ?\"TRUE\" !\"#DIV/0!\"\n");
}

#[test]
fn formats_of_rust_xlsxwriter_are_honoured() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_with_format(0, 0, 6083, &Format::new().set_num_format("00000")).unwrap();
    sheet.write_with_format(0, 1, 45322.25, &Format::new().set_num_format("yyyy-mm-dd hh:mm")).unwrap();
    sheet.write_formula(0, 2, Formula::new("=1+1").set_result("2")).unwrap();
    sheet.write(4, 0, "0012").unwrap();
    assert_eq!(
        read(&book.save_to_buffer().unwrap()).unwrap(),
        "[Sheet1 Visible]\n1: =\"06083\" `00000` @\"2024-01-31 06:00:00\" `yyyy-mm-dd hh:mm` =\"2\"\n5: \"0012\"\n"
    );
}

/// Cells as they come in a table of text, some of them blank.
fn texts() -> impl Strategy<Value = Vec<Vec<String>>> {
    prop::collection::vec(prop::collection::vec("[a-zäß€0-9 =<>&\"'_-]{0,6}", 1..6), 1..12)
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn any_text_written_as_xlsx_comes_back_the_same(table in texts()) {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (row, cells) in table.iter().enumerate() {
            for (column, text) in cells.iter().enumerate() {
                sheet.write_string(row as u32, column as u16, text).unwrap();
            }
        }
        let (_folder, path) = file("a.xlsx", &book.save_to_buffer().unwrap());
        let rows = open(&path).unwrap().first_rows(0, 99).unwrap();
        let is_blank = |cells: &&(u64, Vec<String>)| cells.1.iter().all(|cell| crate::table::is_blank(cell));
        let written: Vec<_> = (1u64..).zip(table).filter(|cells| !is_blank(&cells)).collect();
        prop_assert_eq!(rows.len(), written.len());
        for (row, (number, cells)) in rows.iter().zip(&written) {
            prop_assert_eq!(row.number, *number);
            for (column, text) in cells.iter().enumerate() {
                let shown = row.cell_with_apostrophe(column).unwrap_or(row.cell(column));
                prop_assert_eq!(shown.text, text.as_str());
            }
        }
    }

    #[test]
    fn mutated_files_end_in_rows_or_one_error(
        name in prop::sample::select(vec![
            "openpyxl.xlsx", "libreoffice.xlsx", "xlwt.xls", "libreoffice.xls", "libreoffice.ods", "",
        ]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = if name.is_empty() { xlsb() } else { std::fs::read(fixture(name)).unwrap() };
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = read(&bytes);
    }

    /// Beyond the checksums of the zip: the parts themselves are damaged.
    #[test]
    fn mutated_parts_end_in_rows_or_one_error(
        name in prop::sample::select(vec!["openpyxl.xlsx", "libreoffice.xlsx", "libreoffice.ods", ""]),
        part in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let bytes = if name.is_empty() { xlsb() } else { std::fs::read(fixture(name)).unwrap() };
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let mut parts = Vec::new();
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            parts.push((entry.name().unwrap().into_owned(), content));
        }
        let chosen = part.index(parts.len());
        let content = &mut parts[chosen].1;
        for (at, byte) in flips {
            if !content.is_empty() {
                let at = at.index(content.len());
                content[at] = byte;
            }
        }
        let parts: Vec<_> = parts.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
        let _ = read(&package(&parts));
    }
}
