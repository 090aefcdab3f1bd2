//! Formulas whose result was never stored, as scripts that write workbooks leave them.
//!
//! rust_xlsxwriter always stores a result, so it is taken out of the finished file.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::Made;

/// The workbook with every result that reads `mark` removed, its type included.
pub(crate) fn without_results(workbook: Vec<u8>, mark: &str) -> Made<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(workbook))?;
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.name()?.into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        if name.starts_with("xl/worksheets/sheet") {
            bytes = strip(&String::from_utf8(bytes)?, mark).into_bytes();
        }
        writer.start_file(name, options)?;
        writer.write_all(&bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// `<c r="C7" t="str"><f>B7*2</f><v>mark</v></c>` becomes `<c r="C7"><f>B7*2</f></c>`.
fn strip(sheet: &str, mark: &str) -> String {
    let result = format!("<v>{mark}</v>");
    let cells = sheet.split_inclusive("</c>").map(|cell| match cell.contains(&result) {
        true => cell.replace(&result, "").replace(" t=\"str\"", ""),
        false => cell.to_owned(),
    });
    cells.collect()
}
