//! Characters that nobody sees, or that look like others: one list for keys, names, headers and values.

use std::borrow::Cow;

/// Whether a character has no width and no meaning of its own in an inventory: soft hyphens, zero-width characters,
/// direction marks, variation selectors and fillers (Unicode: `Default_Ignorable_Code_Point`). White space is not one.
pub(crate) fn is_invisible(char: char) -> bool {
    matches!(
        char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A name, key or other short text as it is sent: without invisible characters.
///
/// Joiners and variation selectors stay between letters of scripts that are written with them.
pub(crate) fn without_invisible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text.trim());
    }
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.trim_matches(|char: char| char.is_whitespace() || is_invisible(char)).chars().peekable();
    while let Some(char) = chars.next() {
        let neighbours = (clean.chars().next_back(), chars.peek());
        match char {
            _ if is_joiner(char)
                && matches!(neighbours, (Some(left), Some(right)) if shapes(left) && shapes(*right)) =>
            {
                clean.push(char);
            }
            '\u{fe0f}' if neighbours.0.is_some_and(|left| !left.is_alphanumeric() && !left.is_ascii()) => {
                clean.push(char);
            }
            _ if is_invisible(char) => {}
            _ => clean.push(char),
        }
    }
    Cow::Owned(clean)
}

/// The two joiners of Indic, Arabic and Persian writing, and of emoji.
fn is_joiner(char: char) -> bool {
    matches!(char, '\u{200c}' | '\u{200d}')
}

/// Whether joiners beside the character change how it looks: letters of scripts from Hebrew to Khmer, and emoji.
fn shapes(char: char) -> bool {
    matches!(char, '\u{590}'..='\u{1fff}' | '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

/// A text for messages, in which what nobody can see stands as its code point: `LAP<U+200B>-1`.
pub(crate) fn revealed(text: &str) -> Cow<'_, str> {
    let hidden = |char: char| is_invisible(char) || (char.is_whitespace() && !char.is_ascii() && char != '\u{a0}');
    if text.is_ascii() || !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut revealed = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        if hidden(char) {
            revealed.push_str(&format!("<U+{:04X}>", u32::from(char)));
        } else {
            revealed.push(char);
        }
    }
    Cow::Owned(revealed)
}

/// A character that looks like a plain one in a code: what it is, and the plain one.
///
/// Only where most of the code is plain ASCII: in a name that is written in another script it is at home.
pub(crate) fn look_alike(code: &str) -> Option<(char, char)> {
    if code.is_ascii() || !code.chars().any(|char| char.is_ascii_alphanumeric()) {
        return None;
    }
    code.chars().find_map(|char| Some((char, plain_form(char)?)))
}

/// The ASCII character that a dash, or a letter of Greek or Cyrillic, is taken for.
fn plain_form(char: char) -> Option<char> {
    const LETTERS: &[(&str, &str)] =
        &[("АВЕКМНОРСТХУІЈЅԚԜаеорсухіјѕԛԝһ", "ABEKMHOPCTXYIJSQWaeopcyxijsqwh"), ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo")];
    if matches!(char, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' | '\u{2043}') {
        return Some('-');
    }
    LETTERS
        .iter()
        .find_map(|(look, plain)| look.chars().zip(plain.chars()).find(|pair| pair.0 == char))
        .map(|(_, plain)| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVISIBLE: [char; 16] = [
        '\u{ad}', '\u{34f}', '\u{61c}', '\u{180e}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}',
        '\u{202e}', '\u{2060}', '\u{2066}', '\u{fe0f}', '\u{feff}', '\u{3164}', '\u{e0041}',
    ];

    #[test]
    fn invisible_characters_are_not_sent_in_keys_and_names() {
        for char in INVISIBLE {
            for text in [format!("HF-LT{char}-0001"), format!("{char}HF-LT-0001"), format!("HF-LT-0001{char}{char}")] {
                assert_eq!(without_invisible(&text), "HF-LT-0001", "{text:?}");
            }
        }
        assert_eq!(
            without_invisible(" New\u{a0}York\nOffice "),
            "New\u{a0}York\nOffice",
            "white space is not invisible"
        );
    }

    #[test]
    fn what_a_script_or_an_emoji_needs_is_kept() {
        for text in
            ["علی\u{200c}رضا", "क्\u{200d}ष", "❤\u{fe0f} Café", "👩\u{200d}💻 desk", "Müller", "Straße 1", "plain"]
        {
            assert_eq!(without_invisible(text), text);
        }
    }

    #[test]
    fn what_nobody_sees_is_shown_as_a_code_point() {
        assert_eq!(revealed("LAP\u{200b}-1"), "LAP<U+200B>-1");
        assert_eq!(revealed("a\u{2009}b\u{ad}"), "a<U+2009>b<U+00AD>");
        assert_eq!(revealed("Müller"), "Müller");
    }

    #[test]
    fn letters_and_dashes_that_look_like_others_are_found_in_codes() {
        assert_eq!(look_alike("LAP\u{2013}0042"), Some(('\u{2013}', '-')));
        assert_eq!(look_alike("LАP-1"), Some(('А', 'A')), "a Cyrillic A");
        assert_eq!(look_alike("ΑB-7"), Some(('Α', 'A')), "a Greek Alpha");
        for plain in ["LAP-0042", "Müller-7", "ноутбук", "资产-1", ""] {
            assert_eq!(look_alike(plain), None, "{plain}");
        }
    }
}
