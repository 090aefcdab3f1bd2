//! OpenDocument files as LibreOffice and other programs write them.

use super::{package, read};

/// An .ods file with these rows as its only sheet.
fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content><office:body><office:spreadsheet><table:table table:name=\"S\">{rows}</table:table>\
         </office:spreadsheet></office:body></office:document-content>"
    );
    package(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", b"<manifest:manifest/>"),
        ("content.xml", content.as_bytes()),
    ])
}

/// The only row of a sheet with these cells.
fn row_of(cells: &str) -> String {
    let dump = read(&ods(&format!("<table:table-row>{cells}</table:table-row>"))).unwrap();
    dump.strip_prefix("[S Visible]\n").unwrap().trim_end().to_owned()
}

#[test]
fn a_number_beside_one_in_a_currency_has_none() {
    let row = row_of(
        "<table:table-cell office:value-type=\"float\" office:value=\"10001\"><text:p>10001</text:p></table:table-cell>\
         <table:table-cell office:value-type=\"currency\" office:currency=\"EUR\" office:value=\"1234\"><text:p>1,234.00 €\
         </text:p></table:table-cell><table:table-cell office:value-type=\"float\" office:value=\"5\"/>",
    );
    assert_eq!(row, "1: =\"10001\" =\"1,234.00 €\" `[$EUR]0` =\"5\"");
}

#[test]
fn text_of_pictures_shapes_and_comments_is_no_value() {
    let picture = "<draw:frame draw:name=\"Image 1\"><draw:image xlink:href=\"Pictures/1.png\"><text:p/></draw:image>\
                   <svg:title>Logo</svg:title><svg:desc>Picture</svg:desc></draw:frame>";
    let shape = "<draw:custom-shape><text:p>moved to <text:span>Berlin</text:span></text:p><draw:enhanced-geometry/>\
                 </draw:custom-shape>";
    let comment = "<office:annotation><dc:date>2026-11-30</dc:date><text:p>ask <text:s/>Zoë</text:p></office:annotation>";
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
    let row = [formula("<text:p/>"), formula("<text:p></text:p>"), formula(""), formula("<text:p>y</text:p>"), last.into()];
    assert_eq!(row_of(&row.concat()), "1: \"\" \"\" ~\"\" \"y\" \"x\"");
}
