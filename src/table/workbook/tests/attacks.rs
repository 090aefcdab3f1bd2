//! Small files that ask for all the memory and time there is, or lead a check past what is read.

use super::*;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";
const TYPES: &str = "<Types><Override PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/></Types>";

fn relation(id: &str, kind: &str, target: &str) -> String {
    format!("<Relationship Id=\"{id}\" Type=\"http://x/relationships/{kind}\" Target=\"{target}\"/>")
}

fn relations(inner: &str) -> String {
    format!("{HEAD}<Relationships>{inner}</Relationships>")
}

/// The parts of an .xlsx file with these sheets, by name and relation's target.
fn parts_of(sheets: &[(String, String)]) -> Vec<(String, String)> {
    let (mut tabs, mut targets) = (String::new(), String::new());
    for (index, (name, target)) in sheets.iter().enumerate() {
        write!(tabs, "<sheet name=\"{name}\" sheetId=\"{index}\" r:id=\"rId{index}\"/>").unwrap();
        targets.push_str(&relation(&format!("rId{index}"), "worksheet", target));
    }
    let book = format!("{HEAD}<workbook><sheets>{tabs}</sheets></workbook>");
    vec![
        ("[Content_Types].xml".into(), TYPES.into()),
        ("_rels/.rels".into(), relations(&relation("rId1", "officeDocument", "xl/workbook.xml"))),
        ("xl/workbook.xml".into(), book),
        ("xl/_rels/workbook.xml.rels".into(), relations(&targets)),
    ]
}

fn sheet_of(text: &str) -> String {
    format!(
        "{HEAD}<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>{text}</t></is></c></row></sheetData></worksheet>"
    )
}

