//! The digits of a number style, as a format code has them: `#,##0.00`, `0.00E+00`, `# ?/?`.

use super::super::xml_scanner::XmlTag;

/// More digits than any number has.
const MOST_DIGITS: usize = 30;

/// What `number:number` says.
#[derive(Debug, Default)]
pub(super) struct Digits {
    /// None where the General format decides.
    decimals: Option<usize>,
    /// Decimals that are shown even where they are zero.
    least_decimals: usize,
    /// What stands for the other ones: `#` nothing, `?` a blank.
    optional_decimal: char,
    least_whole: usize,
    /// Digits that are blank where the number is shorter.
    blank_whole: usize,
    has_groups: bool,
    /// By how many thousands the number is divided.
    thousands: usize,
    /// Texts among the digits, each with the number of digits behind it.
    embedded: Vec<(usize, String)>,
}

impl Digits {
    /// Reads the attributes; none where they have no code.
    pub(super) fn of(tag: &XmlTag<'_>) -> Option<Digits> {
        let most_decimals = count(tag, "decimal-places", 0)?;
        let replacement = tag.text_attribute("decimal-replacement");
        let optional_decimal = match replacement.as_deref() {
            None | Some("") => '#',
            Some(blank) if blank.trim().is_empty() => '?',
            // `0.--`
            Some(_) => return None,
        };
        let kept = if replacement.is_some() { 0 } else { most_decimals };
        let least_decimals = count(tag, "min-decimal-places", kept)?.min(most_decimals);
        let thousands = match tag.text_attribute("display-factor").as_deref() {
            None | Some("1") => 0,
            Some("1000") => 1,
            Some("1000000") => 2,
            Some("1000000000") => 3,
            Some("1000000000000") => 4,
            Some(_) => return None,
        };
        Some(Digits {
            decimals: tag.attribute("decimal-places").map(|_| most_decimals),
            least_decimals,
            optional_decimal,
            least_whole: count(tag, "min-integer-digits", 0)?,
            blank_whole: count(tag, "max-blank-integer-digits", 0)?,
            has_groups: tag.attribute("grouping") == Some(b"true"),
            thousands,
            embedded: Vec::new(),
        })
    }

    /// Puts a text, quoted as in a code, before so many digits; a place behind the decimal point has no code.
    pub(super) fn embed(&mut self, place: i32, text: String) {
        // Beyond the most digits, the code as a whole is refused.
        self.embedded.push((usize::try_from(place).unwrap_or(usize::MAX), text));
    }

    pub(super) fn code(&self) -> Option<String> {
        let is_bare = self.least_whole <= 1 && !self.has_groups && self.thousands == 0 && self.embedded.is_empty();
        match self.decimals {
            None if is_bare => Some("General".to_owned()),
            // The program's setting decides how many decimals there are.
            None => None,
            Some(_) => Some(format!("{}{}{}", self.whole_code()?, self.decimal_code(), ",".repeat(self.thousands))),
        }
    }

    fn whole_code(&self) -> Option<String> {
        let embedded = self.embedded.iter().map(|(place, _)| place.saturating_add(1)).max().unwrap_or(1);
        let grouped = if self.has_groups { 4 } else { 1 };
        let width = embedded.max(grouped).max(self.least_whole).max(self.blank_whole);
        if width > MOST_DIGITS {
            return None;
        }
        let mut code = String::new();
        for digits in (0..=width).rev() {
            if digits < width {
                self.embedded.iter().filter(|(place, _)| *place == digits).for_each(|(_, text)| code.push_str(text));
            }
            if self.has_groups && digits % 3 == 0 && (1..width).contains(&digits) {
                code.push(',');
            }
            match digits {
                0 => {}
                digits if digits <= self.least_whole => code.push('0'),
                digits if digits <= self.blank_whole => code.push('?'),
                _ => code.push('#'),
            }
        }
        Some(code)
    }

    fn decimal_code(&self) -> String {
        let decimals = self.decimals.unwrap_or(0);
        let digit = |place| if place < self.least_decimals { '0' } else { self.optional_decimal };
        let point = if decimals > 0 { "." } else { "" };
        point.chars().chain((0..decimals).map(digit)).collect()
    }

    /// `0.00E+00`, `##0.0E+0`
    pub(super) fn scientific_code(&self, tag: &XmlTag<'_>) -> Option<String> {
        let interval = count(tag, "exponent-interval", 1)?;
        let exponent = "0".repeat(count(tag, "min-exponent-digits", 2)?.max(1));
        let sign = if tag.attribute("forced-exponent-sign") == Some(b"false") { '-' } else { '+' };
        let optional = "#".repeat(interval.saturating_sub(self.least_whole));
        let whole = "0".repeat(self.least_whole);
        let digits = if optional.len() + whole.len() == 0 { "#".to_owned() } else { optional + &whole };
        self.decimals?;
        Some(format!("{digits}{}E{sign}{exponent}", self.decimal_code()))
    }
}

/// `# ?/?`, `# ?/2`, `??/??`
pub(super) fn fraction_code(tag: &XmlTag<'_>) -> Option<String> {
    let part = |most: usize, zeros: usize| "?".repeat(most.saturating_sub(zeros)) + &"0".repeat(zeros.min(most));
    let numerator = count(tag, "min-numerator-digits", 1)?.max(1);
    let numerator = numerator.max(count(tag, "max-numerator-digits", 0)?);
    let numerator = part(numerator, count(tag, "zeros-numerator-digits", 0)?);
    let denominator = match tag.text_attribute("denominator-value") {
        Some(value) => {
            Some(value).filter(|value| value.len() < 9 && value.parse().is_ok_and(|value: u32| value > 0))?
        }
        None => {
            let largest = tag.text_attribute("max-denominator-value").map_or(0, |value| value.trim().len());
            let digits = count(tag, "min-denominator-digits", 1)?.max(1).max(largest.min(MOST_DIGITS));
            part(digits, count(tag, "zeros-denominator-digits", 0)?)
        }
    };
    let whole = match count(tag, "min-integer-digits", 0)? {
        _ if tag.attribute("min-integer-digits").is_none() => String::new(),
        0 => "# ".to_owned(),
        digits => "0".repeat(digits) + " ",
    };
    Some(format!("{whole}{numerator}/{denominator}"))
}

/// A number of digits, or another one where the tag does not say it; none where it makes no sense.
fn count(tag: &XmlTag<'_>, name: &str, otherwise: usize) -> Option<usize> {
    match tag.text_attribute(name) {
        Some(text) => text.trim().parse().ok().filter(|count| *count <= MOST_DIGITS),
        None => Some(otherwise),
    }
}
