//! ZIP archives of parts that are compressed already (APPNOTE 6.3.10): what a workbook is.

use std::io::{self, Read, Write};

/// A part of an archive.
#[derive(Debug, Clone, Copy)]
pub(super) struct ZipPart<'n> {
    /// In ASCII.
    pub(super) name: &'n str,
    /// [`STORED`] or [`DEFLATED`].
    pub(super) method: u16,
    /// Of the part before compression, like `size`.
    pub(super) crc: u32,
    pub(super) size: u64,
    pub(super) compressed: u64,
}

/// Writes parts one after the other. What does not fit into 32 bits is written as ZIP64.
pub(super) struct ZipWriter<W> {
    output: W,
    offset: u64,
    directory: Vec<u8>,
    parts: u64,
}

/// Methods of compression.
pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;

/// 1980-01-01, the earliest date there is: the same workbook is the same file.
const DATE: u16 = 0x21;
const FULL_16: u16 = u16::MAX;
const FULL_32: u32 = u32::MAX;

impl<W: Write> ZipWriter<W> {
    pub(super) fn new(output: W) -> Self {
        Self { output, offset: 0, directory: Vec::new(), parts: 0 }
    }

    /// Adds a part, whose compressed bytes are in `data`.
    pub(super) fn add(&mut self, part: ZipPart<'_>, data: &mut dyn Read) -> io::Result<()> {
        let is_large = part.size.max(part.compressed).max(self.offset) >= u64::from(FULL_32);
        let sizes = if is_large { [FULL_32; 2] } else { [part.compressed as u32, part.size as u32] };
        let version: u16 = if is_large { 45 } else { 20 };
        // From the version to the length of the name, which both headers have in common.
        let mut common = Vec::with_capacity(26);
        [version, 0, part.method, 0, DATE].iter().for_each(|field| common.extend(field.to_le_bytes()));
        [part.crc, sizes[0], sizes[1]].iter().for_each(|field| common.extend(field.to_le_bytes()));
        common.extend((part.name.len() as u16).to_le_bytes());

        let mut header = b"PK\x03\x04".to_vec();
        header.extend(&common);
        let extra = if is_large { zip64_extra(&[part.size, part.compressed]) } else { Vec::new() };
        header.extend((extra.len() as u16).to_le_bytes());
        header.extend(part.name.bytes());
        header.extend(extra);

        let extra = if is_large { zip64_extra(&[part.size, part.compressed, self.offset]) } else { Vec::new() };
        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(version.to_le_bytes());
        self.directory.extend(common);
        // The extra field, then comment, disk and attributes: none.
        self.directory.extend((extra.len() as u16).to_le_bytes());
        self.directory.extend([0; 10]);
        self.directory.extend(if is_large { FULL_32 } else { self.offset as u32 }.to_le_bytes());
        self.directory.extend(part.name.bytes());
        self.directory.extend(extra);

        self.output.write_all(&header)?;
        let copied = io::copy(data, &mut self.output)?;
        self.offset += header.len() as u64 + copied;
        self.parts += 1;
        Ok(())
    }

    /// Writes the directory, and returns the output.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.output.write_all(&self.directory)?;
        let (length, offset) = (self.directory.len() as u64, self.offset);
        let is_large = offset.max(length) >= u64::from(FULL_32) || self.parts >= u64::from(FULL_16);
        let mut end = Vec::new();
        if is_large {
            end.extend(b"PK\x06\x06");
            end.extend(44_u64.to_le_bytes());
            end.extend([45, 0, 45, 0]);
            end.extend([0; 8]);
            [self.parts, self.parts, length, offset].iter().for_each(|field| end.extend(field.to_le_bytes()));
            end.extend(b"PK\x06\x07\0\0\0\0");
            end.extend((offset + length).to_le_bytes());
            end.extend(1_u32.to_le_bytes());
        }
        end.extend(b"PK\x05\x06\0\0\0\0");
        let parts = if is_large { FULL_16 } else { self.parts as u16 };
        [parts, parts].iter().for_each(|field| end.extend(field.to_le_bytes()));
        let place = if is_large { [FULL_32; 2] } else { [length as u32, offset as u32] };
        place.iter().for_each(|field| end.extend(field.to_le_bytes()));
        end.extend([0; 2]);
        self.output.write_all(&end)?;
        self.output.flush()?;
        Ok(self.output)
    }
}

/// The extra field of ZIP64.
fn zip64_extra(values: &[u64]) -> Vec<u8> {
    let mut extra = 1_u16.to_le_bytes().to_vec();
    extra.extend((8 * values.len() as u16).to_le_bytes());
    values.iter().for_each(|value| extra.extend(value.to_le_bytes()));
    extra
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Cursor;

    use flate2::Crc;

    use super::*;

    fn stored<'n>(name: &'n str, text: &str, size: u64) -> ZipPart<'n> {
        let mut crc = Crc::new();
        crc.update(text.as_bytes());
        ZipPart { name, method: STORED, crc: crc.sum(), size, compressed: size }
    }

    fn names<R: Read + io::Seek>(archive: &zip::ZipArchive<R>) -> Vec<String> {
        archive.file_names().map(|name| name.unwrap().into_owned()).collect()
    }

    #[test]
    fn parts_can_be_read_back() {
        let mut zip = ZipWriter::new(Vec::new());
        for (name, text) in [("a.xml", "<a/>"), ("b/c.xml", "")] {
            zip.add(stored(name, text, text.len() as u64), &mut text.as_bytes()).unwrap();
        }
        let mut archive = zip::ZipArchive::new(Cursor::new(zip.finish().unwrap())).unwrap();
        assert_eq!(names(&archive), ["a.xml", "b/c.xml"]);
        let mut text = String::new();
        archive.by_name("a.xml").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "<a/>");
    }

    /// Counts what is written, and keeps what the reader of an archive looks at: its end.
    #[derive(Default)]
    struct Tail(u64, Vec<u8>);

    impl Write for Tail {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            self.1.extend_from_slice(bytes);
            let surplus = self.1.len().saturating_sub(1 << 12);
            self.1.drain(..surplus);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_larger_than_four_gigabytes_is_zip64() {
        const SIZE: u64 = 5 << 30;
        let mut zip = ZipWriter::new(Tail::default());
        zip.add(stored("large", "", SIZE), &mut io::empty()).unwrap();
        // As if its bytes had been written, which takes half a minute.
        zip.offset += SIZE;
        zip.output.0 += SIZE;
        zip.add(stored("behind", "x", 1), &mut "x".as_bytes()).unwrap();
        let Tail(length, tail) = zip.finish().unwrap();
        // A file with a hole, of which only the end is there.
        let mut file = tempfile::tempfile().unwrap();
        io::Seek::seek(&mut file, io::SeekFrom::Start(length - tail.len() as u64)).unwrap();
        file.write_all(&tail).unwrap();
        let mut archive = zip::ZipArchive::new(file).unwrap();
        assert_eq!(archive.by_index_raw(1).map(|part| part.size()).unwrap(), 1);
        assert_eq!(names(&archive), ["large", "behind"]);
    }
}
