//! The records of an .xls workbook: those of the workbook itself, its texts, styles and sheets.
//!
//! Record numbers are those of \[MS-XLS\] 2.3. BIFF 8 is Excel 97 to 2003, BIFF 5 is Excel 5 and 95.

use super::limits::{Limits, check_sheets};
use super::number_format::StyleTable;
use super::serial_date::DateSystem;
use crate::table::error::ReadFault;
use crate::table::sheet::{Sheet, Visibility};

pub(super) mod record {
    pub(in super::super) const FORMULA: u16 = 0x0006;
    pub(in super::super) const EOF: u16 = 0x000A;
    pub(in super::super) const DATE_MODE: u16 = 0x0022;
    pub(in super::super) const FILE_PASS: u16 = 0x002F;
    pub(in super::super) const CONTINUE: u16 = 0x003C;
    pub(in super::super) const CODE_PAGE: u16 = 0x0042;
    pub(in super::super) const BOUND_SHEET: u16 = 0x0085;
    pub(in super::super) const MUL_RK: u16 = 0x00BD;
    pub(in super::super) const RSTRING: u16 = 0x00D6;
    pub(in super::super) const XF: u16 = 0x00E0;
    pub(in super::super) const MERGED_CELLS: u16 = 0x00E5;
    pub(in super::super) const SST: u16 = 0x00FC;
    pub(in super::super) const LABEL_SST: u16 = 0x00FD;
    pub(in super::super) const NUMBER: u16 = 0x0203;
    pub(in super::super) const LABEL: u16 = 0x0204;
    pub(in super::super) const BOOL_ERR: u16 = 0x0205;
    pub(in super::super) const STRING: u16 = 0x0207;
    pub(in super::super) const ROW: u16 = 0x0208;
    pub(in super::super) const RK: u16 = 0x027E;
    pub(in super::super) const FORMAT: u16 = 0x041E;
    pub(in super::super) const BOF: u16 = 0x0809;
}

/// Code pages by their numbers in Windows, and what they are called elsewhere.
const CODE_PAGES: &[(u16, &str)] = &[
    (874, "windows-874"),
    (932, "shift_jis"),
    (936, "gbk"),
    (949, "euc-kr"),
    (950, "big5"),
    (1250, "windows-1250"),
    (1251, "windows-1251"),
    (1253, "windows-1253"),
    (1254, "windows-1254"),
    (1255, "windows-1255"),
    (1256, "windows-1256"),
    (1257, "windows-1257"),
    (1258, "windows-1258"),
    (10000, "macintosh"),
    (0x8000, "macintosh"),
];

/// What the workbook's own records say.
pub(super) struct Globals {
    pub(super) spelling: Spelling,
    pub(super) system: DateSystem,
    pub(super) styles: StyleTable,
    /// The texts that cells share.
    pub(super) strings: Vec<String>,
    /// The worksheets, and where their records begin.
    pub(super) sheets: Vec<(Sheet, usize)>,
}

/// How texts are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spelling {
    /// UTF-16, or its low bytes alone.
    Biff8,
    /// In the code page.
    Biff5(&'static encoding_rs::Encoding),
}

/// A record: its number, its content, and where that content begins.
pub(super) struct Record<'a> {
    pub(super) kind: u16,
    pub(super) data: &'a [u8],
    pub(super) at: usize,
}

impl Globals {
    /// # Errors
    ///
    /// [`ReadFault::Password`], [`ReadFault::Truncated`] where the stream ends within the workbook's own records.
    pub(super) fn read(stream: &[u8], limits: Limits) -> Result<Globals, ReadFault> {
        let mut globals = Globals {
            spelling: Spelling::Biff8,
            system: DateSystem::From1900,
            styles: StyleTable::default(),
            strings: Vec::new(),
            sheets: Vec::new(),
        };
        // The text of shared strings, which goes on in the records behind the first.
        let mut shared: Vec<&[u8]> = Vec::new();
        let mut is_shared = false;
        for record in records(stream) {
            is_shared = record.kind == record::SST || (is_shared && record.kind == record::CONTINUE);
            match record.kind {
                record::EOF => {
                    globals.strings = SharedTexts::new(shared).read(limits)?;
                    return Ok(globals);
                }
                record::SST => shared.extend(record.data.get(8..)),
                record::CONTINUE if is_shared => shared.push(record.data),
                _ => globals.take(&record)?,
            }
        }
        Err(ReadFault::Truncated)
    }

