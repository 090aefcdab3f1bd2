//! Number styles of OpenDocument, translated to the format codes that .xlsx has for them.
//!
//! A style is a list of elements in the order of what they show: digits, texts, a currency, parts of a date. Other
//! styles may stand for some of its numbers, such as the negative ones ([`StyleMap`]). Whatever has no code, such as the
//! week of a year, leaves the style without one.
//!
//! Source: OpenDocument 1.3, part 3, section 16.29 (number styles), and what LibreOffice adds to it (`loext:`).

use super::super::xml_scanner::{TagKind, XmlTag};
use super::digits::Digits;
use super::locale::identifier;

/// The place of a currency that the cells themselves tell, in a format code.
const OPEN_CURRENCY: &str = "[$]";
/// Longer codes are given up: no spreadsheet program takes one of more than 255 characters.
const LONGEST_CODE: usize = 1_000;

/// What a style shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StyleKind {
    Number,
    Percentage,
    /// Dates, times and spans.
    Time,
    Boolean,
    Text,
}

/// A number style.
#[derive(Debug)]
pub(super) struct NumberStyle {
    kind: StyleKind,
    /// The section that it is itself; none once something in it has no code.
    code: Option<String>,
    maps: Vec<StyleMap>,
    /// The sign of a currency of which the style does not say the country.
    sign: String,
    /// Whether the hours, or whatever comes first, go on beyond a day.
    is_elapsed: bool,
    /// Whether the last part of a time was the hour, and whether minutes wait for the seconds, without which they would be
    /// months.
    is_behind_hour: bool,
    has_loose_minutes: bool,
    open: Option<OpenElement>,
}

/// Another style for numbers that meet a condition.
#[derive(Debug)]
struct StyleMap {
    /// As in a format code: `>=0`.
    condition: String,
    style: String,
}

/// An element of which more is to come.
#[derive(Debug)]
enum OpenElement {
    /// Digits, and the place of a text among them.
    Digits(Digits, i32),
    /// The language and country of a currency's sign, as in a code.
    Currency(Option<&'static str>),
}

/// A style's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StyleCode {
    Code(String),
    /// A code with a place for the currency that a cell tells; the sign is the one that the style shows.
    InCurrency {
        code: String,
        sign: String,
    },
    Boolean,
    /// What the style shows has no code.
    None,
}

impl NumberStyle {
    /// Begins a style, if the tag is one.
    pub(super) fn begin(tag: &XmlTag<'_>) -> Option<NumberStyle> {
        let kind = match tag.name {
            b"number-style" | b"currency-style" => StyleKind::Number,
            b"percentage-style" => StyleKind::Percentage,
            b"date-style" | b"time-style" => StyleKind::Time,
            b"boolean-style" => StyleKind::Boolean,
            b"text-style" => StyleKind::Text,
            _ => return None,
        };
        // The country decides the names of months. For numbers it decides signs that are not in their code.
        let locale = identifier(tag).filter(|_| kind == StyleKind::Time).map(|locale| format!("[$-{locale}]"));
        Some(NumberStyle {
            kind,
            code: Some(locale.unwrap_or_default()),
            maps: Vec::new(),
            sign: String::new(),
            is_elapsed: tag.attribute("truncate-on-overflow") == Some(b"false"),
            is_behind_hour: false,
            has_loose_minutes: false,
            open: None,
        })
    }

    /// Takes in a tag within the style.
    pub(super) fn observe(&mut self, tag: &XmlTag<'_>) {
        if tag.kind == TagKind::Close {
            return self.end_element(tag);
        }
        match tag.name {
            b"number" => match Digits::of(tag) {
                Some(digits) if tag.kind == TagKind::Open => self.open = Some(OpenElement::Digits(digits, 0)),
                digits => self.push(digits.and_then(|digits| digits.code())),
            },
            b"scientific-number" => self.push(Digits::of(tag).and_then(|digits| digits.scientific_code(tag))),
            b"fraction" => self.push(super::digits::fraction_code(tag)),
            b"embedded-text" => match &mut self.open {
                Some(OpenElement::Digits(_, place)) => {
                    *place = tag.text_attribute("position").and_then(|place| place.parse().ok()).unwrap_or(-1);
                }
                _ => self.code = None,
            },
            b"currency-symbol" if tag.kind == TagKind::SelfClosing => self.push_currency("", None),
            b"currency-symbol" => self.open = Some(OpenElement::Currency(identifier(tag))),
            b"map" => self.add_map(tag),
            b"text-properties" => self.set_color(tag),
            b"text-content" => self.push(Some("@")),
            b"text" | b"fill-character" | b"boolean" => {}
            _ => self.push_time(tag),
        }
    }

