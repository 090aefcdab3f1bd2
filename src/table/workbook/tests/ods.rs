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