    fn take(&mut self, record: &Record<'_>) -> Result<(), ReadFault> {
        let data = record.data;
        match record.kind {
            record::FILE_PASS if u16_at(data, 0) != Some(0) => return Err(ReadFault::Password),
            record::BOF
                if matches!((u16_at(data, 0), u16_at(data, 2)), (Some(0x0500), _) | (Some(0), Some(0x1000))) =>
            {
                self.spelling = Spelling::Biff5(encoding_rs::WINDOWS_1252);
            }
            record::CODE_PAGE => {
                let page = u16_at(data, 0).unwrap_or_default();
                let name = CODE_PAGES.iter().find(|(known, _)| *known == page).map(|(_, name)| *name);
                let encoding = name.and_then(|name| encoding_rs::Encoding::for_label(name.as_bytes()));
                if let (Spelling::Biff5(own), Some(encoding)) = (&mut self.spelling, encoding) {
                    *own = encoding;
                }
            }
            record::DATE_MODE if u16_at(data, 0) == Some(1) => self.system = DateSystem::From1904,
            record::FORMAT => {
                let code = data.get(2..).and_then(|data| self.spelling.format_code(data));
                if let (Some(id), Some(code)) = (u16_at(data, 0), code) {
                    self.styles.add_code(u32::from(id), code)?;
                }
            }
            record::XF => self.styles.add_style(u32::from(u16_at(data, 2).unwrap_or(0)))?,
            record::BOUND_SHEET => {
                self.sheets.extend(self.bound_sheet(data)?);
                check_sheets(self.sheets.iter().filter_map(|(sheet, _)| sheet.name.as_deref()))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A tab; none where it is a chart, a macro sheet or a module.
    fn bound_sheet(&self, data: &[u8]) -> Result<Option<(Sheet, usize)>, ReadFault> {
        let (Some(start), [state, kind, name @ ..]) = (u32_at(data, 0), data.get(4..).unwrap_or_default()) else {
            return Err(ReadFault::Truncated);
        };
        let visibility = if state & 3 == 0 { Visibility::Visible } else { Visibility::Hidden };
        let name = self.spelling.short_text(name).unwrap_or_default().replace('\0', "");
        Ok((*kind == 0).then_some((Sheet { name: Some(name), visibility }, start as usize)))
    }
}

impl Spelling {
    /// A text behind its length in two bytes.
    pub(super) fn text(self, data: &[u8]) -> Option<String> {
        let len = usize::from(u16_at(data, 0)?);
        self.letters(len, &data[2..])
    }

    /// A text behind its length in one byte.
    fn short_text(self, data: &[u8]) -> Option<String> {
        let (len, data) = data.split_first()?;
        self.letters(usize::from(*len), data)
    }

    /// The code of a number format. BIFF 5 has one byte of length, and some programs write it so in BIFF 8, too.
    fn format_code(self, data: &[u8]) -> Option<String> {
        let is_biff8 = data.len() >= 3 && usize::from(u16_at(data, 0)?) <= data.len() - 3 && data[2] <= 1;
        match self {
            Spelling::Biff8 if is_biff8 => self.text(data),
            Spelling::Biff8 => Spelling::Biff5(encoding_rs::WINDOWS_1252).short_text(data),
            Spelling::Biff5(_) => self.short_text(data),
        }
    }

    /// At most `len` letters.
    fn letters(self, len: usize, data: &[u8]) -> Option<String> {
        match self {
            Spelling::Biff5(encoding) => {
                Some(encoding.decode_without_bom_handling(&data[..len.min(data.len())]).0.into())
            }
            Spelling::Biff8 if len == 0 => Some(String::new()),
            Spelling::Biff8 => {
                let (flags, letters) = data.split_first()?;
                let is_wide = flags & 1 != 0;
                Some(from_utf16(units(letters, is_wide).take(len)))
            }
        }
    }
}

/// Units of UTF-16, or its low bytes alone.
fn units(letters: &[u8], is_wide: bool) -> Box<dyn Iterator<Item = u16> + '_> {
    if is_wide {
        Box::new(letters.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])))
    } else {
        Box::new(letters.iter().map(|byte| u16::from(*byte)))
    }
}

fn from_utf16(units: impl Iterator<Item = u16>) -> String {
    char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The texts that cells share, over the ends of records.
struct SharedTexts<'a> {
    /// What is left of each record.
    records: std::vec::IntoIter<&'a [u8]>,
    data: &'a [u8],
}

