//! Error values of spreadsheet programs as text, which is what CSV files and pasted values hold.

/// The longest error value, in bytes: `#NENÍ_K_DISPOZICI`, or Cyrillic ones.
const LONGEST: usize = 40;

/// "Not available" in the languages of spreadsheet programs, in upper case. Unlike all other error values they do not
/// end in `!` or `?`.
const NOT_AVAILABLE: &[&str] = &[
    "#N/A", "#N/A N/A", "#NV", "#N/D", "#N/B", "#N/T", "#I/T", "#YOK", "#Н/Д", "#HIÁNYZIK", "#NENÍ_K_DISPOZICI",
    "#NEDOSTUPNÝ", "#GETTING_DATA", "#N/DISP", "#N.A.", "#PUUTTUU", "#SAKNAS",
];

/// The error values that end in `!` or `?`, in upper case, as far as people type them in other cases.
const ENGLISH: &[&str] = &["#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#ERROR!", "#SPILL!", "#CALC!"];

/// What LibreOffice puts before the number of an error, in lower case.
const NUMBERED: &[&str] = &["err", "error", "fehler", "erro", "fout", "fel", "fejl", "hiba", "błąd", "virhe", "ошибка"];

/// The numbers of LibreOffice's errors.
const ERROR_NUMBERS: std::ops::RangeInclusive<u16> = 500..=599;

/// Whether a trimmed text is an error value such as `#REF!`, `#WERT!`, `#¿NOMBRE?`, `#N/A` or `Err:502`.
#[inline]
pub(crate) fn is_error_word(text: &str) -> bool {
    match text.as_bytes() {
        [b'#', rest @ ..] => !rest.is_empty() && rest.len() < LONGEST && is_hash_word(text),
        bytes @ [.., b':', _, _, b'0'..=b'9'] if bytes.len() <= LONGEST => is_numbered(text),
        _ => false,
    }
}

/// All programs and languages write `#`, capitals, and `!` or `?`: the words themselves need not be known.
fn is_hash_word(text: &str) -> bool {
    let upper = text.to_uppercase();
    if NOT_AVAILABLE.contains(&upper.as_str()) || ENGLISH.contains(&upper.as_str()) {
        return true;
    }
    let word = text.strip_prefix('#').and_then(|word| word.strip_suffix(['!', '?']));
    word.is_some_and(|word| {
        let word = word.trim_start_matches(['¡', '¿']);
        let is_part = |char: char| char.is_uppercase() || matches!(char, '/' | '0' | '_' | '\u{300}'..='\u{36f}');
        word.chars().filter(|char| char.is_uppercase()).count() > 1 && word.chars().all(is_part)
    })
}

/// `Err:502`, `Err :502`, `#ERR502` has no colon and is not one.
fn is_numbered(text: &str) -> bool {
    let Some((word, number)) = text.split_once(':') else { return false };
    let is_number = number.len() == 3 && number.parse().is_ok_and(|number| ERROR_NUMBERS.contains(&number));
    is_number && NUMBERED.contains(&word.trim_end().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::is_error_word;
    use proptest::prelude::*;

    #[test]
    fn error_values_of_all_languages_are_known() {
        for word in [
            "#REF!", "#ref!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#N/A", "#n/a", "#SPILL!", "#CALC!",
            "#GETTING_DATA", "#BLOCKED!", "#ERROR!", "#MACRO?", "#WERT!", "#BEZUG!", "#ZAHL!", "#NV", "#ÜBERLAUF!",
            "#NUL!", "#VALEUR!", "#NOM?", "#NOMBRE!", "#¡VALOR!", "#¿NOMBRE?", "#¡DIV/0!", "#¡REF!", "#N/D",
            "#VALORE!", "#RIF!", "#NOME?", "#NÚM!", "#WAARDE!", "#VERW!", "#DEEL/0!", "#N/B", "#VÄRDEFEL!", "#SAKNAS!",
            "#I/T", "#ARG!", "#ADR!", "#DZIEL/0!", "#HODNOTA!", "#DĚLENÍ_NULOU!", "#ZÉRÓOSZTÓ!", "#HIÁNYZIK", "#ЗНАЧ!",
            "#ССЫЛКА!", "#Н/Д", "#DEĞER!", "#YOK", "#PUUTTUU!", "Err:502", "Err:508", "err:504", "Err :502",
            "Fehler:522", "Erro:502", "Błąd:502",
        ] {
            assert!(is_error_word(word), "{word}");
        }
    }

    #[test]
    fn other_texts_are_values() {
        for text in [
            "", "#", "#!", "#1", "#12!", "#730242", "#Wow!", "#help!", "#A-1", "#NVMe", "NV", "N/A", "REF!",
            "#REF! 12", "Err", "Err:", "Err:5", "Err:404", "Err:5021", "Error: 502", "12:30", "10:502", "Room:502",
            "#A!", "##", "C#!", "https://example.com:502",
        ] {
            assert!(!is_error_word(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[#]?\\PC*") {
            is_error_word(&text);
        }
    }
}
