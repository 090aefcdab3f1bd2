//! calamine, a reader of its own making, beside ours: both find the same cells in every workbook at hand and in generated
//! ones that hold whatever the format allows.

use calamine::{Data, ExcelDateTime, Reader as _};
use fastrand::Rng;
use jiff::civil::{DateTime, date};

use super::*;
use crate::fuzz::few_or_all;

/// Row and column from 0, and the kind and value of a cell, of every sheet.
type Cells = Vec<Vec<(u32, u32, String)>>;

fn own_cells(bytes: &[u8]) -> Result<Cells, ReadError> {
    let (_folder, path) = file("file", bytes);
    let mut workbook = open(&path)?;
    let mut sheets = Vec::new();
    for sheet in 0..workbook.sheets().len() {
        let mut cells = Vec::new();
        workbook.each_row(sheet, &mut |row| {
            for (column, cell) in row.cells().enumerate() {
                let value = match cell.value {
                    // Blanks are of no interest, and formulas without a result blanks for calamine.
                    Value::Blank | Value::Structure | Value::Unevaluated => continue,
                    Value::Text => format!("text {:?}", cell.text),
                    Value::Number(number) => format!("number {number:?}"),
                    Value::Boolean(boolean) => format!("boolean {boolean}"),
                    Value::Date(at) => format!("date {at}"),
                    Value::Error => format!("error {}", cell.text),
                };
                cells.push((row.number as u32 - 1, column as u32, value));
            }
            ControlFlow::Continue(())
        })?;
        sheets.push(cells);
    }
    Ok(sheets)
}

fn calamines_cells(bytes: &[u8]) -> Cells {
    let mut book = calamine::open_workbook_auto_from_rs(std::io::Cursor::new(bytes.to_vec())).unwrap();
    let worksheets = book.sheets_metadata().iter().filter(|sheet| sheet.typ == calamine::SheetType::WorkSheet);
    let names: Vec<String> = worksheets.map(|sheet| sheet.name.clone()).collect();
    let mut sheets = Vec::new();
    for name in names {
        let range = book.worksheet_range(&name).unwrap();
        let (first_row, first_column) = range.start().unwrap_or_default();
        let cells = range.used_cells().filter_map(|(row, column, data)| {
            Some((first_row + row as u32, first_column + column as u32, value_of(data)?))
        });
        sheets.push(cells.collect());
    }
    sheets
}

fn value_of(data: &Data) -> Option<String> {
    Some(match data {
        Data::Empty => return None,
        Data::String(text) if crate::table::is_blank(text) => return None,
        Data::String(text) => format!("text {text:?}"),
        Data::Float(number) => format!("number {number:?}"),
        Data::Int(number) => format!("number {:?}", *number as f64),
        Data::Bool(boolean) => format!("boolean {boolean}"),
        Data::Error(error) => format!("error {error}"),
        Data::DateTime(at) => time_of(at),
        Data::DateTimeIso(iso) => format!("date {}", iso.parse::<DateTime>().unwrap()),
        Data::DurationIso(iso) => format!("text {iso:?}"),
    })
}

/// Spans and times of day are texts for us.
fn time_of(at: &ExcelDateTime) -> String {
    if at.is_duration() || at.as_f64() < 1.0 {
        let seconds = (at.as_f64() * 86_400.0).round() as u64;
        return format!("text \"{:02}:{:02}:{:02}\"", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, millisecond) = at.to_ymd_hms_milli();
    let date = date(year as i16, month as i8, day as i8);
    format!("date {}", date.at(hour as i8, minute as i8, second as i8, i32::from(millisecond) * 1_000_000))
}

#[test]
fn every_workbook_at_hand_reads_the_same() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut compared = 0;
    for folder in ["samples", "tests/fixtures", "tests/fixtures/exports"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "xlsx") {
                let bytes = std::fs::read(&path).unwrap();
                assert_eq!(own_cells(&bytes).unwrap(), calamines_cells(&bytes), "{}", path.display());
                compared += 1;
            }
        }
    }
    assert!(compared >= 6, "{compared} workbooks");
}

