//! A column header taken apart: the word itself, and what stands in brackets behind it.
//!
//! Brackets often say nothing about which field is meant: `(YYYY-MM-DD)`, `(required)`, `[displayName]`. Anything else
//! in them may tell the column from the one without: `Asset Tag (old)` is no asset tag, and `Cost (k EUR)` no cost.

use super::fold::{compatible, fold_header, fold_letters};
use super::{Field, Kind};

/// `required` and `optional`, folded, in the languages of the header words.
const REQUIREMENTS: &[&str] = &[
    "required", "requiredfield", "mandatory", "compulsory", "optional", "ifany", "pflicht", "pflichtfeld",
    "pflichtangabe", "erforderlich", "notwendig", "freiwillig", "obligatoire", "requis", "facultatif", "facultative",
    "optionnel", "optionnelle", "obligatorio", "obligatoria", "requerido", "requerida", "opcional", "obrigatório",
    "obrigatória", "facoltativo", "facoltativa", "obbligatorio", "obbligatoria", "richiesto", "opzionale", "verplicht",
    "vereist", "optioneel", "obligatorisk", "påkrævet", "påkrevd", "valgfri", "valgfritt", "valfri", "pakollinen",
    "valinnainen", "wymagane", "opcjonalne", "povinné", "nepovinné", "обязательно", "необязательно", "wajib",
    "opsional", "必填", "选填", "可选", "必须", "必須", "任意",
];

/// Formats other than dates, folded: they tell how a value is written.
const FORMATS: &[&str] = &[
    "text", "string", "number", "numeric", "integer", "decimal", "date", "iso", "iso8601", "isodate", "iso4217", "utc",
    "boolean", "yn", "yesno", "truefalse", "jn", "janein", "ouinon", "sino", "síno", "json", "unique",
    "commaseparated", "dropdown", "digitsonly", "numbersonly", "wholenumber", "3letters", "threeletters",
];

/// What an example or a format begins with, without dots, and what a limit does: `e.g. LAP-0042`, `max. 50 letters`.
const EXAMPLE_BEGINNINGS: &[&str] = &["eg", "zb", "example", "beispiel", "exemple", "ejemplo", "format"];
const LIMIT_BEGINNINGS: &[&str] = &["max", "up to"];

/// Letters of date patterns in the languages of the header words: year, month, day, hour, second.
const DATE_LETTERS: &str = "ymdjtahsгмдчс年月日";

/// A header and what its brackets say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderText {
    /// The header's word, folded, without anything in brackets.
    pub word: String,
    /// All letters and digits: `Location (City)` may be one word.
    pub letters: String,
    /// The word with the qualifier: tells `Asset Tag (old)` from `Asset Tag`.
    pub whole: String,
    /// What the brackets say beyond formats, `required` and technical names, as typed; also a currency behind the word.
    pub qualifier: Option<String>,
}

impl HeaderText {
    pub fn parse(text: &str) -> Self {
        let normal = compatible(text);
        let groups = bracketed(&normal);
        let said: Vec<&str> = groups.iter().copied().filter(|group| !is_without_meaning(group)).collect();
        let word = fold_header(text);
        let letters = fold_letters(&normal.to_lowercase());
        if said.is_empty() {
            let qualifier = currency_sign(&normal).map(str::to_owned);
            return Self { whole: word.clone(), word, letters, qualifier };
        }
        let qualifier = said.join(" ");
        // `(old)` alone is the whole header.
        let whole = match groups_are_all(&normal) {
            true => word.clone(),
            false => format!("{word}{}", fold_letters(&qualifier.to_lowercase())),
        };
        Self { word, letters, whole, qualifier: Some(qualifier) }
    }

    /// As [`HeaderText::parse`], for a header that ends in a currency without brackets: `Cost in EUR`.
    pub fn with_currency_behind(text: &str) -> Option<Self> {
        let (rest, last) =
            text.trim_end().rsplit_once(|char: char| char.is_whitespace() || matches!(char, ',' | '_' | '-'))?;
        if !is_currency(last) || matches!(last, "ALL" | "TOP") {
            return None;
        }
        let rest = rest.trim_end_matches(|char: char| !char.is_alphanumeric());
        let rest = rest.strip_suffix(" in").unwrap_or(rest);
        let whole = fold_header(text);
        Some(Self { word: fold_header(rest), letters: whole.clone(), whole, qualifier: Some(last.to_owned()) })
    }

