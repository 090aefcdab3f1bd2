//! Puts rows that are compressed already into the sheets of a workbook that has all but them.

use std::io::{self, Cursor, Read, Write};

use flate2::{Compress, Compression, Crc, FlushCompress};
use hashbrown::HashMap;
use zip::ZipArchive;

use super::sheet_rows::{DeflatedRows, deflate};
use super::zip_parts::{DEFLATED, STORED, ZipPart, ZipWriter};

/// The rows below the header of a sheet.
pub(super) struct SheetBody {
    pub(super) rows: DeflatedRows,
    /// The range of the sheet's cells, such as `A1:C7`.
    pub(super) range: String,
}

/// Writes `workbook` with the `bodies` of its sheets, by the sheet's index. The other sheets stay as they are.
pub(super) fn assemble(
    workbook: &[u8],
    level: u8,
    mut bodies: HashMap<usize, SheetBody>,
    output: impl Write,
) -> io::Result<()> {
    let mut archive = ZipArchive::new(Cursor::new(workbook))?;
    let mut zip = ZipWriter::new(output);
    for index in 0..archive.len() {
        let part = archive.by_index_raw(index)?;
        let name = part.name()?.into_owned();
        let sheet = name.strip_prefix("xl/worksheets/sheet").and_then(|rest| rest.strip_suffix(".xml"));
        let sheet = sheet.and_then(|number| number.parse::<usize>().ok()?.checked_sub(1));
        match sheet.and_then(|sheet| bodies.remove(&sheet)) {
            None => copy(part, &mut zip)?,
            Some(body) => {
                drop(part);
                let mut xml = String::new();
                archive.by_index(index)?.read_to_string(&mut xml)?;
                add_sheet(&name, &xml, level, body, &mut zip)?;
            }
        }
    }
    zip.finish().map(drop)
}

fn copy(mut part: zip::read::ZipFile<'_, Cursor<&[u8]>>, zip: &mut ZipWriter<impl Write>) -> io::Result<()> {
    let name = part.name()?.into_owned();
    let method = if part.compression() == zip::CompressionMethod::Stored { STORED } else { DEFLATED };
    let (crc, size, compressed) = (part.crc32(), part.size(), part.compressed_size());
    zip.add(ZipPart { name: &name, method, crc, size, compressed }, &mut part)
}

/// Adds a sheet: what stands before its rows, the rows, and what stands behind them.
fn add_sheet(name: &str, xml: &str, level: u8, body: SheetBody, zip: &mut ZipWriter<impl Write>) -> io::Result<()> {
    let SheetBody { rows, range } = body;
    let (head, tail) = halves(xml).ok_or_else(|| io::Error::other("the sheet has no place for rows"))?;
    let head = Deflated::new(&with_range(&head, &range), level, FlushCompress::Sync)?;
    let tail = Deflated::new(&tail, level, FlushCompress::Finish)?;
    let mut crc = Crc::new();
    [&head.crc, &rows.crc, &tail.crc].into_iter().for_each(|part| crc.combine(part));
    let size = u64::from(head.crc.amount()) + rows.size + u64::from(tail.crc.amount());
    let compressed = head.bytes.len() as u64 + rows.compressed + tail.bytes.len() as u64;
    let part = ZipPart { name, method: DEFLATED, crc: crc.sum(), size, compressed };
    zip.add(part, &mut head.bytes.as_slice().chain(rows.file).chain(tail.bytes.as_slice()))
}

/// What stands before the rows below the header, and what stands behind them. The library writes the heights of rows as
/// rows without cells, and the header's a second time if no cell follows it: none of these is kept.
fn halves(xml: &str) -> Option<(String, String)> {
    let (head, rest) = xml.split_once("<sheetData")?;
    // A sheet without columns has no header.
    let (rows, tail) = rest.split_once("</sheetData>").or_else(|| Some(("", rest.split_once("/>")?.1)))?;
    let header = rows.split_once("</row>").map_or(">", |(header, _)| header);
    let end = if header == ">" { "" } else { "</row>" };
    Some((format!("{head}<sheetData{header}{end}"), format!("</sheetData>{tail}")))
}

/// A text deflated in memory.
struct Deflated {
    bytes: Vec<u8>,
    crc: Crc,
}

impl Deflated {
    fn new(text: &str, level: u8, flush: FlushCompress) -> io::Result<Self> {
        let (mut bytes, mut crc) = (Vec::new(), Crc::new());
        crc.update(text.as_bytes());
        let mut compress = Compress::new(Compression::new(level.into()), false);
        deflate(&mut compress, text.as_bytes(), flush, &mut bytes)?;
        Ok(Self { bytes, crc })
    }
}

/// The beginning of a sheet with the range of its cells in place of that of its header.
fn with_range(head: &str, range: &str) -> String {
    const ATTRIBUTE: &str = "<dimension ref=\"";
    let found = head.split_once(ATTRIBUTE).and_then(|(before, rest)| Some((before, rest.split_once('"')?.1)));
    match found {
        Some((before, behind)) => format!("{before}{ATTRIBUTE}{range}\"{behind}"),
        None => head.to_owned(),
    }
}
