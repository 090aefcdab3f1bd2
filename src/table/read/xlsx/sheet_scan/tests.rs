#![allow(clippy::unwrap_used)]

use super::super::super::xml_scanner::LONGEST_TOKEN;
use super::*;

/// What a pass over these rows comes across, in words.
fn items(rows: &str) -> Vec<String> {
    part_items(&format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")).unwrap()
}

fn part_items(xml: &str) -> Result<Vec<String>, ReadFault> {
    let mut strings = SharedStrings::default();
    ["zero", "one"].into_iter().for_each(|text| strings.push(text));
    let mut scan = SheetScan::new(XmlScanner::keeping(xml.as_bytes(), LONGEST_TOKEN), Limits::of(0));
    let mut items = Vec::new();
    while let Some(item) = scan.next()? {
        items.push(match item {
            SheetItem::HiddenRow(row) => format!("row {row} is hidden"),
            SheetItem::Merged(cells) => format!("{cells:?}"),
            SheetItem::Cell(cell) => {
                let SheetCell { row, column, style, .. } = cell;
                format!("{row}:{column} {:?} {style}", cell.content(&strings)?)
            }
        });
    }
    Ok(items)
}

#[test]
fn values_are_what_their_kind_says() {
    for (cell, value) in [
        ("<c><v>1.5</v></c>", "Number(1.5)"),
        ("<c><v> 1.5\n</v></c>", "Number(1.5)"),
        ("<c><v>1,5</v></c>", "Text(\"1,5\")"),
        ("<c><v>R&amp;D</v></c>", "Text(\"R&D\")"),
        ("<c><v>1<!-- one -->5</v></c>", "Number(15.0)"),
        ("<c t=\"n\"><v>1</v></c>", "Number(1.0)"),
        ("<c t=\"s\"><v>1</v></c>", "Text(\"one\")"),
        ("<c t='s'><v>1</v></c>", "Text(\"one\")"),
        ("<c t=\"str\"><v> a_x000D_b </v></c>", "Text(\" a\\rb \")"),
        ("<c t=\"str\"><v/></c>", "Text(\"\")"),
        ("<c t=\"b\"><v>1</v></c>", "Boolean(true)"),
        ("<c t=\"b\"><v>FALSE</v></c>", "Boolean(false)"),
        ("<c t=\"d\"><v>2024-01-31</v></c>", "Iso(\"2024-01-31\")"),
        ("<c t=\"inlineStr\"><is><t> x </t></is></c>", "Text(\"x\")"),
        ("<c t=\"inlineStr\"><is><t xml:space=\"preserve\"> x&lt;</t></is><v>no</v></c>", "Text(\" x<\")"),
        ("<c><is><r><t>c </t></r><r><t>d</t></r></is></c>", "Text(\"c d\")"),
        ("<c t=\"e\"><v>#SPILL!</v></c>", "Error(\"#SPILL!\")"),
        ("<c><v>1</v><extLst><ext><v2:v>x</v2:v></ext></extLst></c>", "Number(1.0)"),
    ] {
        assert_eq!(items(&format!("<row>{cell}</row>")), [format!("0:0 {value} 0")], "{cell}");
    }
    for empty in ["<c/>", "<c></c>", "<c s=\"1\" />", "<c t=\"inlineStr\"><v>a</v></c>", "<c t=\"inlineStr\"></c>"] {
        assert_eq!(items(&format!("<row>{empty}<c><v>1</v></c></row>")), ["0:1 Number(1.0) 0"], "{empty}");
    }
    for blank in ["<c><v></v></c>", "<c t=\"s\"><v/></c>", "<c t=\"b\"><v> </v></c>", "<c t=\"e\"><v/></c>"] {
        assert_eq!(items(&format!("<row>{blank}</row>")), ["0:0 Blank 0"], "{blank}");
    }
}

#[test]
fn formulas_without_a_result_are_found() {
    let found = items(
        "<row r=\"1\"><c r=\"A1\"/><c r=\"B1\"><f>1+1</f><v>2</v></c><c r=\"C1\"><f>A1</f></c></row>\
         <row r=\"2\"><c r=\"A2\"><f>A1</f><v></v></c><c r=\"B2\" t=\"str\"><f>A1</f><v></v></c>\
         <c r=\"C2\" s=\"4\"><f t=\"shared\" si=\"0\"/></c></row>",
    );
    let expected =
        ["0:1 Number(2.0) 0", "0:2 Unevaluated 0", "1:0 Unevaluated 0", "1:1 Text(\"\") 0", "1:2 Unevaluated 4"];
    assert_eq!(found, expected);
}

#[test]
fn cells_without_an_address_follow_each_other() {
    let found = items(
        "<row><c><v>1</v></c><c r=\"D9\"><v>2</v></c><c><v>3</v></c></row><row/>\
         <row><c/><c><v>4</v></c></row><row r=\"7\" hidden=\"1\"><c><v>5</v></c></row>",
    );
    let expected = [
        "0:0 Number(1.0) 0", "8:3 Number(2.0) 0", "0:4 Number(3.0) 0", "2:1 Number(4.0) 0", "row 7 is hidden",
        "6:0 Number(5.0) 0",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_prefix_a_comment_and_another_spelling_change_nothing() {
    let plain = "<worksheet><sheetData><row r=\"3\"><c r=\"A3\" s=\"1\"><v>1</v></c><c r=\"C3\" t=\"s\"><v>0</v></c></row>\
                 </sheetData><mergeCells><mergeCell ref=\"B2:B4\"/></mergeCells></worksheet>";
    let expected = part_items(plain).unwrap();
    assert_eq!(expected.len(), 3);
    for other in [
        plain.replace('"', "'"),
        plain.replace("</", "</x:").replace('<', "<x:").replace("<x:/x:", "</x:"),
        plain.replace("<c", "<!-- <c r=\"A1\"><v>9</v></c> --><c"),
        plain.replace("<c", "\n  <c").replace("</row", "\n</row"),
        plain.replace("<v>1", "<v>&#49;"),
        plain.replace("<c ", "<c\n x14ac:r=\"Z9\" "),
        format!("\u{FEFF}<?xml version=\"1.0\"?>{plain}"),
        plain.replace("<sheetData>", "<dimension ref=\"nowhere\"/><sheetViews><c/></sheetViews><sheetData>"),
    ] {
        assert_eq!(part_items(&other).unwrap(), expected, "{other}");
    }
}

#[test]
fn every_cut_of_the_buffer_reads_the_same() {
    /// Gives a few bytes at a time.
    struct Dripping<'a>(&'a [u8], usize);

    impl Read for Dripping<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let len = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(len);
            buffer[..len].copy_from_slice(now);
            self.0 = later;
            Ok(len)
        }
    }

    let xml = "<sheetData><row><c r=\"A1\" t=\"s\"><v>0</v></c><c t=\"inlineStr\"><is><t>é</t></is></c><c><v>7</v></c></row></sheetData>";
    for step in 1..40 {
        let mut scan = SheetScan::new(XmlScanner::keeping(Dripping(xml.as_bytes(), step), 1024), Limits::of(0));
        let mut cells = 0;
        while scan.next().unwrap().is_some() {
            cells += 1;
        }
        assert_eq!(cells, 3, "{step}");
    }
}

