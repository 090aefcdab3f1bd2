//! The text of a rule, read word by word. The words after the path may stand in any order.

use std::time::Duration;

use axum::http::{Method, StatusCode};

use super::error::RuleError;
use super::rule::{Fault, FaultRule, FaultTiming, MalformedReply, MethodSet, Occurrence, PathPattern};

/// What the guide's calls are made with.
const METHODS: &[Method] = &[Method::GET, Method::POST, Method::PUT, Method::DELETE];

/// The rule of one line; none in an empty line or a comment.
pub(super) fn read(line: &str) -> Result<Option<FaultRule>, RuleError> {
    let words = split(line)?;
    let [methods, path, rest @ ..] = &words[..] else {
        return match words.is_empty() {
            true => Ok(None),
            false => Err(RuleError::Short),
        };
    };
    let (methods, path) = (read_methods(methods)?, read_path(path)?);
    let mut words = Words::default();
    for word in rest {
        words.take(word)?;
    }
    let (occurrence, fault) = words.end()?;
    Ok(Some(FaultRule { methods, path, occurrence, fault }))
}

/// The words of a line, up to a `#` that begins one. White space between quotes belongs to its word.
fn split(line: &str) -> Result<Vec<String>, RuleError> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let mut quoted = false;
        let end = rest.find(|letter: char| {
            quoted ^= letter == '"';
            letter.is_whitespace() && !quoted
        });
        if end.is_none() && quoted {
            return Err(RuleError::Quote { word: rest.to_owned() });
        }
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Ok(words)
}

fn read_methods(word: &str) -> Result<MethodSet, RuleError> {
    if word == "*" {
        return Ok(MethodSet::Any);
    }
    let read = |name: &str| {
        let method = METHODS.iter().find(|method| method.as_str().eq_ignore_ascii_case(name));
        let blamed = if name.is_empty() { word } else { name };
        method.cloned().ok_or_else(|| RuleError::Method { word: blamed.to_owned() })
    };
    Ok(MethodSet::These(word.split(',').map(read).collect::<Result<_, _>>()?))
}

fn read_path(word: &str) -> Result<PathPattern, RuleError> {
    let pattern = PathPattern(word.to_owned());
    match pattern.matches_an_endpoint() {
        true => Ok(pattern),
        false => Err(RuleError::Path { word: word.to_owned() }),
    }
}

/// What is to happen, before moment and options are known.
#[derive(Debug)]
enum Effect {
    Refuse(StatusCode),
    Reset,
    Status(StatusCode),
    Delay(Duration),
    Hang,
    Truncate,
    Html(StatusCode),
    MalformedReply(MalformedReply),
}

/// A word and what it says.
type Said<T> = Option<(String, T)>;

/// The words after the path, each at its place.
#[derive(Debug, Default)]
struct Words {
    occurrence: Said<Occurrence>,
    effect: Said<Effect>,
    timing: Said<FaultTiming>,
    retry_after: Said<u32>,
    message: Said<String>,
}

impl Words {
    fn take(&mut self, word: &str) -> Result<(), RuleError> {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        match (name, value) {
            ("p", _) => put(&mut self.occurrence, word, Occurrence::Chance(probability(word, value)?)),
            ("count", _) => put(&mut self.occurrence, word, Occurrence::First(counted(word, value, "count=2")?)),
            ("nth", _) => put(&mut self.occurrence, word, Occurrence::Nth(counted(word, value, "nth=3")?)),
            ("every", _) => put(&mut self.occurrence, word, Occurrence::Every(counted(word, value, "every=10")?)),
            ("before", None) => put(&mut self.timing, word, FaultTiming::Before),
            ("after", None) => put(&mut self.timing, word, FaultTiming::After),
            ("retry-after", _) => put(&mut self.retry_after, word, seconds(word, value)?),
            ("message", _) => put(&mut self.message, word, message(word, value)?),
            _ => put(&mut self.effect, word, effect(word, name, value)?),
        }
    }

    fn end(self) -> Result<(Occurrence, Fault), RuleError> {
        let (word, effect) = self.effect.ok_or(RuleError::NoEffect)?;
        if let (Some((option, _)), false) = (&self.message, matches!(effect, Effect::Refuse(_))) {
            return Err(RuleError::Message { word: option.clone() });
        }
        if let (Some((option, _)), false) = (&self.retry_after, may_ask_to_wait(&effect)) {
            return Err(RuleError::RetryAfter { word: option.clone() });
        }
        let given = self.timing.map(|(_, timing)| timing);
        let timing = given.unwrap_or(FaultTiming::Before);
        let only = |only| match given {
            Some(timing) if timing != only => Err(RuleError::FaultTiming { effect: word.clone(), only, timing }),
            _ => Ok(()),
        };
        let fault = match effect {
            Effect::Refuse(status) => {
                only(FaultTiming::Before)?;
                Fault::Refuse { status, message: self.message.map(|(_, text)| text) }
            }
            Effect::Truncate => {
                only(FaultTiming::After)?;
                Fault::Truncate
            }
            Effect::MalformedReply(shape) => {
                only(FaultTiming::After)?;
                Fault::MalformedReply(shape)
            }
            Effect::Reset => Fault::Reset(timing),
            Effect::Hang => Fault::Hang(timing),
            Effect::Delay(by) => Fault::Delay { by, timing },
            Effect::Html(status) => Fault::Html { status, timing },
            Effect::Status(status) => {
                Fault::Status { status, retry_after: self.retry_after.map(|(_, seconds)| seconds), timing }
            }
        };
        Ok((self.occurrence.map_or(Occurrence::Always, |(_, occurrence)| occurrence), fault))
    }
}