#[test]
fn generated_workbooks_read_the_same() {
    let mut cells = 0;
    let workbooks = few_or_all(100, 500);
    for seed in 0..workbooks {
        let WorkbookPair { odd, usual } = WorkbookPair::generate(&mut Rng::with_seed(seed));
        let (own, calamines) = (own_cells(&odd), calamines_cells(&usual));
        assert_eq!(own.map_err(|error| error.to_string()), Ok(calamines), "seed {seed}");
        cells += own_cells(&usual).unwrap().concat().len();
    }
    assert!(cells as u64 > 20 * workbooks, "{cells} cells");
}

/// One workbook written twice: with encodings and names of parts that calamine does not know, and without.
struct WorkbookPair {
    odd: Vec<u8>,
    usual: Vec<u8>,
}

const PIECES: &[&str] = &[
    "Berlin", "Zoë", "東京", "R&amp;D", "&lt;b&gt;", "&#228;&#x20AC;", "a  b", "_x000D_", "_x005F_x000D_", "_xZZZZ_",
    "_xD83D__xDCF7_", "line\nline", "line\r\nline", "tab\tbed", "it's", "say &quot;hi&quot;", "1e5", "0042",
    "<!-- x -->", "\u{1F4F7}", "row", "&#13;",
];
const BETWEEN: &[&str] = &["", "", "", "", "\n", "\r\n    ", "<!-- <c r=\"A1\"><v>1</v></c> -->", "<?x y?>"];

/// How a workbook is written.
struct XmlSpelling {
    prefix: &'static str,
    quote: char,
    is_strict: bool,
    is_pretty: bool,
}

impl XmlSpelling {
    fn between(&self, random: &mut Rng) -> &'static str {
        if self.is_pretty { random.choice(BETWEEN).unwrap() } else { "" }
    }

    fn open(&self, name: &str, attributes: &[(&str, String)]) -> String {
        let XmlSpelling { prefix, quote, .. } = self;
        let attributes = attributes.iter().map(|(name, value)| format!(" {name}={quote}{value}{quote}"));
        format!("<{prefix}{name}{}>", attributes.collect::<String>())
    }

    fn element(&self, name: &str, attributes: &[(&str, String)], inside: &str) -> String {
        if inside.is_empty() && self.quote == '\'' {
            return self.open(name, attributes).replace('>', "/>");
        }
        format!("{}{inside}</{}{name}>", self.open(name, attributes), self.prefix)
    }

    fn main(&self) -> String {
        let namespace = match self.is_strict {
            true => "http://purl.oclc.org/ooxml/spreadsheetml/main",
            false => "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        };
        match self.prefix.strip_suffix(':') {
            Some(prefix) => format!("xmlns:{prefix}=\"{namespace}\""),
            None => format!("xmlns=\"{namespace}\""),
        }
    }
}

impl WorkbookPair {
    fn generate(random: &mut Rng) -> WorkbookPair {
        let spelling = XmlSpelling {
            prefix: random.choice(["", "", "x:"]).unwrap(),
            quote: random.choice(['"', '"', '\'']).unwrap(),
            is_strict: random.u8(..4) == 0,
            is_pretty: random.bool(),
        };
        let texts: Vec<String> = (0..random.usize(1..20)).map(|_| text(random, &spelling, "si")).collect();
        let sheet = sheet(random, &spelling, texts.len());
        let root = spelling.main();
        let XmlSpelling { prefix, is_strict, .. } = spelling;
        let strings = format!("<{prefix}sst {root}>{}</{prefix}sst>", texts.concat());
        let usual = parts(is_strict, &sheet, &strings);
        let encoding = random.u8(..6);
        let odd = usual.iter().map(|(name, content)| {
            let is_encoded = name.starts_with("xl/worksheets/") || name.contains("sharedStrings");
            let name = if encoding == 1 { name.replace('/', "\\") } else { name.clone() };
            (name, if is_encoded { encoded(content, encoding) } else { content.clone().into_bytes() })
        });
        let odd: Vec<(String, Vec<u8>)> = odd.collect();
        let odd: Vec<(&str, &[u8])> = odd.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
        let usual: Vec<_> = usual.iter().map(|(name, content)| (name.as_str(), content.as_bytes())).collect();
        WorkbookPair { odd: package(&odd), usual: package(&usual) }
    }
}