/// Packed as well as deflate can.
fn packed(parts: &[(String, String)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, content) in parts {
        zip.start_file(name.as_str(), options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn one_sheet(extra: &[(&str, String)]) -> Vec<u8> {
    let mut parts = parts_of(&[("S".into(), "worksheets/sheet1.xml".into())]);
    parts.push(("xl/worksheets/sheet1.xml".into(), sheet_of("read")));
    parts.extend(extra.iter().map(|(name, content)| ((*name).to_owned(), content.clone())));
    packed(&parts)
}

fn with_styles(styles: String, cells: &str) -> Vec<u8> {
    let mut parts = parts_of(&[("S".into(), "worksheets/sheet1.xml".into())]);
    parts.push(("xl/worksheets/sheet1.xml".into(), format!("<worksheet><sheetData>{cells}</sheetData></worksheet>")));
    parts.push(("xl/styles.xml".into(), format!("<styleSheet>{styles}</styleSheet>")));
    packed(&parts)
}

fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<office:d><table:table table:name=\"S\"><table:table-row><table:table-cell office:value-type=\"string\">\
         <text:p>a</text:p></table:table-cell></table:table-row>{rows}</table:table></office:d>"
    );
    packed(&[
        ("mimetype".into(), "application/vnd.oasis.opendocument.spreadsheet".into()),
        ("META-INF/manifest.xml".into(), "<manifest:manifest/>".into()),
        ("content.xml".into(), content),
    ])
}

fn ods_cell(attributes: &str, inside: &str) -> String {
    format!("<table:table-cell office:value-type=\"string\" {attributes}>{inside}</table:table-cell>")
}

#[test]
fn a_long_number_format_is_read_as_general() {
    for (length, shown) in [(255, format!("{:0>255}", 7)), (256, String::from("7"))] {
        let styles = format!(
            "<numFmts><numFmt numFmtId=\"170\" formatCode=\"{}\"/></numFmts><cellXfs>{}</cellXfs>",
            "0".repeat(length),
            "<xf numFmtId=\"170\"/>".repeat(5_000)
        );
        let text = read(&with_styles(styles, "<row><c s=\"4999\"><v>7</v></c></row>")).unwrap();
        assert!(text.contains(&format!("=\"{shown}\"")), "{text}");
    }
}

#[test]
fn styles_and_formats_without_end_are_refused() {
    let styles = format!("<cellXfs>{}</cellXfs>", "<xf numFmtId=\"1\"/>".repeat(100_001));
    assert!(matches!(fault(&with_styles(styles, "")), ReadFault::TooLarge { .. }));
    let formats: String =
        (0..2_001).map(|id| format!("<numFmt numFmtId=\"{}\" formatCode=\"0&quot;{id}&quot;\"/>", id + 164)).collect();
    assert!(matches!(fault(&with_styles(format!("<numFmts>{formats}</numFmts>"), "")), ReadFault::TooLarge { .. }));
}

#[test]
fn two_parts_with_one_name_are_refused() {
    let other = sheet_of("other");
    for name in [
        "XL/Worksheets/Sheet1.xml", "xl\\worksheets\\sheet1.xml", "xl/worksheets/sheet%31.xml",
        "/xl/./worksheets/x/../sheet1.xml",
    ] {
        let fault = fault(&one_sheet(&[(name, other.clone())]));
        assert!(matches!(&fault, ReadFault::Damaged { detail } if detail.contains("same name")), "{name}: {fault:?}");
    }
    assert_eq!(read(&one_sheet(&[("xl/worksheets/sheet2.xml", other)])).unwrap(), "[S Visible]\n1: \"read\"\n");
}

#[test]
fn two_workbooks_are_refused() {
    let mut parts = parts_of(&[("S".into(), "worksheets/sheet1.xml".into())]);
    let two =
        relation("rId1", "officeDocument", "xl/workbook.xml") + &relation("rId2", "officeDocument", "y/workbook.xml");
    parts[1].1 = relations(&two);
    parts.push(("xl/worksheets/sheet1.xml".into(), sheet_of("read")));
    let fault = fault(&packed(&parts));
    assert!(matches!(&fault, ReadFault::Damaged { detail } if detail.contains("two workbooks")), "{fault:?}");
}

#[test]
fn many_sheets_and_sheets_on_one_part_are_refused() {
    let sheets = |count: usize| -> Vec<_> {
        (0..count).map(|index| (format!("S{index}"), format!("worksheets/sheet{index}.xml"))).collect()
    };
    assert!(matches!(fault(&packed(&parts_of(&sheets(1_001)))), ReadFault::TooLarge { .. }));
    let mut parts = parts_of(&sheets(300));
    parts.extend((0..300).map(|index| (format!("xl/worksheets/sheet{index}.xml"), sheet_of("x"))));
    assert!(read(&packed(&parts)).unwrap().ends_with("[S299 Visible]\n1: \"x\"\n"));
    let twice = [("A".into(), "worksheets/sheet1.xml".into()), ("B".into(), "../xl/worksheets/./Sheet1.xml".into())];
    let mut parts = parts_of(&twice);
    parts.push(("xl/worksheets/sheet1.xml".into(), sheet_of("x")));
    let fault = fault(&packed(&parts));
    assert!(matches!(&fault, ReadFault::Damaged { detail } if detail.contains("same part")), "{fault:?}");
}

#[test]
fn what_unpacks_to_a_hundred_times_its_size_is_refused() {
    let blank = " ".repeat(60 * 1024 * 1024);
    assert!(matches!(fault(&one_sheet(&[("xl/sharedStrings.xml", blank)])), ReadFault::Bloated));
}

#[test]
fn repeated_cells_are_counted_while_they_are_handed_out() {
    let row = |repeats: u32, cells: &str| {
        format!("<table:table-row table:number-rows-repeated=\"{repeats}\">{cells}</table:table-row>")
    };
    let wide = ods_cell("table:number-columns-repeated=\"16384\"", "<text:p>x</text:p>");
    let blank = "<table:table-cell table:number-columns-repeated=\"16384\"/>";
    let long = ods_cell("", "<text:p><text:s text:c=\"4000000\"/>x</text:p>");
    for (rows, is_refused) in [
        (row(1_048_576, &wide), true),
        (row(1, &wide).repeat(300), true),
        (row(1_048_576, blank), false),
        (row(1, &ods_cell("", "<text:p><text:s text:c=\"2000000000\"/></text:p>")), true),
        (row(1, &ods_cell("", "<text:p><text:s text:c=\"99999999999999999999999\"/></text:p>")), true),
        (row(1, &long).repeat(30), true),
        (row(1, &long), false),
        (row(1, &ods_cell("", "<text:p>a<text:s text:c=\"3\"/>b</text:p>")), false),
    ] {
        let fault = read(&ods(&rows)).err().map(|error| error.fault);
        let is_limit = matches!(fault, Some(ReadFault::TooLarge { .. } | ReadFault::Bloated));
        assert_eq!(is_limit, is_refused, "{fault:?} {}", &rows[..rows.len().min(200)]);
    }
    // A cell at the far corner costs no more than itself.
    let far = row(1_048_574, blank) + &row(1, &format!("{}{wide}", blank.replace("16384", "16383")));
    assert!(read(&ods(&far)).unwrap().contains("1048576: "));
}

#[test]
fn declared_document_types_are_refused() {
    let parts = [
        ("mimetype".to_owned(), "application/vnd.oasis.opendocument.spreadsheet".to_owned()),
        ("content.xml".to_owned(), "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><o:d/>".to_owned()),
    ];
    assert!(matches!(fault(&packed(&parts)), ReadFault::Damaged { .. }));
}

#[test]
fn lines_of_json_may_not_multiply_their_keys() {
    let keys: Vec<String> = (0..16_000).map(|key| format!("\"k{key}\":1")).collect();
    let wide = format!("{{{}}}\n", keys.join(","));
    assert!(matches!(fault((wide.clone() + &"{\"k15999\":1}\n".repeat(4_000)).as_bytes()), ReadFault::TooLarge { .. }));
    assert!(read((wide + &"{}\n".repeat(4_000)).as_bytes()).is_ok());
}

/// Records of .xls: number and content.
fn biff(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
}

/// An .xls file whose sheets, as many as `tabs`, all begin at `start` bytes behind the workbook's records.
fn xls(shared: &[Vec<u8>], tabs: usize, start: impl Fn(usize) -> usize, cells: &[u8]) -> Vec<u8> {
    let bof = biff(0x0809, &[0, 6, 5, 0]);
    let tab = |at: usize| biff(0x85, &[&(at as u32).to_le_bytes()[..], &[0, 0, 1, 0, b'S']].concat());
    let len = bof.len() + tabs * tab(0).len() + shared.concat().len() + 4;
    let tabs: Vec<u8> = (0..tabs).flat_map(|index| tab(len + start(index))).collect();
    let stream = [&bof[..], &tabs, &shared.concat(), &biff(0x0A, &[]), &bof, cells, &biff(0x0A, &[])].concat();
    let mut container = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
    container.create_stream("/Workbook").unwrap().write_all(&stream).unwrap();
    container.into_inner().into_inner()
}

fn number(row: u16, column: u16) -> Vec<u8> {
    biff(0x203, &[&[row, column, 0].map(u16::to_le_bytes).concat()[..], &7f64.to_le_bytes()].concat())
}

fn shared_label(row: u16) -> Vec<u8> {
    biff(0xFD, &[&[row, 0, 0].map(u16::to_le_bytes).concat()[..], &0u32.to_le_bytes()].concat())
}

#[test]
fn old_workbooks_cost_no_more_than_they_hold() {
    let far = [number(0, 0), number(65_535, 255)].concat();
    assert!(read(&xls(&[], 1, |_| 0, &far)).unwrap().contains("65536: "));
    // One text of 32,000 letters in each row.
    let text = [&[0; 8][..], &8_000u16.to_le_bytes(), &[0], &[b'x'; 8_000]].concat();
    let labels: Vec<u8> = (0..20_000).flat_map(shared_label).collect();
    assert!(matches!(fault(&xls(&[biff(0xFC, &text)], 1, |_| 0, &labels)), ReadFault::TooLarge { .. }));
    let lie = [&[0xFF; 8][..], &[0xFF, 0xFF, 0]].concat();
    assert!(matches!(fault(&xls(&[biff(0xFC, &lie)], 1, |_| 0, &shared_label(0))), ReadFault::Damaged { .. }));
    let cells: Vec<u8> = (0..1_000).flat_map(|row| number(row, 0)).collect();
    assert!(matches!(fault(&xls(&[], 50, |_| 0, &cells)), ReadFault::Damaged { .. }), "sheets that overlap");
    assert!(matches!(fault(&xls(&[], 50, |tab| 8 + 18 * tab, &cells)), ReadFault::Damaged { .. }));
    assert!(matches!(fault(&xls(&[], 2_000, |_| 0, &[])), ReadFault::TooLarge { .. } | ReadFault::Damaged { .. }));
}

#[test]
fn a_record_that_claims_more_than_there_is_is_refused() {
    let bytes = xlsb();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut parts = Vec::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        parts.push((entry.name().unwrap().into_owned(), content));
    }
    for part in ["xl/workbook.bin", "xl/worksheets/sheet1.bin"] {
        let mut parts = parts.clone();
        let (_, content) = parts.iter_mut().find(|(name, _)| name == part).unwrap();
        // 256 MB, in the four bytes that a length may have.
        content.splice(..0, [0x99, 0x01, 0xFF, 0xFF, 0xFF, 0x7F]);
        let parts: Vec<_> = parts.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
        assert!(matches!(fault(&package(&parts)), ReadFault::Bloated), "{part}");
    }
}