    fn end_element(&mut self, tag: &XmlTag<'_>) {
        match (tag.name, self.open.take()) {
            (b"text", _) => self.push_text(&tag.untrimmed_text()),
            (b"fill-character", _) => {
                let fill = tag.untrimmed_text().chars().next();
                self.push(fill.map(|char| format!("*{char}")));
            }
            (b"embedded-text", Some(OpenElement::Digits(mut digits, place))) => {
                digits.embed(place, quoted(&tag.untrimmed_text(), ""));
                self.open = Some(OpenElement::Digits(digits, 0));
            }
            (b"number", Some(OpenElement::Digits(digits, _))) => self.push(digits.code()),
            (b"currency-symbol", Some(OpenElement::Currency(locale))) => {
                self.push_currency(tag.untrimmed_text().trim(), locale);
            }
            _ => {}
        }
    }

    fn push(&mut self, more: Option<impl AsRef<str>>) {
        let whole = self.code.take().zip(more).map(|(code, more)| code + more.as_ref());
        self.code = whole.filter(|code| code.len() <= LONGEST_CODE);
    }

    fn push_text(&mut self, text: &str) {
        let bare = match self.kind {
            StyleKind::Percentage => "%",
            StyleKind::Time => "/.,",
            _ => "",
        };
        self.push(Some(quoted(text, bare)));
    }

    fn push_currency(&mut self, sign: &str, locale: Option<&str>) {
        let is_odd = sign.len() > 20 || sign.contains(['[', ']', '-']);
        match locale {
            _ if is_odd => self.code = None,
            Some(locale) if !sign.is_empty() => self.push(Some(format!("[${sign}-{locale}]"))),
            _ => {
                self.push(Some(OPEN_CURRENCY));
                sign.clone_into(&mut self.sign);
            }
        }
    }

    fn add_map(&mut self, tag: &XmlTag<'_>) {
        let condition = tag.text_attribute("condition").and_then(|condition| condition_code(&condition));
        match (condition, tag.text_attribute("apply-style-name")) {
            (Some(condition), Some(style)) if self.maps.len() < 3 => self.maps.push(StyleMap { condition, style }),
            _ => self.code = None,
        }
    }

    fn set_color(&mut self, tag: &XmlTag<'_>) {
        const COLORS: &[(&str, &str)] = &[
            ("#000000", "[Black]"),
            ("#0000ff", "[Blue]"),
            ("#00ffff", "[Cyan]"),
            ("#00ff00", "[Green]"),
            ("#ff00ff", "[Magenta]"),
            ("#ff0000", "[Red]"),
            ("#ffffff", "[White]"),
            ("#ffff00", "[Yellow]"),
        ];
        let color = tag.text_attribute("color").unwrap_or_default().to_ascii_lowercase();
        if let Some((_, code)) = COLORS.iter().find(|(rgb, _)| *rgb == color) {
            self.push(Some(code));
        }
    }

    /// Takes in a part of a date or time. `m` is a minute behind the hour and before the second, and a month elsewhere.
    fn push_time(&mut self, tag: &XmlTag<'_>) {
        let is_long = tag.attribute("style") == Some(b"long");
        let by_length = |short: &'static str, long: &'static str| Some(if is_long { long } else { short });
        let is_gregorian = tag.attribute("calendar").is_none_or(|calendar| calendar == b"gregorian");
        let code = match tag.name {
            _ if self.kind != StyleKind::Time || !is_gregorian => None,
            b"year" => by_length("yy", "yyyy"),
            b"month" if self.is_behind_hour => None,
            b"month" if tag.attribute("textual") == Some(b"true") => by_length("mmm", "mmmm"),
            b"month" => by_length("m", "mm"),
            b"day" => by_length("d", "dd"),
            b"day-of-week" => by_length("ddd", "dddd"),
            b"hours" => by_length("h", "hh"),
            b"minutes" => by_length("m", "mm"),
            b"seconds" => by_length("s", "ss"),
            b"am-pm" => Some("AM/PM"),
            _ => None,
        };
        let is_clock = matches!(tag.name, b"hours" | b"minutes" | b"seconds");
        let is_bracketed = is_clock && std::mem::take(&mut self.is_elapsed);
        self.push(code.map(|code| if is_bracketed { format!("[{code}]") } else { code.to_owned() }));
        match tag.name {
            b"minutes" => self.has_loose_minutes = !self.is_behind_hour && !is_bracketed,
            b"seconds" => {
                self.has_loose_minutes = false;
                let decimals = tag.text_attribute("decimal-places").and_then(|places| places.parse().ok()).unwrap_or(0);
                if decimals > 0 {
                    self.push((decimals <= 9).then(|| format!(".{}", "0".repeat(decimals))));
                }
            }
            _ => {}
        }
        self.is_behind_hour = tag.name == b"hours";
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        let maps = self.maps.iter().map(|map| map.style.len() + map.condition.len() + 64).sum::<usize>();
        size_of::<NumberStyle>() + self.code.as_ref().map_or(0, String::len) + maps
    }