fn encoded(xml: &str, encoding: u8) -> Vec<u8> {
    let marked = || format!("\u{FEFF}{xml}");
    match encoding {
        2 => marked().encode_utf16().flat_map(u16::to_le_bytes).collect(),
        3 => marked().encode_utf16().flat_map(u16::to_be_bytes).collect(),
        4 => xml.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        5 => marked().into_bytes(),
        _ => xml.as_bytes().to_vec(),
    }
}

/// The parts of a workbook of one sheet.
fn parts(is_strict: bool, sheet: &str, strings: &str) -> Vec<(String, String)> {
    let office = match is_strict {
        true => "http://purl.oclc.org/ooxml/officeDocument/relationships",
        false => "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    };
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{office}/{kind}\" Target=\"{target}\"/>")
    };
    let package = "xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"";
    let relations = |inner: &str| format!("<Relationships {package}>{inner}</Relationships>");
    let inner = relation("rId1", "worksheet", "worksheets/sheet1.xml")
        + &relation("rId2", "sharedStrings", "sharedStrings.xml")
        + &relation("rId3", "styles", "styles.xml");
    let styles = "<styleSheet><numFmts><numFmt numFmtId=\"170\" formatCode=\"yyyy-mm-dd\"/></numFmts><cellXfs>\
                  <xf numFmtId=\"0\"/><xf numFmtId=\"170\"/><xf numFmtId=\"2\"/><xf numFmtId=\"46\"/></cellXfs></styleSheet>";
    let book = format!(
        "<workbook xmlns:r=\"{office}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    [
        ("[Content_Types].xml", "<Types>spreadsheetml.sheet.main+xml</Types>".to_owned()),
        ("_rels/.rels", relations(&relation("rId1", "officeDocument", "xl/workbook.xml"))),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", relations(&inner)),
        ("xl/styles.xml", styles.to_owned()),
        ("xl/sharedStrings.xml", strings.to_owned()),
        ("xl/worksheets/sheet1.xml", sheet.to_owned()),
    ]
    .map(|(name, content)| (name.to_owned(), content))
    .to_vec()
}

/// A text in one format or several, in an element of that name.
fn text(random: &mut Rng, spelling: &XmlSpelling, element: &str) -> String {
    let run = |random: &mut Rng, may_have_blanks: bool| {
        let is_preserved = random.bool();
        let mut letters: String = (0..random.u8(..4)).map(|_| *random.choice(PIECES).unwrap()).collect();
        if random.u8(..8) == 0 {
            letters = format!("<![CDATA[a <b> & {}]]>", random.u8(..));
        } else if is_preserved || may_have_blanks {
            letters = format!("{}{letters}{}", " ".repeat(random.usize(..3)), "\n".repeat(random.usize(..2)));
        }
        // calamine cuts off blanks that are written as entities too.
        let letters = if is_preserved { letters } else { letters.replace("&#13;", "").replace("_x000D_", "") };
        let space: &[_] = &[("xml:space", "preserve".to_owned())];
        spelling.element("t", if is_preserved { space } else { &[] }, &letters)
    };
    let phonetic = spelling.element("rPh", &[("sb", "0".into()), ("eb", "1".into())], &spelling.element("t", &[], "x"));
    let inside = match random.u8(..8) {
        // calamine cuts off the blanks at the ends of runs that do not ask to keep them.
        0 | 1 => (0..random.u8(1..4)).map(|_| spelling.element("r", &[], &run(random, false))).collect(),
        2 => run(random, true) + &phonetic + &spelling.element("phoneticPr", &[("fontId", "1".into())], ""),
        3 => String::new(),
        _ => run(random, true),
    };
    spelling.element(element, &[], &inside) + spelling.between(random)
}

