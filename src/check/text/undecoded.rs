//! Signs that a text lost or changed letters on its way into the file: nothing is created from such text.

/// What happened to a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// UTF-8 that some program read as another encoding: `MÃ¼nchen`.
    OtherEncoding,
    /// A character as web pages write it: `R&amp;D`.
    HtmlEntity,
    /// A control character where a letter was.
    Control,
    /// A question mark where a letter was: `M?nchen`.
    QuestionMark,
}

impl Damage {
    /// What a message says of the text.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Damage::OtherEncoding => "was saved as UTF-8 and read in another encoding",
            Damage::HtmlEntity => "holds a character as web pages write it",
            Damage::Control => "holds a control character where a letter was",
            Damage::QuestionMark => "holds a question mark where a letter was",
        }
    }
}

/// The damage to a name or key, if it shows any.
pub(crate) fn damage_of(text: &str) -> Option<Damage> {
    if text.chars().any(|char| matches!(char, '\u{80}'..='\u{9f}')) {
        return Some(Damage::Control);
    }
    if !text.is_ascii() && text.split_whitespace().any(is_utf8_read_otherwise) {
        return Some(Damage::OtherEncoding);
    }
    if has_html_entity(text) {
        return Some(Damage::HtmlEntity);
    }
    has_lost_letter(text).then_some(Damage::QuestionMark)
}

/// Whether free text shows that its letters were read in another encoding. Question marks and `&amp;` may be meant there.
pub(crate) fn is_misread(text: &str) -> bool {
    !text.is_ascii() && matches!(damage_of(text), Some(Damage::OtherEncoding | Damage::Control))
}

/// Whether a word becomes other valid UTF-8 once it is written back in an encoding that programs read UTF-8 in by
/// mistake. Text that was meant so hardly ever does, but for marks beside accented letters: see [`is_typography`].
fn is_utf8_read_otherwise(word: &str) -> bool {
    // `Ã` and a no-break space, which splits words, is `à`.
    let word = if word.ends_with(['Ã', 'Â']) { format!("{word}\u{a0}") } else { word.to_owned() };
    let letters: Vec<char> = word.chars().collect();
    let by_other = [encoding_rs::WINDOWS_1252, encoding_rs::MACINTOSH].into_iter().any(|encoding| {
        let (bytes, _, unmappable) = encoding.encode(&word);
        !unmappable && std::str::from_utf8(&bytes).is_ok_and(|meant| is_changed(&letters, meant))
    });
    // The same of DOS: its line-drawing characters inside words.
    let is_drawn = |window: &[char]| window[0].is_alphabetic() && matches!(window[1], '\u{2500}'..='\u{257f}');
    by_other || letters.windows(2).any(is_drawn)
}

/// Whether a letter of `meant` explains the characters in its place better than that they were typed. Each byte of
/// `meant` is one of the characters.
fn is_changed(typed: &[char], meant: &str) -> bool {
    meant.char_indices().filter(|(_, letter)| !letter.is_ascii()).any(|(start, letter)| {
        let end = start + letter.len_utf8();
        typed.get(start..end).is_some_and(|found| {
            let before = start.checked_sub(1).and_then(|at| typed.get(at)).copied();
            let after = typed.get(end).copied();
            let has_neighbor = meant[end..].starts_with(|next: char| !next.is_ascii())
                || meant[..start].ends_with(|last: char| !last.is_ascii());
            !is_typography(found, letter, before, after, has_neighbor)
        })
    })
}

/// Whether characters are a mark beside an accented letter as people type them: `’é` in `l’école`, `É…` in `CASSÉ…`. As
/// bytes they are a letter by accident, mostly one that no name has.
fn is_typography(found: &[char], meant: char, before: Option<char>, after: Option<char>, has_neighbor: bool) -> bool {
    let [first, rest @ ..] = found else { return false };
    // Latin, Greek and Cyrillic, the letters that such damage is known from.
    let is_usual = matches!(meant, '\u{a0}'..='\u{17f}' | '\u{370}'..='\u{45f}' | '\u{1e00}'..='\u{1eff}');
    if is_mark(*first) {
        // Dashes begin each letter of Cyrillic: `–ü—Ä–∏–≤–µ—Ç`.
        let is_cyrillic = is_usual && (has_neighbor || !rest.iter().all(|char| char.is_alphabetic()));
        return !is_cyrillic;
    }
    if !first.is_alphabetic() || !rest.iter().all(|char| is_mark(*char)) {
        return false;
    }
    // `Ã…rhus`, `sÄ…`: marks are not followed by letters, nor is a capital preceded by a small letter.
    let is_inside = has_neighbor || after.is_some_and(char::is_alphabetic);
    let is_odd_capital = first.is_uppercase() && before.is_none_or(char::is_lowercase);
    !(is_usual && (is_inside || is_odd_capital))
}

