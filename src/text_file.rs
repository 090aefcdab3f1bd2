//! Small text files that people write: mapping files, the configuration, a key.
//!
//! They are UTF-8, or UTF-16 with a byte order mark: what `>` and `Out-File` of Windows PowerShell write.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::Path;

use encoding_rs::UTF_8;

/// The text of a file, without its byte order mark.
///
/// # Errors
/// Where it cannot be read, and [`io::ErrorKind::InvalidData`] where it is in another encoding.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    match decode(&fs::read(path)?) {
        (text, false) => Ok(text.into_owned()),
        (_, true) => Err(io::Error::new(io::ErrorKind::InvalidData, "it is neither UTF-8 nor UTF-16 text")),
    }
}

/// As [`read`], but what is no text in these encodings becomes replacement characters.
pub(crate) fn read_lossy(path: &Path) -> io::Result<String> {
    Ok(decode(&fs::read(path)?).0.into_owned())
}

/// The text, and whether some of it could not be read.
fn decode(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    let (text, _, has_errors) = UTF_8.decode(bytes);
    (text, has_errors)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// As Windows PowerShell writes it, with the low byte first, or the other way round.
    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn text_of_both_encodings_is_the_same() {
        let text = "[assets]\r\n\"Größe\" = \"notes\"\r\n";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mapping.toml");
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        let files = [text.as_bytes().to_vec(), marked, utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes)];
        for bytes in files {
            fs::write(&path, bytes).unwrap();
            assert_eq!((read(&path).unwrap(), read_lossy(&path).unwrap()), (text.to_owned(), text.to_owned()));
        }
        fs::write(&path, b"Gr\xf6\xdfe").unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(read_lossy(&path).unwrap(), "Gr\u{fffd}\u{fffd}e");
        fs::write(&path, b"").unwrap();
        assert_eq!(read(&path).unwrap(), "");
    }
}