    /// The code of the whole style; `find` finds those that stand for some of its numbers.
    pub(super) fn code<'a>(&'a self, find: impl Fn(&str) -> Option<&'a NumberStyle>) -> StyleCode {
        if self.kind == StyleKind::Boolean {
            return StyleCode::Boolean;
        }
        let sections = || -> Option<(String, &str)> {
            let mapped: Vec<_> = self.maps.iter().map(|map| find(&map.style)).collect::<Option<_>>()?;
            let codes: Vec<_> = mapped.iter().map(|style| style.own_code()).collect::<Option<_>>()?;
            let signs = mapped.iter().map(|style| style.sign.as_str());
            let sign = signs.chain([self.sign.as_str()]).find(|sign| !sign.is_empty()).unwrap_or_default();
            Some((self.joined(self.own_code()?, &codes)?, sign))
        };
        match sections().filter(|(code, _)| code.len() <= LONGEST_CODE) {
            Some((code, sign)) if code.contains(OPEN_CURRENCY) => StyleCode::InCurrency { code, sign: sign.to_owned() },
            Some((code, _)) => StyleCode::Code(code),
            None => StyleCode::None,
        }
    }

    fn own_code(&self) -> Option<&str> {
        self.code.as_deref().filter(|_| !self.has_loose_minutes)
    }

    /// The code with the sections of other styles. A style for texts has its own section at the end, which numbers never
    /// get to.
    fn joined(&self, own: &str, mapped: &[&str]) -> Option<String> {
        let conditions: Vec<_> = self.maps.iter().map(|map| map.condition.as_str()).collect();
        let is_text = self.kind == StyleKind::Text;
        Some(match (is_text, conditions.as_slice(), mapped) {
            (_, [], _) => own.to_owned(),
            (false, [">=0"], [positive]) => format!("{positive};{own}"),
            (false, ["<0"], [negative]) => format!("{own};{negative}"),
            (false, [">0", "<0"], [positive, negative]) => format!("{positive};{negative};{own}"),
            (true, [">0", "<0", "=0"], [positive, negative, zero]) => format!("{positive};{negative};{zero};{own}"),
            (true, [">=0" | ">0", "<0"], [positive, negative]) => format!("{positive};{negative}"),
            (_, [condition], [code]) => format!("[{condition}]{code};{}", if is_text { "General" } else { own }),
            (false, [first, second], [one, two]) => format!("[{first}]{one};[{second}]{two};{own}"),
            _ => return None,
        })
    }
}

/// A code with a currency as a cell tells it, an ISO code or a sign, in its place.
pub(super) fn in_currency(code: &str, sign: &str, told: &str) -> String {
    // The euro has a sign of its own. Others share theirs, and the code of the cell says which one is meant.
    let currency = if sign == "€" { sign } else { told };
    code.replace(OPEN_CURRENCY, &format!("[${currency}]"))
}

/// `value()>=0` as `>=0`.
fn condition_code(condition: &str) -> Option<String> {
    let condition = condition.trim().strip_prefix("value()")?.trim_start();
    let number = condition.trim_start_matches(['<', '>', '=', '!']);
    let operator = match &condition[..condition.len() - number.len()] {
        "!=" => "<>",
        known @ ("<" | "<=" | ">" | ">=" | "=") => known,
        _ => return None,
    };
    let number = number.trim();
    number.parse::<f64>().ok().filter(|number| number.is_finite())?;
    Some(format!("{operator}{number}"))
}

/// A text as a format code shows it; the letters of `bare` mean themselves there.
fn quoted(text: &str, bare: &str) -> String {
    let mut code = String::new();
    let mut is_quoted = false;
    for char in text.chars() {
        let is_bare = matches!(char, ' ' | '-' | '+' | '(' | ')' | ':') || bare.contains(char);
        if char == '"' {
            code.push_str(if is_quoted { "\"\\\"" } else { "\\\"" });
            is_quoted = false;
            continue;
        }
        if is_bare == is_quoted {
            code.push('"');
            is_quoted = !is_quoted;
        }
        code.push(char);
    }
    if is_quoted {
        code.push('"');
    }
    code
}