/// Quotes, apostrophes, dashes and the like, which stand beside letters.
fn is_mark(char: char) -> bool {
    matches!(char, '’' | '‘' | '“' | '”' | '«' | '»' | '‹' | '›' | '…' | '–' | '—' | '\u{a0}')
}

/// `&amp;`, `&#39;`, `&#x27;`, `&uuml;`.
fn has_html_entity(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| {
        let Some((name, _)) = text[at + 1..].split_once(';') else { return false };
        match name.strip_prefix('#') {
            Some(code) => {
                let digits = code.strip_prefix(['x', 'X']).unwrap_or(code);
                (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
            None => (2..=8).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphabetic()),
        }
    })
}

/// A question mark between two letters of one word, or in front of one at its beginning.
fn has_lost_letter(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    chars.iter().enumerate().any(|(at, char)| {
        let next_is_letter = chars.get(at + 1).is_some_and(|next| next.is_alphabetic());
        let last = at.checked_sub(1).and_then(|at| chars.get(at));
        *char == '?' && next_is_letter && last.is_none_or(|last| last.is_alphabetic() || last.is_whitespace())
    })
}

#[cfg(test)]
mod tests {
    use super::{Damage, damage_of};

    #[test]
    fn damage_is_seen() {
        for (text, damage) in [
            ("MÃ¼nchen", Damage::OtherEncoding),
            ("CafÃ© GenÃ¨ve", Damage::OtherEncoding),
            ("Oâ€™Neil", Damage::OtherEncoding),
            ("StraÃŸe 5", Damage::OtherEncoding),
            ("M√ºller", Damage::OtherEncoding),
            ("M├╝ller", Damage::OtherEncoding),
            ("R&amp;D", Damage::HtmlEntity),
            ("O&#39;Neil", Damage::HtmlEntity),
            ("M&uuml;nchen", Damage::HtmlEntity),
            ("M\u{81}ller", Damage::Control),
            ("M?nchen", Damage::QuestionMark),
            ("?rebro", Damage::QuestionMark),
            ("Caf? Z?rich", Damage::QuestionMark),
        ] {
            assert_eq!(damage_of(text), Some(damage), "{text}");
        }
    }

    #[test]
    fn names_as_people_write_them_pass() {
        for text in [
            "München", "R&D", "Ben & Jerry; Co", "São Paulo", "Âge d’or", "Ãsgarður", "Where to?", "Łódź", "東京",
            "Møller", "Überwald", "A&B;C", "Crème", "Ö", "µm", "5 € Shop", "Ærø", "Côte d’Azur", "Škoda", "Straße",
        ] {
            assert_eq!(damage_of(text), None, "{text}");
        }
    }

    #[test]
    fn marks_beside_accented_letters_are_no_damage() {
        for text in [
            "Centre d’équipement",
            "L’école",
            "Zoé d’Éon",
            "Caixa d’água",
            "L’Équipe",
            "Salle de l’état-major",
            "PC CASSÉ…",
            "Cos’è",
            "À l’état neuf",
            "“Über uns” poster",
            "«única opción» de compra",
            "«écran cassé»",
            "“ótimo estado” diz o João",
            "«Élan 3» modèle",
            "Bloc d’État",
            "L’écran de l’ordinateur est cassé",
            "«cassé…»",
            "“CAFÉ”",
            "»CAFÉ«",
            "„CAFÉ“",
            "“café”—the",
            "Gruß…",
            "„Über“",
            "Paris–Évry",
            "…était",
            "‘été’",
            "IRMÃ",
            "IRMÃ…",
            "“ärger”",
            "dell’età",
            "C’è",
            "„Öl“",
            "„źródło”",
            "„Łódź”",
            "„čeština“",
            "“İzmir’e”",
            "Ankara’ya “ışık”",
            "“Đà Nẵng”",
            "“ấm”",
            "«Αθήνα»",
            "l’œuvre",
            "d’œil",
            "«à",
            "L’Île",
            "l’été–l’hiver",
        ] {
            assert_eq!(damage_of(text), None, "{text}");
        }
    }

    #[test]
    fn utf8_read_in_another_encoding_is_seen() {
        for word in [
            "München", "Århus", "ÅRHUS", "Örebro", "Café", "L’école", "Łódź", "Żywiec", "Nguyễn", "Huế", "Straße",
            "O’Neil", "l’été", "“Über”", "«única»", "Größe", "KÖLN", "Žižkov", "ışık", "José", "são", "Αθήνα",
            "Привет", "Нет", "5 €", "A – B", "CASSÉ…", "Zoë", "fût", "ANTÔNIO", "Ólafur",
        ] {
            for encoding in [encoding_rs::WINDOWS_1252, encoding_rs::MACINTOSH] {
                let (read, _) = encoding.decode_without_bom_handling(word.as_bytes());
                assert!(super::is_misread(&read), "{word} as {read}");
            }
        }
    }
}
