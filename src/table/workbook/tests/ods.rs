//! OpenDocument files as LibreOffice and other programs write them.

use rust_xlsxwriter::Format;

use super::{file, fixture, open, package, read};
use crate::table::cell::Row;

/// An .ods file with these rows as its only sheet, styles beside them, and styles in a part of their own.
fn ods(rows: &str, styles: &str, common: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content><office:automatic-styles>{styles}</office:automatic-styles><office:body>\
         <office:spreadsheet><table:table table:name=\"S\">{rows}</table:table></office:spreadsheet></office:body>\
         </office:document-content>"
    );
    let common = format!("<office:document-styles><office:styles>{common}</office:styles></office:document-styles>");
    package(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", b"<manifest:manifest/>"),
        ("content.xml", content.as_bytes()),
        ("styles.xml", common.as_bytes()),
    ])
}

/// The only row of a sheet with these cells.
fn row_of(cells: &str) -> String {
    rows_of(&format!("<table:table-row>{cells}</table:table-row>"), "", "")
}

fn rows_of(rows: &str, styles: &str, common: &str) -> String {
    let dump = read(&ods(rows, styles, common)).unwrap();
    dump.strip_prefix("[S Visible]\n").unwrap().trim_end().to_owned()
}

/// A cell with a number, and what it shows.
fn cell(attributes: &str, number: f64, shown: &str) -> String {
    let kind = if attributes.contains("value-type") { "" } else { "office:value-type=\"float\"" };
    format!(
        "<table:table-cell {kind} {attributes} office:value=\"{number}\"><text:p>{shown}</text:p></table:table-cell>"
    )
}

/// A style of cells that names a number style.
fn cell_style(name: &str, more: &str) -> String {
    format!("<style:style style:name=\"{name}\" style:family=\"table-cell\" {more}/>")
}

fn first_row(name: &str, bytes: &[u8]) -> Row {
    let (_folder, path) = file(name, bytes);
    open(&path).unwrap().first_rows(0, 1).unwrap().remove(0)
}

#[test]
fn a_number_beside_one_in_a_currency_has_none() {
    let row = row_of(
        "<table:table-cell office:value-type=\"float\" office:value=\"10001\"><text:p>10001</text:p></table:table-cell>\
         <table:table-cell office:value-type=\"currency\" office:currency=\"EUR\" office:value=\"1234\"><text:p>1,234.00 €\
         </text:p></table:table-cell><table:table-cell office:value-type=\"float\" office:value=\"5\"/>",
    );
    assert_eq!(row, "1: =\"10001\" =\"1,234.00 €\" `[$EUR] General` =\"5\"");
}

#[test]
fn text_of_pictures_shapes_and_comments_is_no_value() {
    let picture = "<draw:frame draw:name=\"Image 1\"><draw:image xlink:href=\"Pictures/1.png\"><text:p/></draw:image>\
                   <svg:title>Logo</svg:title><svg:desc>Picture</svg:desc></draw:frame>";
    let shape = "<draw:custom-shape><text:p>moved to <text:span>Berlin</text:span></text:p><draw:enhanced-geometry/>\
                 </draw:custom-shape>";
    let comment =
        "<office:annotation><dc:date>2026-11-30</dc:date><text:p>ask <text:s/>Zoë</text:p></office:annotation>";
    let text = "<text:p>NB <text:a xlink:href=\"http://x.example/\">zero</text:a><text:s/>0</text:p>";
    let string = |inside: &str| {
        format!("<table:table-cell office:value-type=\"string\">{inside}</table:table-cell><table:table-cell/>")
    };
    let number = "<table:table-cell office:value-type=\"float\" office:value=\"7\">";
    assert_eq!(row_of(&string(&format!("{text}{picture}{shape}"))), "1: \"NB zero 0\"");
    assert_eq!(row_of(&string(&format!("{comment}{text}\n{shape}<text:p>2</text:p>"))), "1: \"NB zero 0\\n2\"");
    let inside = format!("<text:p>A{picture}{shape}<text:span>-{comment}</text:span>1</text:p>");
    assert_eq!(row_of(&string(&inside)), "1: \"A-1\"");
    assert_eq!(row_of(&format!("{number}{shape}<text:p>7</text:p>{picture}</table:table-cell>")), "1: =\"7\"");
    let alone = format!("<table:table-cell>{picture}{shape}</table:table-cell>");
    assert_eq!(row_of(&format!("{alone}{}", string(text))), "1: \"\" \"NB zero 0\"");
}

