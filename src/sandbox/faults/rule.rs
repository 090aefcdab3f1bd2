//! A fault rule: which requests it selects, when it fires, and what happens then. Its text is parsed by `grammar`.

use std::fmt;
use std::time::Duration;

use axum::http::{Method, StatusCode};

use crate::schema::{ACTIONS, ACTIVITY, COLLECTIONS, TENANTS};

/// A fault and the requests it applies to. Its `Display` is text that parses to the same rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FaultRule {
    pub(super) methods: MethodSet,
    pub(super) path: PathPattern,
    pub(super) occurrence: Occurrence,
    pub(super) fault: Fault,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MethodSet {
    Any,
    These(Vec<Method>),
}

/// A path below the base URL, in which `*` matches any text, including slashes and the empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathPattern(pub(super) String);

/// On which of the selected requests a rule fires. They are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Occurrence {
    Always,
    /// On each request with this probability, from 0 to 1.
    Chance(f64),
    /// On the first requests, up to this number.
    First(u64),
    /// On the request with this number only.
    Nth(u64),
    /// On every request whose number is a multiple of this.
    Every(u64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) effect: Effect,
    pub(super) timing: FaultTiming,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// The request is refused with a 4xx status, or with 200 and an error in the body, and not executed.
    Refuse {
        status: StatusCode,
        message: Option<String>,
    },
    /// The connection is dropped without a reply.
    Reset,
    /// An error status, with the seconds of `Retry-After`.
    Status {
        status: StatusCode,
        retry_after: Option<u32>,
    },
    Delay(Duration),
    /// No reply for as long as the client waits.
    Hang,
    /// Half of the usual body, announced with the full length.
    Truncate,
    /// An HTML page, as a proxy in front of the service would send.
    Html(StatusCode),
    /// A success with unexpected JSON.
    Malformed(MalformedReply),
}

/// Whether the request is executed before or after the fault occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultTiming {
    /// The fault occurs first.
    Before,
    /// The request was executed and its change committed.
    After,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MalformedReply {
    /// The usual body, nested two objects deep.
    Buried,
    /// `{}`
    Empty,
}

impl Effect {
    /// The only timing the effect can have; none if it can have both.
    pub(super) fn fixed_timing(&self) -> Option<FaultTiming> {
        match self {
            Effect::Refuse { .. } => Some(FaultTiming::Before),
            Effect::Truncate | Effect::Malformed(_) => Some(FaultTiming::After),
            _ => None,
        }
    }

    /// The word for the effect, and the option that follows it with a leading space.
    fn words(&self) -> (String, String) {
        match self {
            Effect::Refuse { status, message } => {
                let message = message.as_ref().map(|message| format!(" message=\"{message}\""));
                (format!("refuse={}", status.as_u16()), message.unwrap_or_default())
            }
            Effect::Status { status, retry_after } => {
                let retry_after = retry_after.map(|seconds| format!(" retry-after={seconds}"));
                (status.as_u16().to_string(), retry_after.unwrap_or_default())
            }
            Effect::Reset => ("reset".into(), String::new()),
            Effect::Delay(by) => (format!("delay={}", by.as_millis()), String::new()),
            Effect::Hang => ("hang".into(), String::new()),
            Effect::Truncate => ("truncate".into(), String::new()),
            Effect::Html(status) => (format!("html={}", status.as_u16()), String::new()),
            Effect::Malformed(MalformedReply::Buried) => ("shape".into(), String::new()),
            Effect::Malformed(MalformedReply::Empty) => ("shape=empty".into(), String::new()),
        }
    }
}

impl FaultRule {
    /// Whether the rule selects a request. `path` is the part after the base URL and its slash.
    pub(super) fn selects(&self, method: &Method, path: &str) -> bool {
        self.methods.include(method) && self.path.matches(path)
    }
}

impl MethodSet {
    fn include(&self, method: &Method) -> bool {
        match self {
            MethodSet::Any => true,
            MethodSet::These(methods) => methods.contains(method),
        }
    }
}