fn sheet(random: &mut Rng, spelling: &XmlSpelling, texts: usize) -> String {
    let mut rows = String::new();
    let mut number = 0;
    for _ in 0..random.u8(1..12) {
        let is_numbered = random.u8(..4) > 0;
        number += if is_numbered { random.u32(1..4) } else { 1 };
        let cells = cells(random, spelling, number, texts);
        let mut attributes = vec![("spans", "1:9".to_owned())];
        if is_numbered {
            attributes.push(("r", number.to_string()));
        }
        if random.u8(..6) == 0 {
            attributes.push(("hidden", "1".to_owned()));
        }
        random.shuffle(&mut attributes);
        rows += &(spelling.element("row", &attributes, &cells) + spelling.between(random));
    }
    let dimension = ["", "A1", "A1:C3", "B2:XFD1048576"][random.usize(..4)];
    let dimension = match dimension {
        "" => String::new(),
        area => spelling.element("dimension", &[("ref", area.to_owned())], ""),
    };
    let merged = spelling.element("mergeCells", &[], &spelling.element("mergeCell", &[("ref", "A1:B2".into())], ""));
    let XmlSpelling { prefix, .. } = spelling;
    let (root, data) = (spelling.main(), spelling.element("sheetData", &[], &rows));
    format!("<?xml version=\"1.0\"?>\n<{prefix}worksheet {root}>{dimension}{data}{merged}</{prefix}worksheet>")
}

fn cells(random: &mut Rng, spelling: &XmlSpelling, row: u32, texts: usize) -> String {
    let mut cells = String::new();
    let mut column = 0;
    for _ in 0..random.u8(..12) {
        let is_placed = random.u8(..5) > 0;
        column += if is_placed { random.u32(..3) } else { 0 };
        let mut attributes = Vec::new();
        if is_placed {
            attributes.push(("r", format!("{}{row}", crate::table::ColumnName(column))));
        }
        column += 1;
        let (kind, style, inside) = value(random, spelling, texts);
        attributes.extend(kind.map(|kind| ("t", kind.to_owned())));
        attributes.extend(style.map(|style| ("s", style.to_string())));
        if random.u8(..10) == 0 {
            attributes.push(("cm", "1".to_owned()));
        }
        random.shuffle(&mut attributes);
        cells += &(spelling.element("c", &attributes, &inside) + spelling.between(random));
    }
    cells
}

/// A cell's kind, its style, and what stands in it.
fn value(random: &mut Rng, spelling: &XmlSpelling, texts: usize) -> (Option<&'static str>, Option<u8>, String) {
    let stored = |text: &str| spelling.element("v", &[], text);
    let formula = spelling.element("f", &[], "A1&amp;\"&lt;v&gt;\"");
    let number = match random.u8(..4) {
        0 => random.u32(100..60_000).to_string(),
        1 => format!("{}.{}", random.u32(100..9_999), random.u32(..99)),
        2 => format!("{}E+2", random.u32(10..99)),
        _ => (f64::from(random.u32(100..9_999_999)) / 333.0).to_string(),
    };
    let style = *random.choice(&[None, None, Some(0), Some(1), Some(2), Some(3), Some(200)]).unwrap();
    match random.u8(..14) {
        0 => (None, style, String::new()),
        1 => (None, style, formula),
        2 => (None, style, formula + &stored(&number)),
        3 => (Some("str"), None, formula + &stored(random.choice(PIECES).unwrap())),
        4 => (Some("str"), None, stored(random.choice(&["", "  ", "a ", "1"]).unwrap())),
        5 => (Some("b"), None, stored(random.choice(&["0", "1", "true", "false", ""]).unwrap())),
        6 => (Some("e"), None, stored(random.choice(&["#N/A", "#DIV/0!", "#REF!", "#NAME?", "#NULL!"]).unwrap())),
        7 => (Some("d"), None, stored(&format!("20{}-01-31T{}:00:00", random.u8(10..30), random.u8(10..24)))),
        8 => (Some("inlineStr"), None, text(random, spelling, "is").trim_end().to_owned()),
        9 => (Some("n"), style, stored(&number)),
        10 => (None, None, stored(random.choice(&["abc", "12a", "-0.5", "1e400", "007", "+5"]).unwrap())),
        _ if random.bool() => (None, style, stored(&number)),
        _ => (Some("s"), style, stored(&random.usize(..texts).to_string())),
    }
}
