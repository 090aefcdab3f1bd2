//! Pre-scan of the records of an .xls workbook before calamine reads them.
//!
//! calamine makes room for a sheet's stated dimensions, and lays its cells out over the box around them: two cells, A1
//! and IV65536, cost half a gigabyte, and a damaged record asks for all the memory there is, which cannot be caught.
//! The pre-scan also records what calamine leaves out: which cells have a number format of their own.
//!
//! Record numbers are those of \[MS-XLS\] 2.3.

use crate::table::error::ReadFault;
use crate::table::layout::{MergedCells, SheetLayout};

/// As many cells as all sheets together may span: some gigabyte of memory.
pub(super) const MOST_CELLS: u64 = 20_000_000;

mod record {
    pub(super) const FORMULA: u16 = 0x0006;
    pub(super) const EOF: u16 = 0x000A;
    pub(super) const FILE_PASS: u16 = 0x002F;
    pub(super) const BOUND_SHEET: u16 = 0x0085;
    pub(super) const MUL_RK: u16 = 0x00BD;
    pub(super) const XF: u16 = 0x00E0;
    pub(super) const MERGED_CELLS: u16 = 0x00E5;
    pub(super) const LABEL_SST: u16 = 0x00FD;
    pub(super) const RSTRING: u16 = 0x00D6;
    pub(super) const DIMENSIONS: u16 = 0x0200;
    pub(super) const NUMBER: u16 = 0x0203;
    pub(super) const LABEL: u16 = 0x0204;
    pub(super) const BOOL_ERR: u16 = 0x0205;
    pub(super) const ROW: u16 = 0x0208;
    pub(super) const FORMAT: u16 = 0x041E;
    pub(super) const RK: u16 = 0x027E;
    pub(super) const BOF: u16 = 0x0809;
}

/// What the pre-scan found.
#[derive(Debug, Default)]
pub(super) struct XlsPreScan {
    /// The number format of each cell style.
    pub(super) codes: Vec<String>,
    /// For each sheet, the styles of the cells that hold numbers, in the order of row and column.
    pub(super) styles: Vec<Vec<StyledCell>>,
    /// For each sheet, what it keeps beside its cells.
    pub(super) layouts: Vec<SheetLayout>,
}

/// The style of a cell; row and column from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StyledCell {
    pub(super) row: u16,
    pub(super) column: u16,
    pub(super) style: u16,
}

/// A record: its number, its content, and where that content begins.
struct Record<'a> {
    kind: u16,
    data: &'a [u8],
    at: usize,
}

/// Scans the workbook stream, and clears the dimensions that it states, which are only informative.
///
/// # Errors
///
/// [`ReadFault::Password`], [`ReadFault::TooLarge`] where the cells span too much, [`ReadFault::Truncated`] where the
/// stream ends within the workbook's own records.
pub(super) fn pre_scan(stream: &mut [u8]) -> Result<XlsPreScan, ReadFault> {
    let (mut scan, sheets) = globals(stream)?;
    let mut area = 0;
    for start in sheets {
        if start >= stream.len() {
            return Err(ReadFault::Truncated);
        }
        let mut sheet = SheetBounds::default();
        let mut dimensions = Vec::new();
        each_cell_record(&stream[start..], |record| {
            if record.kind == record::DIMENSIONS {
                dimensions.push((start + record.at, record.data.len()));
            }
            sheet.take(record);
        });
        for (at, len) in dimensions {
            stream[at..at + len].fill(0);
        }
        area += sheet.area();
        if area > MOST_CELLS {
            return Err(ReadFault::TooLarge { what: "its sheets span more than 20 million cells" });
        }
        sheet.styles.sort();
        scan.styles.push(sheet.styles);
        scan.layouts.push(sheet.layout);
    }
    Ok(scan)
}