/// Puts what a word says at its place, unless another word says it already.
fn put<T>(place: &mut Said<T>, word: &str, said: T) -> Result<(), RuleError> {
    match place {
        Some((first, _)) => Err(RuleError::Twice { first: first.clone(), second: word.to_owned() }),
        None => {
            *place = Some((word.to_owned(), said));
            Ok(())
        }
    }
}

fn effect(word: &str, name: &str, value: Option<&str>) -> Result<Effect, RuleError> {
    let status = |usual, allowed: fn(u16) -> bool, expected, example| match value {
        None => Ok(usual),
        Some(value) => {
            let code = value.parse().ok().filter(|code| allowed(*code));
            let status = code.and_then(|code| StatusCode::from_u16(code).ok());
            status.ok_or_else(|| RuleError::value(word, expected, example))
        }
    };
    Ok(match (name, value) {
        ("refuse", _) => Effect::Refuse(status(
            StatusCode::UNPROCESSABLE_ENTITY,
            |code| (400..500).contains(&code),
            "a status from 400 to 499",
            "refuse=422",
        )?),
        ("html", _) => Effect::Html(status(
            StatusCode::FORBIDDEN,
            |code| code == 200 || (400..600).contains(&code),
            "a status with a body: 200, or from 400 to 599",
            "html=403",
        )?),
        ("delay", _) => Effect::Delay(milliseconds(word, value)?),
        ("reset", None) => Effect::Reset,
        ("hang", None) => Effect::Hang,
        ("truncate", None) => Effect::Truncate,
        ("shape", None) => Effect::MalformedReply(MalformedReply::Buried),
        ("shape", Some("empty")) => Effect::MalformedReply(MalformedReply::Empty),
        ("shape", Some(_)) => return Err(RuleError::value(word, "`empty` or nothing", "shape=empty")),
        ("500", None) => Effect::Status(StatusCode::INTERNAL_SERVER_ERROR),
        ("502", None) => Effect::Status(StatusCode::BAD_GATEWAY),
        ("503", None) => Effect::Status(StatusCode::SERVICE_UNAVAILABLE),
        ("504", None) => Effect::Status(StatusCode::GATEWAY_TIMEOUT),
        ("429", None) => Effect::Status(StatusCode::TOO_MANY_REQUESTS),
        _ => return Err(RuleError::Word { word: word.to_owned() }),
    })
}

/// The statuses that go with `Retry-After`.
fn may_ask_to_wait(effect: &Effect) -> bool {
    matches!(effect, Effect::Status(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE))
}

fn probability(word: &str, value: Option<&str>) -> Result<f64, RuleError> {
    let number = value.and_then(|value| value.parse::<f64>().ok()).filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| RuleError::value(word, "a probability from 0 to 1", "p=0.05"))
}

/// A number that counts requests, from 1.
fn counted(word: &str, value: Option<&str>, example: &'static str) -> Result<u64, RuleError> {
    let number = value.and_then(|value| value.parse().ok()).filter(|number| *number > 0);
    number.ok_or_else(|| RuleError::value(word, "a whole number from 1", example))
}

fn milliseconds(word: &str, value: Option<&str>) -> Result<Duration, RuleError> {
    let number = value.and_then(|value| value.parse::<u32>().ok());
    let number = number.ok_or_else(|| RuleError::value(word, "a whole number of milliseconds", "delay=300"))?;
    Ok(Duration::from_millis(number.into()))
}

fn seconds(word: &str, value: Option<&str>) -> Result<u32, RuleError> {
    let number = value.and_then(|value| value.parse().ok());
    number.ok_or_else(|| RuleError::value(word, "a whole number of seconds", "retry-after=30"))
}

/// The text between the quotes, which a message of one word may go without.
fn message(word: &str, value: Option<&str>) -> Result<String, RuleError> {
    let bare = value.map(|value| value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value));
    let text = bare.filter(|text| !text.is_empty() && !text.contains('"'));
    text.map(str::to_owned)
        .ok_or_else(|| RuleError::value(word, "a text between quotes", "message=\"no more of these\""))
}