impl<'a> SharedTexts<'a> {
    fn new(records: Vec<&'a [u8]>) -> SharedTexts<'a> {
        SharedTexts { records: records.into_iter(), data: &[] }
    }

    fn read(mut self, limits: Limits) -> Result<Vec<String>, ReadFault> {
        let mut strings = Vec::new();
        while self.has_more() {
            let mut text = self.text().ok_or_else(|| ReadFault::damaged("a record in it is too short"))?;
            text.shrink_to_fit();
            strings.push(text);
            if strings.len() as u64 > limits.strings {
                return Err(ReadFault::TooLarge { what: "more texts than a file of this size can hold" });
            }
        }
        Ok(strings)
    }

    /// Goes on with the next record where one is read to its end.
    fn has_more(&mut self) -> bool {
        while self.data.is_empty() {
            match self.records.next() {
                Some(next) => self.data = next,
                None => return false,
            }
        }
        true
    }

    /// A text with the number of its letters, how they are written, and what else belongs to it.
    fn text(&mut self) -> Option<String> {
        let len = usize::from(u16::from_le_bytes([self.byte()?, self.byte()?]));
        let flags = self.byte()?;
        let runs = if flags & 8 != 0 { u16::from_le_bytes([self.byte()?, self.byte()?]) } else { 0 };
        let mut extension = 0;
        if flags & 4 != 0 {
            extension = u32::from_le_bytes([self.byte()?, self.byte()?, self.byte()?, self.byte()?]);
        }
        let mut letters: Vec<u16> = Vec::new();
        let mut is_wide = flags & 1 != 0;
        while letters.len() < len {
            let before = letters.len();
            letters.extend(units(self.data, is_wide).take(len - before));
            let bytes = (letters.len() - before) * if is_wide { 2 } else { 1 };
            self.data = &self.data[bytes..];
            if letters.len() < len {
                // Each record says anew how its letters are written.
                self.data = &[];
                is_wide = self.byte()? & 1 != 0;
            }
        }
        self.skip(u64::from(runs) * 4 + u64::from(extension))?;
        Some(from_utf16(letters.into_iter()))
    }

    fn byte(&mut self) -> Option<u8> {
        if !self.has_more() {
            return None;
        }
        let (first, rest) = self.data.split_first()?;
        self.data = rest;
        Some(*first)
    }

    fn skip(&mut self, mut count: u64) -> Option<()> {
        while count > 0 {
            if !self.has_more() {
                return None;
            }
            let skipped = (self.data.len() as u64).min(count);
            self.data = &self.data[skipped as usize..];
            count -= skipped;
        }
        Some(())
    }
}

/// The records up to the first one that goes beyond the end of the stream.
pub(super) fn records(stream: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (kind, len) = (u16_at(stream, at)?, usize::from(u16_at(stream, at + 2)?));
        let start = at + 4;
        let data = stream.get(start..start + len)?;
        at = start + len;
        Some(Record { kind, data, at: start })
    })
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

pub(super) fn f64_at(bytes: &[u8], at: usize) -> Option<f64> {
    bytes.get(at..at + 8)?.try_into().ok().map(f64::from_le_bytes)
}

/// A number in four bytes, \[MS-XLS\] 2.5.217.
pub(super) fn rk(packed: u32) -> f64 {
    let (is_hundredths, is_integer) = (packed & 1 != 0, packed & 2 != 0);
    let number = if is_integer { f64::from(packed as i32 >> 2) } else { f64::from_bits(u64::from(packed & !3) << 32) };
    if is_hundredths { number / 100.0 } else { number }
}

/// An error value as a spreadsheet program shows it, by its code: \[MS-XLS\] 2.5.10.
pub(super) fn error_text(code: u8) -> &'static str {
    const ERRORS: &[(u8, &str)] = &[
        (0x00, "#NULL!"),
        (0x07, "#DIV/0!"),
        (0x0F, "#VALUE!"),
        (0x17, "#REF!"),
        (0x1D, "#NAME?"),
        (0x24, "#NUM!"),
        (0x2A, "#N/A"),
        (0x2B, "#GETTING_DATA"),
    ];
    ERRORS.iter().find(|(known, _)| *known == code).map_or("#ERROR", |(_, text)| text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn shared(records: &[&[u8]]) -> Option<Vec<String>> {
        SharedTexts::new(records.to_vec()).read(Limits::of(0)).ok()
    }

    #[test]
    fn shared_texts_go_over_the_ends_of_records() {
        assert_eq!(shared(&[b"\x02\0\0ab", b"\x01\0\x01\xFC\0"]).unwrap(), ["ab", "ü"]);
        // The second half is written in two bytes a letter.
        assert_eq!(shared(&[b"\x04\0\0ab", b"\x01c\0d\0\x01\0\0e"]).unwrap(), ["abcd", "e"]);
        // Runs and an extension behind the text.
        assert_eq!(shared(&[b"\x01\0\x0C\x01\0\x02\0\0\0x1234", b"56\x01\0\0y"]).unwrap(), ["x", "y"]);
        assert_eq!(shared(&[b"\xFF\xFF\0ab"]), None);
        assert_eq!(shared(&[]).unwrap(), [""; 0]);
    }

    #[test]
    fn numbers_in_four_bytes() {
        assert_eq!(rk(0x3FF0_0000), 1.0);
        assert_eq!(rk(0x3FF0_0001), 0.01);
        assert_eq!(rk(5 << 2 | 2), 5.0);
        assert_eq!(rk((-500_i32 << 2) as u32 | 3), -5.0);
    }

    #[test]
    fn texts_of_both_versions() {
        assert_eq!(Spelling::Biff8.text(b"\x02\0\x01\xFC\0b\0rest").unwrap(), "üb");
        assert_eq!(Spelling::Biff8.text(b"\x03\0\0a\xFC").unwrap(), "aü");
        assert_eq!(Spelling::Biff8.text(b"\0\0").unwrap(), "");
        let western = Spelling::Biff5(encoding_rs::WINDOWS_1252);
        assert_eq!(western.text(b"\x02\0\x80brest").unwrap(), "€b");
        assert_eq!(western.format_code(b"\x050.00x").unwrap(), "0.00x");
        assert_eq!(Spelling::Biff8.format_code(b"\x04\0\x000.00").unwrap(), "0.00");
        assert_eq!(Spelling::Biff8.format_code(b"\x040.00").unwrap(), "0.00");
    }
}