/// The workbook's own records: formats, and where the sheets begin.
fn globals(stream: &[u8]) -> Result<(XlsPreScan, Vec<usize>), ReadFault> {
    let mut formats: Vec<(u16, String)> = Vec::new();
    let (mut styles, mut sheets) = (Vec::new(), Vec::new());
    let mut has_ended = false;
    for record in records(stream) {
        match record.kind {
            record::FILE_PASS if u16_at(record.data, 0) != Some(0) => return Err(ReadFault::Password),
            record::FORMAT => formats.extend(format(record.data)),
            record::XF => styles.push(u16_at(record.data, 2).unwrap_or(0)),
            record::BOUND_SHEET => sheets.push(u32_at(record.data, 0).ok_or(ReadFault::Truncated)? as usize),
            record::EOF => {
                has_ended = true;
                break;
            }
            _ => {}
        }
    }
    if !has_ended {
        return Err(ReadFault::Truncated);
    }
    let code = |id: &u16| match formats.iter().find(|(known, _)| known == id) {
        Some((_, code)) => code.clone(),
        None => ssfmt::format_code_from_id(u32::from(*id)).unwrap_or_default().to_owned(),
    };
    Ok((XlsPreScan { codes: styles.iter().map(code).collect(), styles: Vec::new(), layouts: Vec::new() }, sheets))
}

