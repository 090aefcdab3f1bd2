//! Recognizes a file by its first bytes. Extensions are unreliable: an .xls named .xlsx, a zip named .csv and a web page
//! named .xls are common.

use crate::table::error::ReadFault;

/// How many bytes [`recognize`] wants to see; fewer only where the file has no more.
pub(in crate::table) const HEAD: usize = 4096;

/// The container, or the lack of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::table) enum Container {
    /// .xlsx, .xlsb, .ods, or something else in a zip.
    Zip,
    /// .xls, an encrypted .xlsx, or something else in an OLE compound file.
    Ole,
    Json,
    /// Everything else that is no known kind of foreign file.
    Text,
}

const RESAVE: &str = "open it in a spreadsheet program and save it as .xlsx";
const UNPACK: &str = "unpack it and name the spreadsheet in it";
const EXPORT: &str = "export the data as .csv or .xlsx";
const TYPE_IN: &str = "name the spreadsheet the table comes from, or type it into one";

/// First bytes of files that are mistaken for spreadsheets: what they are, and the way out.
const FOREIGN: &[(&[u8], &str, &str)] = &[
    (b"%PDF", "a PDF", TYPE_IN),
    (b"\x89PNG", "an image (PNG)", TYPE_IN),
    (b"\xFF\xD8\xFF", "an image (JPEG)", TYPE_IN),
    (b"GIF8", "an image (GIF)", TYPE_IN),
    (b"II*\0", "an image (TIFF)", TYPE_IN),
    (b"MM\0*", "an image (TIFF)", TYPE_IN),
    (b"\x1F\x8B", "a compressed file (gzip)", UNPACK),
    (b"7z\xBC\xAF\x27\x1C", "a compressed archive (7z)", UNPACK),
    (b"Rar!\x1A\x07", "a compressed archive (RAR)", UNPACK),
    (b"BZh", "a compressed file (bzip2)", UNPACK),
    (b"\xFD7zXZ\0", "a compressed file (xz)", UNPACK),
    (b"\x28\xB5\x2F\xFD", "a compressed file (zstd)", UNPACK),
    (b"SQLite format 3\0", "a SQLite database", EXPORT),
    (b"\0\x01\0\0Standard Jet DB", "an Access database", EXPORT),
    (b"\0\x01\0\0Standard ACE DB", "an Access database", EXPORT),
    (b"PAR1", "a Parquet file", EXPORT),
    (b"{\\rtf", "a text document (RTF)", EXPORT),
    (b"\x7FELF", "a program", "name the spreadsheet instead"),
    // BOF records of BIFF 2, 3 and 4: Excel before 1993, which wrote no OLE container.
    (b"\x09\0\x04\0", "a workbook of Excel 2", RESAVE),
    (b"\x09\x02\x06\0", "a workbook of Excel 3", RESAVE),
    (b"\x09\x04\x06\0", "a workbook of Excel 4", RESAVE),
];

/// How markup begins, in lower case, behind white space and `<?xml ...?>`.
const MARKUP: &[(&str, &str, &str)] = &[
    ("<!doctype html", "a web page (HTML)", RESAVE),
    ("<html", "a web page (HTML)", RESAVE),
    ("<head", "a web page (HTML)", RESAVE),
    ("<meta", "a web page (HTML)", RESAVE),
    ("<style", "a web page (HTML)", RESAVE),
    ("<table", "a web page (HTML)", RESAVE),
    ("<?mso-application", "an XML Spreadsheet of Excel 2003", RESAVE),
    ("<workbook", "an XML Spreadsheet of Excel 2003", RESAVE),
    ("<ss:workbook", "an XML Spreadsheet of Excel 2003", RESAVE),
    ("<office:document", "a flat OpenDocument file (.fods)", RESAVE),
];

