//! Parses the rules that a sandbox is started with, word by word. The words after the path may be in any order.

use std::str::FromStr;
use std::time::Duration;

use axum::http::{Method, StatusCode};

use super::error::{FaultsError, RuleError};
use super::rule::{Effect, Fault, FaultRule, FaultTiming, MalformedReply, MethodSet, Occurrence, PathPattern};

/// The faults of a sandbox; none by default.
///
/// ```
/// use tallyport::sandbox::{Faults, SandboxOptions};
///
/// let faults: Faults = "POST assets p=0.05 reset after\n* * nth=3 500 before # once".parse().unwrap();
/// let options = SandboxOptions { faults: faults.seeded(7), ..SandboxOptions::default() };
/// assert_eq!(options.faults.len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    pub(super) rules: Vec<FaultRule>,
    pub(super) seed: u64,
}

impl FromStr for Faults {
    type Err = FaultsError;

    /// Parses rules, one per line. Empty lines and comments after `#` are ignored. Fails on the first invalid line.
    fn from_str(text: &str) -> Result<Self, FaultsError> {
        // Editors on Windows begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for (position, line) in text.lines().enumerate() {
            rules.extend(parse_line(line).map_err(|error| FaultsError::new(position + 1, line, error))?);
        }
        Ok(Self { rules, seed: 0 })
    }
}

impl Faults {
    /// Sets the random seed for rules with a probability. The default is 0.
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Appends the rules of `others`.
    pub fn append(&mut self, others: Faults) {
        self.rules.extend(others.rules);
    }

    /// The number of rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// The methods used by the guide.
const METHODS: &[Method] = &[Method::GET, Method::POST, Method::PUT, Method::DELETE];

/// Parses the rule of one line; none if the line is empty or a comment.
fn parse_line(line: &str) -> Result<Option<FaultRule>, RuleError> {
    let words = split_words(line)?;
    let (methods, path, rest) = match &words[..] {
        [] => return Ok(None),
        [_] => {
            let hint = "write methods, a path and an effect, e.g. `POST assets reset after`";
            return Err(RuleError::new("missing path and effect", hint));
        }
        [methods, path, rest @ ..] => (parse_methods(methods)?, parse_path(path)?, rest),
    };
    let mut slots = Slots::default();
    for word in rest {
        slots.fill(&Word::new(word))?;
    }
    let (occurrence, fault) = slots.finish()?;
    Ok(Some(FaultRule { methods, path, occurrence, fault }))
}

/// The words of a line, up to a `#` at the beginning of a word. White space in quotes is part of the word.
fn split_words(line: &str) -> Result<Vec<&str>, RuleError> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let mut quoted = false;
        let end = rest.find(|letter: char| {
            quoted ^= letter == '"';
            letter.is_whitespace() && !quoted
        });
        if end.is_none() && quoted {
            return Err(RuleError::new(format!("unclosed quote in `{rest}`"), "e.g. `message=\"no more of these\"`"));
        }
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

fn parse_methods(word: &str) -> Result<MethodSet, RuleError> {
    if word == "*" {
        return Ok(MethodSet::Any);
    }
    let parse = |name: &str| {
        let method = METHODS.iter().find(|method| method.as_str().eq_ignore_ascii_case(name));
        let unknown = if name.is_empty() { word } else { name };
        let hint = "use GET, POST, PUT or DELETE, several as `POST,PUT`, or `*` for all, e.g. `POST assets reset`";
        method.cloned().ok_or_else(|| RuleError::new(format!("unknown method `{unknown}`"), hint))
    };
    Ok(MethodSet::These(word.split(',').map(parse).collect::<Result<_, _>>()?))
}

fn parse_path(word: &str) -> Result<PathPattern, RuleError> {
    let pattern = PathPattern(word.to_owned());
    if pattern.matches_an_endpoint() { Ok(pattern) } else { Err(RuleError::unknown_path(word)) }
}

/// A word and its parsed value, if the rule has it.
type Slot<'a, T> = Option<(&'a str, T)>;

/// The words after the path, by what they mean.
#[derive(Debug, Default)]
struct Slots<'a> {
    occurrence: Slot<'a, Occurrence>,
    effect: Slot<'a, Effect>,
    timing: Slot<'a, FaultTiming>,
    retry_after: Slot<'a, u32>,
    message: Slot<'a, String>,
}

impl<'a> Slots<'a> {
    fn fill(&mut self, word: &Word<'a>) -> Result<(), RuleError> {
        let text = word.text;
        match (word.name, word.value) {
            ("p", _) => set(&mut self.occurrence, text, Occurrence::Chance(word.probability()?)),
            ("count", _) => set(&mut self.occurrence, text, Occurrence::First(word.positive("count=2")?)),
            ("nth", _) => set(&mut self.occurrence, text, Occurrence::Nth(word.positive("nth=3")?)),
            ("every", _) => set(&mut self.occurrence, text, Occurrence::Every(word.positive("every=10")?)),
            ("before", None) => set(&mut self.timing, text, FaultTiming::Before),
            ("after", None) => set(&mut self.timing, text, FaultTiming::After),
            ("retry-after", _) => {
                set(&mut self.retry_after, text, word.parse(|_| true, "a whole number of seconds", "retry-after=30")?)
            }
            ("message", _) => set(&mut self.message, text, word.message()?),
            _ => set(&mut self.effect, text, word.effect()?),
        }
    }