#[test]
fn a_formula_without_a_result_is_told_from_one_with_an_empty_result() {
    let formula = |inside: &str| format!("<table:table-cell table:formula=\"of:=[.A1]\">{inside}</table:table-cell>");
    let last = "<table:table-cell office:value-type=\"string\"><text:p>x</text:p></table:table-cell>";
    let row =
        [formula("<text:p/>"), formula("<text:p></text:p>"), formula(""), formula("<text:p>y</text:p>"), last.into()];
    assert_eq!(row_of(&row.concat()), "1: \"\" \"\" ~\"\" \"y\" \"x\"");
}

/// Numbers, codes and the styles that LibreOffice 7.4 made of them when it saved .xlsx files as .ods.
#[test]
fn a_number_style_reads_as_the_format_code_that_it_was_made_of() {
    let pairs = std::fs::read_to_string(fixture("number-styles.txt")).unwrap();
    let mut differing = Vec::new();
    for line in pairs.lines() {
        let [number, code, style] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let number: f64 = number.parse().unwrap();
        let mut book = rust_xlsxwriter::Workbook::new();
        let format = Format::new().set_num_format(code);
        book.add_worksheet().write_number_with_format(0, 0, number, &format).unwrap();
        let xlsx = first_row("a.xlsx", &book.save_to_buffer().unwrap());
        let name = style.rsplit_once("style style:name=\"").unwrap().1.split('"').next().unwrap();
        let styles = style.to_owned() + &cell_style("ce1", &format!("style:data-style-name=\"{name}\""));
        let row =
            format!("<table:table-row>{}</table:table-row>", cell("table:style-name=\"ce1\"", number, "as shown"));
        let ods = first_row("a.ods", &ods(&row, &styles, ""));
        let content = |row: &Row| (row.cell(0).text.to_owned(), row.cell(0).value);
        if content(&xlsx) != content(&ods) {
            let format = ods.cell(0).format.unwrap_or_default().to_owned();
            differing.push(format!("{number} `{code}` `{format}`: {:?} {:?}", content(&xlsx), content(&ods)));
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
}

const ZEROS: &str = "<number:number-style style:name=\"N1\"><number:number number:decimal-places=\"0\" \
                     number:min-integer-digits=\"5\"/></number:number-style>";
const PERCENT: &str = "<number:percentage-style style:name=\"N2\"><number:number number:decimal-places=\"0\" \
                       number:min-integer-digits=\"1\"/><number:text>%</number:text></number:percentage-style>";

#[test]
fn a_cell_without_a_style_has_that_of_its_row_column_or_parent() {
    let styles =
        cell_style("ce1", "style:data-style-name=\"N1\"") + &cell_style("ce2", "style:parent-style-name=\"Share\"");
    let common = cell_style("Default", "") + PERCENT + ZEROS + &cell_style("Share", "style:data-style-name=\"N2\"");
    let columns = "<table:table-column table:number-columns-repeated=\"2\" table:default-cell-style-name=\"ce1\"/>\
                   <table:table-column table:default-cell-style-name=\"Default\"/>\
                   <table:table-column table:number-columns-repeated=\"16381\"/>";
    let plain = cell("table:number-columns-repeated=\"3\"", 42.0, "42");
    let other = cell("table:style-name=\"Default\"", 42.0, "42") + &cell("table:style-name=\"ce2\"", 0.5, "50%");
    let rows = format!(
        "{columns}<table:table-row>{plain}</table:table-row><table:table-row>{other}</table:table-row>\
         <table:table-row table:default-cell-style-name=\"ce2\">{}</table:table-row>",
        cell("", 0.25, "25%"),
    );
    assert_eq!(
        rows_of(&rows, &styles, &common),
        "1: =\"00042\" `00000` =\"00042\" `00000` =\"42\"\n2: =\"42\" =\"50%\" `0%`\n3: =\"25%\" `0%`"
    );
}

#[test]
fn amounts_say_their_currency_by_style_or_cell() {
    let digits =
        "<number:number number:decimal-places=\"2\" number:min-integer-digits=\"1\" number:grouping=\"true\"/>";
    let style = |name: &str, symbol: &str| {
        let cell = cell_style(&format!("ce{name}"), &format!("style:data-style-name=\"{name}\""));
        format!("<number:currency-style style:name=\"{name}\">{symbol}{digits}</number:currency-style>{cell}")
    };
    let styles = [
        style("A", "<number:currency-symbol number:language=\"en\" number:country=\"CA\">$</number:currency-symbol>"),
        style("B", "<number:currency-symbol/>"),
        style("C", "<number:currency-symbol>kr</number:currency-symbol>"),
    ];
    let amount = |style: &str, code: &str| {
        format!("office:value-type=\"currency\" table:style-name=\"{style}\" office:currency=\"{code}\"")
    };
    let cells = [
        cell(&amount("ceA", "CAD"), 1234.5, "$1,234.50"),
        cell("office:value-type=\"currency\" table:style-name=\"ceB\"", 1234.5, "$1,234.50"),
        cell(&amount("ceB", "AUD"), 5.0, "$5.00"),
        cell(&amount("ceC", "SEK"), 5.0, "kr5.00"),
        cell("table:style-name=\"ceC\"", 5.0, "kr5.00"),
        cell(&amount("", "CHF"), 5.0, "5.-"),
        cell("", 5.0, "5"),
    ];
    assert_eq!(
        rows_of(&format!("<table:table-row>{}</table:table-row>", cells.concat()), &styles.concat(), ""),
        "1: =\"$1,234.50\" `[$$-1009]#,##0.00` =\"$1,234.50\" `[$$]#,##0.00` =\"AUD5.00\" `[$AUD]#,##0.00` \
         =\"SEK5.00\" `[$SEK]#,##0.00` =\"kr5.00\" `[$kr]#,##0.00` =\"5.-\" `[$CHF] General` =\"5\""
    );
}

#[test]
fn results_without_a_style_are_what_they_show() {
    let result = |number: f64, shown: &str| cell("table:formula=\"of:=[.A1]\"", number, shown);
    let cells = [
        result(1.0, "TRUE"),
        result(0.0, "FALSCH"),
        result(45_355.0, "03/04/24"),
        result(45_355.25, "04.03.2024 06:00"),
        result(45_355.0, "45,355.00"),
        result(0.5, "50.00%"),
        result(0.1 + 0.2, "0.3"),
        cell("", 45_355.0, "03/04/24"),
        cell("office:value-type=\"percentage\"", 0.5, "50%"),
    ];
    assert_eq!(
        row_of(&cells.concat()),
        "1: ?\"TRUE\" ?\"FALSE\" @\"2024-03-04\" `yyyy-mm-dd hh:mm:ss` @\"2024-03-04 06:00:00\" `yyyy-mm-dd hh:mm:ss` \
         =\"45,355.00\" =\"50.00%\" `0.00%` =\"0.3\" =\"45355\" =\"50%\" `0.00%`"
    );
}

#[test]
fn a_style_without_a_code_leaves_the_text() {
    let styles = "<number:number-style style:name=\"N1\"><number:number number:decimal-places=\"2\" \
                  number:decimal-replacement=\"--\"/></number:number-style><number:boolean-style style:name=\"N2\">\
                  <number:boolean/></number:boolean-style><number:date-style style:name=\"N3\"><number:week-of-year/>\
                  </number:date-style>"
        .to_owned()
        + &["1", "2", "3"].map(|n| cell_style(&format!("ce{n}"), &format!("style:data-style-name=\"N{n}\""))).concat();
    let cells = cell("table:style-name=\"ce1\"", 5.0, "5.--")
        + &cell("table:style-name=\"ce2\"", 1.0, "WAHR")
        + "<table:table-cell table:style-name=\"ce3\" office:value-type=\"date\" office:date-value=\"2024-03-04\"><text:p>10\
           </text:p></table:table-cell>";
    let rows = format!("<table:table-row>{cells}</table:table-row>");
    assert_eq!(rows_of(&rows, &styles, ""), "1: =\"5.--\" ?\"TRUE\" @\"2024-03-04\"");
}
