//! Whether text that was read as Windows-1252 looks as if it had been written in it.
//!
//! Any bytes can be read as Windows-1252, so that proves nothing. But text of another encoding, such as that of old Macs
//! and of DOS, then has odd characters inside its words: `MŸller`, `Stra§e`, `M„ller`.

use std::io::{self, BufRead, BufReader, Read};

/// Symbols that Western texts have, beside letters.
const SYMBOLS: &str = "’‘“”„‚«»‹›–—…•·°ºª§€£¥©®™±²³¹¼½¾×µ¿¡´\u{a0}";

/// Symbols that stand inside words.
const INNER: &str = "’–—·ºª°\u{a0}";

/// What has been seen of a text.
#[derive(Debug)]
struct WesternText {
    before: char,
    last: char,
    has_common_letters: bool,
    has_rare_letters: bool,
    is_odd: bool,
}

/// Whether all of a text is letters and punctuation that Western languages put together so.
pub(super) fn is_western(text: impl Read) -> io::Result<bool> {
    let mut seen =
        WesternText { before: ' ', last: ' ', has_common_letters: false, has_rare_letters: false, is_odd: false };
    let mut reader = BufReader::new(text);
    let mut line = Vec::new();
    while !seen.is_odd && reader.by_ref().take(1024 * 1024).read_until(b'\n', &mut line)? > 0 {
        if !line.is_ascii() {
            String::from_utf8_lossy(&line).chars().for_each(|char| seen.next(char));
            seen.next('\n');
        }
        line.clear();
    }
    Ok(!seen.is_odd && (seen.has_common_letters || !seen.has_rare_letters))
}

impl WesternText {
    fn next(&mut self, char: char) {
        self.is_odd |= is_odd_pair(self.last, char) || (is_inside(self.before, self.last, char));
        self.has_common_letters |= matches!(char, 'À'..='ÿ');
        self.has_rare_letters |= matches!(char, 'Š' | 'š' | 'Ž' | 'ž' | 'Ÿ' | 'ƒ');
        (self.before, self.last) = (self.last, char);
    }
}

/// Whether a character does not belong behind another one.
fn is_odd_pair(last: char, char: char) -> bool {
    if char.is_ascii() {
        return matches!(last, '™' | '©' | '®') && char.is_ascii_alphabetic();
    }
    let is_letter = char.is_alphabetic();
    match char {
        '÷' | '\u{80}'..='\u{9f}' => true,
        '„' | '‚' => last.is_alphabetic(),
        _ if is_letter => char.is_uppercase() && last.is_lowercase(),
        _ => !SYMBOLS.contains(char),
    }
}

/// Whether a symbol stands between two letters where none does.
fn is_inside(before: char, symbol: char, after: char) -> bool {
    let is_symbol = !symbol.is_ascii() && !symbol.is_alphabetic() && !INNER.contains(symbol);
    is_symbol && before.is_alphabetic() && after.is_alphabetic()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::is_western;

    fn read_as_1252(bytes: &[u8]) -> bool {
        let (text, _, _) = encoding_rs::WINDOWS_1252.decode(bytes);
        is_western(text.as_bytes()).unwrap()
    }

    #[test]
    fn western_text_is_known() {
        for text in [
            "Name;Ort\nJörg Müller;Zürich\nÉtienne Lœuvre;L’Isle-d’Abeau\n",
            "„Lager“ – 5 °C, 12 µm",
            "Größe 3×4, ½ Zoll",
            "Señor Ibáñez, ¿qué?",
            "Škoda Österreich",
            "Preis: 5 €",
            "MÜNCHEN",
            "Þór Æsir",
            "Crème brûlée™ • neu…",
            "Nº 5, 1ª planta",
            "all ASCII",
        ] {
            let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(text);
            assert!(read_as_1252(&bytes), "{text}");
        }
    }

    #[test]
    fn text_of_old_macs_and_of_dos_is_told_apart() {
        for text in ["Jörg Müller", "Gerät", "Straße", "Zürich", "Größe"] {
            let (bytes, _, _) = encoding_rs::MACINTOSH.encode(text);
            assert!(!read_as_1252(&bytes), "{text} of an old Mac");
        }
        for (bytes, text) in [
            (&b"M\x81ller"[..], "Müller"),
            (b"M\x84rz", "März"),
            (b"J\x94rg", "Jörg"),
            (b"Caf\x82", "Café"),
            (b"\x99sterreich", "Österreich"),
        ] {
            assert!(!read_as_1252(bytes), "{text} of DOS");
        }
    }
}