    /// Whether a header of this word that feeds `field` means nothing but that field: it has no qualifier, or one that
    /// is a unit of the field.
    pub fn fits(&self, field: &Field) -> bool {
        let Some(qualifier) = &self.qualifier else { return true };
        let folded = fold_letters(&qualifier.to_lowercase());
        let is_other_word =
            field.also.iter().any(|word| fold_header(word) == folded) || fold_header(field.name) == folded;
        is_other_word || is_unit(field, qualifier, &folded)
    }

    /// Whether the qualifier is a currency.
    pub fn has_currency(&self) -> bool {
        self.qualifier.as_deref().is_some_and(is_currency)
    }

    /// What the header says about the amounts of a field of money: its currency, as typed.
    pub fn currency(&self, field: &Field) -> Option<&str> {
        self.qualifier.as_deref().filter(|text| field.kind == Kind::Money && is_currency(text))
    }
}

/// A word for what a number of that field counts, or a currency of an amount.
fn is_unit(field: &Field, qualifier: &str, folded: &str) -> bool {
    match field.kind {
        Kind::Money => is_currency(qualifier),
        Kind::Integer { .. } if field.name.ends_with("_months") => {
            matches!(
                folded,
                "months"
                    | "month"
                    | "inmonths"
                    | "monate"
                    | "inmonaten"
                    | "mois"
                    | "enmois"
                    | "meses"
                    | "mesi"
                    | "maanden"
                    | "mo"
            )
        }
        Kind::Integer { .. } => matches!(
            folded,
            "pcs"
                | "pc"
                | "pieces"
                | "units"
                | "unit"
                | "items"
                | "each"
                | "ea"
                | "qty"
                | "count"
                | "no"
                | "seats"
                | "stück"
                | "stk"
                | "pièces"
                | "unités"
                | "unidades"
                | "uds"
                | "piezas"
                | "pezzi"
                | "stuks"
                | "个"
                | "台"
                | "件"
        ),
        // A sign beside the word, as in `Price list €`.
        _ => currency_sign(qualifier).is_some_and(|sign| sign == qualifier.trim()),
    }
}

/// Every text in brackets, and what follows the last of them. Unclosed brackets reach to the end.
fn bracketed(text: &str) -> Vec<&str> {
    let mut groups = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['(', '[', '{']) {
        let inner = &rest[start + 1..];
        let end = inner.find([')', ']', '}']).unwrap_or(inner.len());
        groups.push(inner[..end].trim());
        rest = inner.get(end + 1..).unwrap_or_default();
    }
    if !groups.is_empty() {
        groups.push(rest.trim());
    }
    groups
}

/// Whether nothing stands before the first bracket, so that its text is the header's own word.
fn groups_are_all(text: &str) -> bool {
    text.trim_start().starts_with(['(', '[', '{'])
}

fn is_without_meaning(group: &str) -> bool {
    if is_technical_name(group) {
        return true;
    }
    group.split([',', ';']).all(|part| {
        let lower = part.trim().to_lowercase();
        let folded = fold_letters(&lower);
        let goes_on = |word: &&str| rest_after(&lower, word).is_some_and(|rest| rest.contains(char::is_alphanumeric));
        let has_limit = |word: &&str| {
            rest_after(&lower, word).is_some_and(|rest| rest.contains(|char: char| char.is_ascii_digit()))
        };
        folded.is_empty()
            || REQUIREMENTS.contains(&folded.as_str())
            || FORMATS.contains(&folded.as_str())
            || matches!(lower.as_str(), "0/1" | "1/0" | "1 or 0" | "0 or 1")
            || EXAMPLE_BEGINNINGS.iter().any(goes_on)
            || LIMIT_BEGINNINGS.iter().any(has_limit)
            || is_date_pattern(&lower)
    })
}