impl PathPattern {
    /// Whether the whole path matches.
    pub(super) fn matches(&self, path: &str) -> bool {
        let mut pieces: Vec<&str> = self.0.split('*').collect();
        let first = pieces.remove(0);
        let Some(mut rest) = path.strip_prefix(first) else { return false };
        let Some(last) = pieces.pop() else { return rest.is_empty() };
        for piece in pieces {
            match rest.find(piece) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }

    /// Whether the pattern matches any endpoint of the guide. A rule that never matches is a mistake.
    pub(super) fn matches_an_endpoint(&self) -> bool {
        let (collection, id) = self.0.split_once('/').map_or((&*self.0, None), |(path, id)| (path, Some(id)));
        let collection = PathPattern(collection.to_owned());
        let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte == b'*' || byte.is_ascii_digit());
        let of_a_record = COLLECTIONS.iter().any(|entity| collection.matches(entity.path)) && id.is_some_and(is_id);
        let mut entities = COLLECTIONS.iter().chain(ACTIONS).copied().chain([&ACTIVITY, &TENANTS]);
        of_a_record || entities.any(|entity| self.matches(entity.path))
    }
}

impl fmt::Display for FaultRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FaultRule { methods, path, occurrence, fault: Fault { effect, timing } } = self;
        let methods = match methods {
            MethodSet::Any => "*".to_owned(),
            MethodSet::These(methods) => methods.iter().map(Method::as_str).collect::<Vec<_>>().join(","),
        };
        let occurrence = match occurrence {
            Occurrence::Always => String::new(),
            Occurrence::Chance(probability) => format!(" p={probability}"),
            Occurrence::First(count) => format!(" count={count}"),
            Occurrence::Nth(number) => format!(" nth={number}"),
            Occurrence::Every(step) => format!(" every={step}"),
        };
        let (effect_word, option) = effect.words();
        let timing = if effect.fixed_timing().is_none() { format!(" {timing}") } else { String::new() };
        write!(formatter, "{methods} {}{occurrence} {effect_word}{timing}{option}", path.0)
    }
}

impl fmt::Display for FaultTiming {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            FaultTiming::Before => "before",
            FaultTiming::After => "after",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, path: &str) -> bool {
        PathPattern(pattern.into()).matches(path)
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, path) in [
            ("*", "assets"),
            ("*", "checkout/asset"),
            ("assets", "assets"),
            ("assets/*", "assets/17"),
            ("assets*", "assets"),
            ("assets*", "assets/17"),
            ("check*/asset", "checkin/asset"),
            ("*/*", "statuses/4"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("assets", "assets/17"),
            ("assets", "asset"),
            ("assets/*", "assets"),
            ("checkout/*", "checkin/asset"),
            ("a*a", "a"),
            ("*/*", "statuses"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn a_path_no_endpoint_has_is_told_from_one_that_some_have() {
        for pattern in [
            "*", "assets", "assets/*", "assets/17", "*/1", "check*/asset", "checkout/*", "tenants", "activity", "a*",
            "assets*", "assets/1*",
        ] {
            assert!(PathPattern(pattern.into()).matches_an_endpoint(), "{pattern}");
        }
        for pattern in
            ["", "asets", "asset/*", "/assets", "assets/", "assets/x", "checkout", "checkout/assets", "api/*"]
        {
            assert!(!PathPattern(pattern.into()).matches_an_endpoint(), "{pattern}");
        }
    }

    /// Matching by trying everything.
    fn slowly_matches(pattern: &[u8], path: &[u8]) -> bool {
        match (pattern, path) {
            ([], rest) => rest.is_empty(),
            ([b'*', after @ ..], rest) => (0..=rest.len()).any(|taken| slowly_matches(after, &rest[taken..])),
            ([letter, after @ ..], [first, rest @ ..]) => letter == first && slowly_matches(after, rest),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_is_the_same_as_trying_everything(pattern in "[ab/*]{0,7}", path in "[ab/]{0,9}") {
            prop_assert_eq!(matches(&pattern, &path), slowly_matches(pattern.as_bytes(), path.as_bytes()));
        }
    }
}