#[test]
fn damage_is_named() {
    let detail = |xml: &str| match part_items(xml) {
        Err(ReadFault::Damaged { detail }) => detail,
        other => panic!("{xml}: {other:?}"),
    };
    let in_row = |cell: &str| detail(&format!("<worksheet><sheetData><row>{cell}</row></sheetData></worksheet>"));
    assert_eq!(in_row("<c r=\"7\"><v>1</v></c>"), "a cell without a proper address");
    assert_eq!(in_row("<c r=\"A0\"/>"), "a cell without a proper address");
    assert_eq!(in_row("<c t=\"n\"><v>x</v></c>"), "a text where a number should be");
    assert_eq!(in_row("<c t=\"s\"><v>x</v></c>"), "a text where a number should be");
    assert_eq!(in_row("<c t=\"s\"><v>2</v></c>"), "its parts contradict each other");
    assert_eq!(in_row("<c t=\"b\"><v>2</v></c>"), "its parts contradict each other");
    assert_eq!(in_row("<c t=\"x\"><v>2</v></c>"), "its parts contradict each other");
    assert_eq!(in_row("<c><c><v>2</v></c></c>"), "its parts contradict each other");
    assert_eq!(in_row("<c><v>&nbsp;</v></c>"), "its XML is broken");
    assert_eq!(in_row("<c t=\"inlineStr\"><is><t>&nbsp;</t></is></c>"), "its XML is broken");
    assert_eq!(in_row("<c><v>2</v>"), "its parts contradict each other");
    assert_eq!(detail("<sheetData><row r=\"x\"/></sheetData>"), "a cell without a proper address");
    assert_eq!(detail("<sheetData><c><v>1</v></sheetData>"), "its XML ends too early");
    assert_eq!(detail("<sheetData><row>"), "its XML ends too early");
    assert_eq!(detail(""), "its XML ends too early");
    assert_eq!(detail("<worksheet/>"), "its parts contradict each other");
}

#[test]
fn what_no_sheet_holds_is_refused() {
    let fault = |inside: &str, cells: u64| {
        let xml = format!("<sheetData>{inside}</sheetData>");
        let mut limits = Limits::of(0);
        limits.cells = cells;
        let mut scan = SheetScan::new(XmlScanner::keeping(xml.as_bytes(), LONGEST_TOKEN), limits);
        loop {
            match scan.next() {
                Ok(Some(_)) => {}
                Ok(None) => break None,
                Err(fault) => break Some(fault),
            }
        }
    };
    for cell in ["<c/>", "<c></c>", "<c />", "<c><v>1</v></c>"] {
        assert!(fault(&cell.repeat(5), 5).is_none(), "{cell}");
        assert!(matches!(fault(&cell.repeat(6), 5), Some(ReadFault::TooLarge { .. })), "{cell}");
    }
    assert!(fault(&"<row/>".repeat(1_048_576), 0).is_none());
    assert!(matches!(fault(&"<row/>".repeat(1_048_577), 0), Some(ReadFault::TooLarge { .. })));
    let long = format!("<c t=\"inlineStr\"><is><t>{}</t></is></c>", "x".repeat(LONGEST_TOKEN + 1));
    assert!(matches!(fault(&long, 5), Some(ReadFault::Bloated)));
}