/// What follows a word that the text begins with, spelled with dots or without (`e.g.`).
fn rest_after<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let mut letters = word.chars().peekable();
    for (at, char) in text.char_indices() {
        match letters.peek() {
            Some(next) if *next == char => drop(letters.next()),
            Some(_) if matches!(char, '.' | ' ') => {}
            Some(_) => return None,
            None => return (!char.is_alphabetic()).then(|| &text[at..]),
        }
    }
    None
}

/// A name that only a program would write: `displayName`, `user_principal_name`.
fn is_technical_name(text: &str) -> bool {
    let is_plain = !text.is_empty() && text.chars().all(|char| char.is_alphanumeric());
    let hump = text.chars().zip(text.chars().skip(1)).any(|(left, right)| left.is_lowercase() && right.is_uppercase());
    is_plain && hump
}

/// `YYYY-MM-DD`, `TT.MM.JJJJ hh:mm`, or an example such as `31.12.2026`.
fn is_date_pattern(text: &str) -> bool {
    let parts: Vec<&str> = text.split(|char: char| !char.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let is_letters = |part: &&str| part.chars().all(|char| DATE_LETTERS.contains(char)) && is_repeated(part);
    let is_pattern = parts.iter().all(|part| is_letters(part) || *part == "or" || *part == "hh" || *part == "ss")
        && parts.iter().map(|part| part.chars().count()).sum::<usize>() >= 4
        && parts.len() <= 8
        && parts.len() >= 2;
    let compact = parts.len() == 1
        && matches!(
            parts[0],
            "yyyymmdd" | "ddmmyyyy" | "mmddyyyy" | "jjjjmmtt" | "ttmmjjjj" | "yymmdd" | "yyyy" | "jjjj"
        );
    let is_number = |part: &&str| part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
    is_pattern || compact || (parts.len() == 3 && parts.iter().all(is_number))
}

/// One letter over and over, as `MM`.
fn is_repeated(part: &str) -> bool {
    let mut chars = part.chars();
    chars.next().is_some_and(|first| chars.all(|char| char == first))
}

/// An ISO 4217 code, a sign or a common word for a currency; not `k EUR` or `Mio. €`.
fn is_currency(text: &str) -> bool {
    let text = text.trim();
    let text = ["in ", "en "].iter().find_map(|word| strip_prefix_ignoring_case(text, word)).unwrap_or(text).trim();
    let lower = text.to_lowercase();
    if matches!(lower.as_str(), "euro" | "euros" | "sfr" | "fr." | "kr" | "kr." | "dollar" | "dollars" | "usd$" | "zł")
    {
        return true;
    }
    let is_common = matches!(lower.as_str(), "eur" | "usd" | "gbp" | "chf");
    let is_code = |code: &str| code.len() == 3 && iso_currency::Currency::from_code(code).is_some();
    if is_common || is_code(text) {
        return true;
    }
    let letters: String = text.chars().filter(|char| !is_sign(*char) && !char.is_whitespace()).collect();
    let has_sign = text.chars().filter(|char| is_sign(*char)).count() == 1;
    let is_country = matches!(
        letters.as_str(),
        "US" | "A" | "AU" | "C" | "CA" | "CAN" | "NZ" | "HK" | "S" | "SG" | "R" | "RD" | "MX" | "NT" | "CN" | "JP"
    );
    has_sign && (letters.is_empty() || is_country || is_code(&letters))
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let start = text.get(..prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// The first currency sign in a text.
fn currency_sign(text: &str) -> Option<&str> {
    text.char_indices().find(|(_, char)| is_sign(*char)).map(|(at, char)| &text[at..at + char.len_utf8()])
}

/// The currency signs of Unicode that are in use.
fn is_sign(char: char) -> bool {
    matches!(char, '$' | '£' | '¥' | '฿' | '\u{20a0}'..='\u{20c0}' | '円' | '元')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::HeaderText;
    use crate::schema::collection;

    fn fits(collection_name: &str, field: &str, header: &str) -> bool {
        HeaderText::parse(header).fits(collection(collection_name).unwrap().field(field).unwrap())
    }

    #[test]
    fn formats_requirements_and_technical_names_say_nothing() {
        for header in [
            "Purchase Date", "Purchase Date (YYYY-MM-DD)", "Purchase Date [DD/MM/YYYY]", "Purchase Date (TT.MM.JJJJ)",
            "Purchase Date (JJ/MM/AAAA)", "Purchase Date (yyyy-mm-dd hh:mm)", "Purchase Date (required)",
            "Purchase Date (Pflichtfeld)", "Purchase Date (必填)", "Purchase Date (required, YYYY-MM-DD)",
            "Purchase Date (e.g. 2026-01-31)", "Purchase Date (z.B. 31.12.2026)", "Purchase Date (31.12.2026)",
            "Purchase Date (ISO 8601)", "Purchase Date (max 10 characters)", "Purchase Date [purchaseDate] Required",
            "Purchase Date (obligatoire) *", "Purchase Date（任意）",
        ] {
            let parsed = HeaderText::parse(header);
            assert_eq!((parsed.whole.as_str(), parsed.qualifier), ("purchasedate", None), "{header}");
        }
    }

    #[test]
    fn any_other_qualifier_is_kept() {
        for (header, qualifier) in [
            ("Asset Tag (old)", "old"),
            ("Serial Number (monitor)", "monitor"),
            ("Location [previous]", "previous"),
            ("Quantity (used)", "used"),
            ("Purchase Cost (k EUR)", "k EUR"),
            ("Cost (net)", "net"),
            ("Location (2)", "2"),
            ("Asset Tag (required) old", "old"),
            ("Asset Tag (alt)", "alt"),
            ("Asset Tag (alte Nummer", "alte Nummer"),
            ("Serial (days)", "days"),
            ("Asset Tag (my)", "my"),
        ] {
            let parsed = HeaderText::parse(header);
            assert_eq!(parsed.qualifier.as_deref(), Some(qualifier), "{header}");
            assert_ne!(parsed.whole, parsed.word, "{header}");
            let field = if header.contains("Cost") { "purchase_cost" } else { "asset_id" };
            assert!(!fits("assets", field, header), "{header}");
        }
    }

    #[test]
    fn units_belong_to_fields() {
        for header in ["Cost (EUR)", "Cost (€)", "Cost (US$)", "Cost [in EUR]", "Cost (eur)", "Price €", "Cost (CHF)"]
        {
            assert!(fits("assets", "purchase_cost", header), "{header}");
        }
        for header in
            ["Cost (k€)", "Cost (Mio. EUR)", "Cost (T€)", "Cost (thousands)", "Cost (EUR/month)", "Cost (old)"]
        {
            assert!(!fits("assets", "purchase_cost", header), "{header}");
        }
        assert!(fits("accessories", "quantity", "Quantity (pcs)"));
        assert!(!fits("accessories", "quantity", "Quantity (EUR)"));
        assert!(fits("products", "end_of_life_months", "EOL (months)"));
        assert!(!fits("products", "end_of_life_months", "EOL (years)"));
        assert!(fits("assets", "asset_serial", "Serial Number (S/N)"), "another word for the field");
    }

    #[test]
    fn the_currency_is_data() {
        let field = collection("assets").unwrap().field("purchase_cost").unwrap();
        for (header, currency) in
            [("Cost (EUR)", "EUR"), ("Price ($)", "$"), ("Price €", "€"), ("Cost (in CHF)", "in CHF")]
        {
            assert_eq!(HeaderText::parse(header).currency(field), Some(currency), "{header}");
        }
        assert_eq!(HeaderText::with_currency_behind("Cost in EUR").unwrap().currency(field), Some("EUR"));
        assert_eq!(HeaderText::with_currency_behind("Purchase Cost EUR").unwrap().word, "purchasecost");
        assert_eq!(HeaderText::with_currency_behind("Purchase Cost old"), None);
        assert_eq!(HeaderText::parse("Cost").currency(field), None);
    }
}
