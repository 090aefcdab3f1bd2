#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn read(bytes: &[u8]) -> (String, Certainty, ReplacementChars, String) {
    let detected = detect_in(bytes).unwrap();
    let mut text = String::new();
    let mut reader = Utf8Text::new(bytes, detected.encoding, detected.line_ending);
    reader.read_to_string(&mut text).unwrap();
    (detected.encoding.to_string(), detected.certainty, detected.replacement_chars, text)
}

fn detect_in(bytes: &[u8]) -> Result<DetectedEncoding, ReadFault> {
    let bytes = bytes.to_vec();
    detect(&move || Ok(Box::new(std::io::Cursor::new(bytes.clone()))), None)
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

#[test]
fn names_as_people_write_them() {
    let name = |label: &str| Encoding::parse(label).map(|encoding| encoding.to_string());
    assert_eq!(name("UTF-8").as_deref(), Some("UTF-8"));
    assert_eq!(name("latin1").as_deref(), Some("Windows-1252"));
    assert_eq!(name("Mac Roman").as_deref(), Some("Mac OS Roman"));
    assert_eq!(name("sjis").as_deref(), Some("Shift_JIS"));
    assert_eq!(name("klingon"), None);
}

#[test]
fn utf8_is_sure_with_and_without_a_mark() {
    let expected = ("UTF-8".into(), Certainty::Certain, ReplacementChars::Absent, "Zoë,Łódź\n".into());
    assert_eq!(read("Zoë,Łódź\n".as_bytes()), expected);
    assert_eq!(read("\u{FEFF}Zoë,Łódź\n".as_bytes()), expected);
}

#[test]
fn utf16_needs_no_mark() {
    let text = "asset_id,name\n1,Zoë\n";
    let le = utf16(text, u16::to_le_bytes);
    assert_eq!(read(&le), ("UTF-16".into(), Certainty::Certain, ReplacementChars::Absent, text.into()));
    let be = utf16(text, u16::to_be_bytes);
    assert_eq!(read(&be), ("UTF-16 (big-endian)".into(), Certainty::Certain, ReplacementChars::Absent, text.into()));
    let marked = [&b"\xFF\xFE"[..], &le].concat();
    assert_eq!(read(&marked).3, text);
}

#[test]
fn a_stray_byte_does_not_turn_the_file_into_another_encoding() {
    let mut bytes = "Zoë,Łódź,Köln\n".repeat(50).into_bytes();
    bytes.extend(b"caf\xE9\n");
    let (encoding, certainty, replacement_chars, text) = read(&bytes);
    assert_eq!(
        (encoding.as_str(), certainty, replacement_chars),
        ("UTF-8", Certainty::Guessed, ReplacementChars::Present)
    );
    assert!(text.ends_with("caf\u{FFFD}\n"));
    assert!(text.starts_with("Zoë"));
}

#[test]
fn legacy_encodings_are_guessed() {
    let western = "Modèle,Prix unitaire,Désignation\nécran,12,à côté de l'entrée\n".repeat(3);
    let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(&western);
    assert_eq!(read(&bytes), ("Windows-1252".into(), Certainty::Likely, ReplacementChars::Absent, western));
    let japanese = "資産番号,名称,場所\n1,ノートパソコン,東京本社\n2,プリンター,大阪支店\n".repeat(3);
    let (bytes, ..) = encoding_rs::SHIFT_JIS.encode(&japanese);
    assert_eq!(read(&bytes), ("Shift_JIS".into(), Certainty::Guessed, ReplacementChars::Absent, japanese));
}

#[test]
fn old_mac_exports_end_lines_with_cr_alone() {
    assert_eq!(
        read(b"Mod\x8Fle,Lieu\r\x8Ecran,Orl\x8Eans\r"),
        ("Mac OS Roman".into(), Certainty::Guessed, ReplacementChars::Absent, "Modèle,Lieu\nécran,Orléans\n".into())
    );
}

#[test]
fn nul_and_replacement_characters_are_seen() {
    assert_eq!(read(b"a,b\n1,x\0y\n1,2,3,4,5,6,7,8\n").2, ReplacementChars::Present);
    assert_eq!(read(b"a,b\n1,x\0y\n1,2,3,4,5,6,7,8\n").3, "a,b\n1,x\u{FFFD}y\n1,2,3,4,5,6,7,8\n");
    assert_eq!(read("a,b\n1,Z\u{FFFD}rich\n".as_bytes()).2, ReplacementChars::Present);
}

#[test]
fn binary_data_is_refused() {
    let noise: Vec<u8> = (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert!(matches!(detect_in(&noise), Err(ReadFault::NotText)));
}

#[test]
fn a_sequence_may_straddle_the_buffer() {
    let text = format!("{}€,x\n", "a".repeat(256 * 1024 - 1));
    assert_eq!(read(text.as_bytes()).1, Certainty::Certain);
}