/// Tells the container from the first [`HEAD`] bytes.
///
/// # Errors
///
/// [`ReadFault::Foreign`] for files that are known not to be spreadsheets, [`ReadFault::Empty`] for nothing at all.
pub(in crate::table) fn recognize(head: &[u8]) -> Result<Container, ReadFault> {
    if head.is_empty() {
        return Err(ReadFault::Empty);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Ok(Container::Zip);
    }
    if head.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return Ok(Container::Ole);
    }
    if let Some(&(_, what, hint)) = FOREIGN.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Err(ReadFault::Foreign { what, hint });
    }
    let text = beginning(head);
    if let Some((what, hint)) = markup(&text) {
        return Err(ReadFault::Foreign { what, hint });
    }
    Ok(if is_json(&text) { Container::Json } else { Container::Text })
}

/// The text that the file begins with, in lower case. Without the zero bytes of UTF-16, which is close enough here.
fn beginning(head: &[u8]) -> String {
    let head = [&b"\xEF\xBB\xBF"[..], b"\xFF\xFE", b"\xFE\xFF"]
        .iter()
        .find_map(|mark| head.strip_prefix(*mark))
        .unwrap_or(head);
    let bytes: Vec<u8> = head.iter().copied().filter(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).trim_start().to_lowercase()
}

fn markup(text: &str) -> Option<(&'static str, &'static str)> {
    let is_xml = text.starts_with("<?xml");
    let root = if is_xml { text.split_once("?>").map_or("", |(_, rest)| rest.trim_start()) } else { text };
    let root = skip_comments(root);
    if let Some(&(_, what, hint)) = MARKUP.iter().find(|(start, ..)| root.starts_with(start)) {
        return Some((what, hint));
    }
    is_xml.then_some(("an XML file", EXPORT))
}

fn skip_comments(mut text: &str) -> &str {
    while let Some(comment) = text.strip_prefix("<!--") {
        text = comment.split_once("-->").map_or("", |(_, rest)| rest.trim_start());
    }
    text
}

/// An object, or an array of something: no table of text begins so.
fn is_json(text: &str) -> bool {
    let inner = |open: char| text.strip_prefix(open).map(str::trim_start);
    let is_object = inner('{').is_some_and(|rest| rest.starts_with(['"', '}']) || rest.is_empty());
    let is_array = inner('[').is_some_and(|rest| rest.starts_with(['{', '[', ']']) || rest.is_empty());
    is_object || is_array
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn foreign(head: &[u8]) -> &'static str {
        match recognize(head) {
            Err(ReadFault::Foreign { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn files_go_by_content() {
        assert_eq!(recognize(b"PK\x03\x04rest").unwrap(), Container::Zip);
        assert_eq!(recognize(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1").unwrap(), Container::Ole);
        assert_eq!(recognize(b"asset_id,name\n").unwrap(), Container::Text);
        assert_eq!(recognize(b"\xEF\xBB\xBF{\"a\": 1}\n").unwrap(), Container::Json);
        assert_eq!(recognize(b" [\n {\"a\": 1}]").unwrap(), Container::Json);
        assert_eq!(recognize(b"[Asset],[Name]\n").unwrap(), Container::Text);
        assert_eq!(recognize(b"{Asset},{Name}\n").unwrap(), Container::Text);
        assert!(matches!(recognize(b""), Err(ReadFault::Empty)));
    }

    #[test]
    fn foreign_files_are_named() {
        assert_eq!(foreign(b"%PDF-1.7"), "a PDF");
        assert_eq!(foreign(b"\r\n<HTML><body>"), "a web page (HTML)");
        assert_eq!(foreign(b"\xFF\xFE<\0t\0a\0b\0l\0e\0>\0"), "a web page (HTML)");
        let xml = b"<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>";
        assert_eq!(foreign(xml), "an XML Spreadsheet of Excel 2003");
        assert_eq!(foreign(b"<?xml version=\"1.0\"?><!-- made by hand --><html>"), "a web page (HTML)");
        assert_eq!(foreign(b"<?xml version=\"1.0\"?><feed>"), "an XML file");
    }
}