/// A FORMAT record: id and code. BIFF 8 stores length and width of the letters, earlier files one byte of length.
fn format(data: &[u8]) -> Option<(u16, String)> {
    let id = u16_at(data, 0)?;
    let is_biff8 = data.len() >= 5 && usize::from(u16_at(data, 2)?) <= data.len() - 5 && data[4] <= 1;
    if !is_biff8 {
        let len = usize::from(*data.get(2)?);
        return Some((id, latin1(data.get(3..3 + len)?)));
    }
    let len = usize::from(u16_at(data, 2)?);
    let letters = &data[5..];
    let code = match data[4] {
        0 => latin1(letters.get(..len)?),
        _ => {
            let units = letters.get(..len * 2)?.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
    };
    Some((id, code))
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Goes through the records of one sheet, without those of charts within it.
fn each_cell_record(stream: &[u8], mut take: impl FnMut(&Record<'_>)) {
    let mut depth = 0_usize;
    for record in records(stream) {
        match record.kind {
            record::BOF => depth += 1,
            record::EOF if depth <= 1 => return,
            record::EOF => depth -= 1,
            _ if depth <= 1 => take(&record),
            _ => {}
        }
    }
}

/// The records up to the first one that goes beyond the end of the stream.
fn records(stream: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (kind, len) = (u16_at(stream, at)?, usize::from(u16_at(stream, at + 2)?));
        let start = at + 4;
        let data = stream.get(start..start + len)?;
        at = start + len;
        Some(Record { kind, data, at: start })
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

/// What the cells of one sheet span.
#[derive(Debug, Default)]
struct SheetBounds {
    corners: Option<(Corner, Corner)>,
    styles: Vec<StyledCell>,
    layout: SheetLayout,
}

/// Row and column.
type Corner = (u16, u16);

impl SheetBounds {
    fn take(&mut self, record: &Record<'_>) {
        if record.kind == record::MERGED_CELLS {
            return self.take_merged(record.data);
        }
        use record::{BOOL_ERR, FORMULA, LABEL, LABEL_SST, MUL_RK, NUMBER, RK, ROW, RSTRING};
        let (Some(row), Some(column)) = (u16_at(record.data, 0), u16_at(record.data, 2)) else { return };
        match record.kind {
            NUMBER | RK | FORMULA => self.add_number(row, column, u16_at(record.data, 4)),
            LABEL | LABEL_SST | RSTRING | BOOL_ERR => self.add(row, column),
            // Bit 5 of the options says that the row has no height.
            ROW if u16_at(record.data, 12).is_some_and(|options| options & 0x20 != 0) => {
                self.layout.hide(u64::from(row) + 1, u64::from(row) + 1);
            }
            MUL_RK => {
                // A style and a number for each cell, and the last column at the end.
                let cells = record.data.len().saturating_sub(6) / 6;
                for index in 0..cells.min(256) {
                    self.add_number(row, column.saturating_add(index as u16), u16_at(record.data, 4 + 6 * index));
                }
            }
            _ => {}
        }
    }

    /// A count, and for each range its first and last row and column.
    fn take_merged(&mut self, data: &[u8]) {
        for range in data.get(2..).unwrap_or_default().chunks_exact(8) {
            let number = |at: usize| u16_at(range, at).unwrap_or_default();
            self.layout.merge(MergedCells {
                first_row: u64::from(number(0)) + 1,
                last_row: u64::from(number(2)) + 1,
                first_column: number(4).into(),
                last_column: number(6).into(),
            });
        }
    }

    fn add(&mut self, row: u16, column: u16) {
        let (first, last) = self.corners.unwrap_or(((row, column), (row, column)));
        self.corners = Some(((first.0.min(row), first.1.min(column)), (last.0.max(row), last.1.max(column))));
    }

    fn add_number(&mut self, row: u16, column: u16, style: Option<u16>) {
        self.add(row, column);
        if let Some(style) = style {
            self.styles.push(StyledCell { row, column, style });
        }
    }

    /// How many cells the box around the cells has.
    fn area(&self) -> u64 {
        self.corners.map_or(0, |(first, last)| (u64::from(last.0 - first.0) + 1) * (u64::from(last.1 - first.1) + 1))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn record(kind: u16, data: &[u8]) -> Vec<u8> {
        [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
    }

    fn number(row: u16, column: u16, style: u16) -> Vec<u8> {
        let head = [row, column, style].map(u16::to_le_bytes).concat();
        record(record::NUMBER, &[&head[..], &6083f64.to_le_bytes()].concat())
    }

    /// A workbook stream with one sheet of these records.
    fn stream(cells: &[Vec<u8>]) -> Vec<u8> {
        let format = record(record::FORMAT, b"\xA4\0\x05\0\x0000000");
        let styles = [record(record::XF, &[0; 20]), record(record::XF, b"\0\0\xA4\0")].concat();
        let globals_len = 4 + 4 + format.len() + styles.len() + 4 + 8 + 4;
        let sheet = record(record::BOUND_SHEET, &[&(globals_len as u32).to_le_bytes()[..], &[0; 4]].concat());
        let bof = record(record::BOF, &[0; 4]);
        [bof.clone(), format, styles, sheet, record(record::EOF, &[]), bof, cells.concat(), record(record::EOF, &[])]
            .concat()
    }

    #[test]
    fn formats_and_styles_are_taken_down() {
        let scan = pre_scan(&mut stream(&[number(3, 1, 1), number(2, 5, 0)])).unwrap();
        assert_eq!(scan.codes, ["General", "00000"]);
        let styled = |row, column, style| StyledCell { row, column, style };
        assert_eq!(scan.styles, [[styled(2, 5, 0), styled(3, 1, 1)]]);
    }

    #[test]
    fn hidden_rows_and_merged_cells_are_taken_down() {
        let row = |number: u16, options: u8| {
            record(record::ROW, &[&number.to_le_bytes()[..], &[0; 10], &[options, 0, 0, 0]].concat())
        };
        let merged = record(record::MERGED_CELLS, &[1, 2, 4, 1, 1].map(u16::to_le_bytes).concat());
        let scan = pre_scan(&mut stream(&[row(3, 0x20), row(4, 0), number(3, 1, 1), merged])).unwrap();
        assert!(scan.layouts[0].is_hidden(4) && !scan.layouts[0].is_hidden(5));
        let cells = MergedCells { first_row: 3, last_row: 5, first_column: 1, last_column: 1 };
        assert_eq!(scan.layouts[0].merged_below(1), [cells]);
    }

    #[test]
    fn cells_far_apart_are_refused() {
        let far = [number(0, 0, 0), number(65_535, 400, 0)];
        assert!(matches!(pre_scan(&mut stream(&far)), Err(ReadFault::TooLarge { .. })));
        assert!(pre_scan(&mut stream(&[number(0, 0, 0), number(65_535, 255, 0)])).is_ok());
    }

    #[test]
    fn stated_dimensions_are_taken_out() {
        let dimensions = record(record::DIMENSIONS, &[0xFF; 14]);
        let mut stream = stream(&[dimensions]);
        pre_scan(&mut stream).unwrap();
        assert!(!stream.windows(14).any(|bytes| bytes == [0xFF; 14]));
    }

    #[test]
    fn passwords_and_missing_ends_are_told() {
        let locked = record(record::FILE_PASS, &[1, 0, 0, 0]);
        assert!(matches!(pre_scan(&mut locked.clone()), Err(ReadFault::Password)));
        let mut cut = stream(&[]);
        cut.truncate(20);
        assert!(matches!(pre_scan(&mut cut), Err(ReadFault::Truncated)));
    }
}