    fn finish(self) -> Result<(Occurrence, Fault), RuleError> {
        let Some((effect_word, mut effect)) = self.effect else {
            let hint = "add one of refuse, reset, 500, 502, 503, 504, 429, delay=300, hang, truncate, html, shape, \
                        e.g. `POST assets nth=3 reset after`";
            return Err(RuleError::new("missing effect", hint));
        };
        match (&mut effect, self.message) {
            (_, None) => {}
            (Effect::Refuse { message, .. }, Some((_, text))) => *message = Some(text),
            (_, Some((word, _))) => {
                let hint = "e.g. `POST assets refuse=422 message=\"no more of these\"`";
                return Err(RuleError::new(format!("`{word}` requires `refuse`"), hint));
            }
        }
        match (&mut effect, self.retry_after) {
            (_, None) => {}
            (Effect::Status { status, retry_after }, Some((_, seconds))) if matches!(status.as_u16(), 429 | 503) => {
                *retry_after = Some(seconds);
            }
            (_, Some((word, _))) => {
                let hint = "e.g. `* * p=0.01 503 retry-after=2`";
                return Err(RuleError::new(format!("`{word}` requires 429 or 503"), hint));
            }
        }
        let timing = match (effect.fixed_timing(), self.timing) {
            (Some(fixed), Some((_, given))) if given != fixed => {
                let message = format!("`{effect_word}` cannot happen {given} the request is executed");
                let hint = format!("remove `{given}`: `{effect_word}` always happens {fixed}");
                return Err(RuleError::new(message, hint));
            }
            (Some(fixed), _) => fixed,
            (None, given) => given.map_or(FaultTiming::Before, |(_, timing)| timing),
        };
        let occurrence = self.occurrence.map_or(Occurrence::Always, |(_, occurrence)| occurrence);
        Ok((occurrence, Fault { effect, timing }))
    }
}

/// Fills a slot, unless another word already did.
fn set<'a, T>(slot: &mut Slot<'a, T>, word: &'a str, value: T) -> Result<(), RuleError> {
    if let Some((first, _)) = slot {
        let hint = format!("remove `{first}` or `{word}`, or write two faults");
        return Err(RuleError::new(format!("`{first}` and `{word}` cannot be combined"), hint));
    }
    *slot = Some((word, value));
    Ok(())
}

/// A word such as `delay=300`: `delay` with the value `300`.
struct Word<'a> {
    text: &'a str,
    name: &'a str,
    value: Option<&'a str>,
}

impl<'a> Word<'a> {
    fn new(text: &'a str) -> Self {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        Self { text, name, value }
    }

    fn invalid_value(&self, expected: &str, example: &str) -> RuleError {
        RuleError::new(format!("`{}` needs {expected}", self.text), format!("e.g. `{example}`"))
    }

    /// The value, which must be present, parse and be valid.
    fn parse<T: FromStr>(&self, is_valid: impl Fn(&T) -> bool, expected: &str, example: &str) -> Result<T, RuleError> {
        let value = self.value.and_then(|value| value.parse().ok()).filter(is_valid);
        value.ok_or_else(|| self.invalid_value(expected, example))
    }

    fn probability(&self) -> Result<f64, RuleError> {
        self.parse(|number| (0.0..=1.0).contains(number), "a probability from 0 to 1", "p=0.05")
    }

    fn positive(&self, example: &str) -> Result<u64, RuleError> {
        self.parse(|number| *number > 0, "a whole number from 1", example)
    }

    /// The status in the value; `default` without a value.
    fn status(
        &self,
        default: StatusCode,
        is_valid: impl Fn(u16) -> bool,
        expected: &str,
    ) -> Result<StatusCode, RuleError> {
        if self.value.is_none() {
            return Ok(default);
        }
        let example = format!("{}={}", self.name, default.as_u16());
        let code = self.parse(|code| is_valid(*code), expected, &example)?;
        StatusCode::from_u16(code).map_err(|_| self.invalid_value(expected, &example))
    }

    /// The text in quotes. A single word needs no quotes.
    fn message(&self) -> Result<String, RuleError> {
        let value = self.value.unwrap_or_default();
        let text = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
        if text.is_empty() || text.contains('"') {
            return Err(self.invalid_value("a text in quotes", "message=\"no more of these\""));
        }
        Ok(text.to_owned())
    }

    fn effect(&self) -> Result<Effect, RuleError> {
        Ok(match (self.name, self.value) {
            ("refuse", _) => Effect::Refuse {
                status: self.status(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    |code| code == 200 || (400..500).contains(&code),
                    "200, or a status from 400 to 499",
                )?,
                message: None,
            },
            ("html", _) => Effect::Html(self.status(
                StatusCode::FORBIDDEN,
                |code| code == 200 || (400..600).contains(&code),
                "a status with a body: 200, or from 400 to 599",
            )?),
            ("delay", _) => {
                let milliseconds: u32 = self.parse(|_| true, "a whole number of milliseconds", "delay=300")?;
                Effect::Delay(Duration::from_millis(milliseconds.into()))
            }
            ("reset", None) => Effect::Reset,
            ("hang", None) => Effect::Hang,
            ("truncate", None) => Effect::Truncate,
            ("shape", None) => Effect::Malformed(MalformedReply::Buried),
            ("shape", Some("empty")) => Effect::Malformed(MalformedReply::Empty),
            ("shape", Some(_)) => return Err(self.invalid_value("`empty` or no value", "shape=empty")),
            ("500" | "502" | "503" | "504" | "429", None) => {
                let status = self.text.parse().map_err(|_| RuleError::unknown_word(self.text))?;
                Effect::Status { status, retry_after: None }
            }
            _ => return Err(RuleError::unknown_word(self.text)),
        })
    }
}
