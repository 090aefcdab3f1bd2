//! One rule: which requests it selects, when it strikes, and what then happens. Pure; its text is read by `grammar`.

use std::fmt;
use std::time::Duration;

use axum::http::{Method, StatusCode};

use crate::schema::{ACTIONS, ACTIVITY, COLLECTIONS, TENANTS};

/// A fault and the requests it is for. Displayed as the text that reads back as the same rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FaultRule {
    pub(super) methods: MethodSet,
    pub(super) path: PathPattern,
    pub(super) occurrence: Occurrence,
    pub(super) fault: Fault,
}

/// The methods a rule selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MethodSet {
    Any,
    These(Vec<Method>),
}

/// A path below the base link, in which `*` stands for any text, slashes and nothing included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathPattern(pub(super) String);

/// Which of the requests it selects a rule strikes. They are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Occurrence {
    Always,
    /// Each with this probability, from 0 to 1.
    Chance(f64),
    /// The first so many.
    First(u64),
    /// That one and no other.
    Nth(u64),
    /// The multiples of it.
    Every(u64),
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing is done, and a 4xx says so as any refusal does.
    Refuse { status: StatusCode, message: Option<String> },
    /// The connection is dropped without a byte of an answer.
    Reset(FaultTiming),
    /// A status that stands for trouble, with the seconds of `Retry-After`.
    Status { status: StatusCode, retry_after: Option<u32>, timing: FaultTiming },
    /// The usual answer, late.
    Delay { by: Duration, timing: FaultTiming },
    /// No answer for as long as the client waits.
    Hang(FaultTiming),
    /// Half of the usual answer's body, announced as the whole.
    Truncate,
    /// A page from something that stands before the service.
    Html { status: StatusCode, timing: FaultTiming },
    /// A success with JSON of another shape.
    MalformedReply(MalformedReply),
}

/// Whether the sandbox has done what was asked when the fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultTiming {
    Before,
    /// The change is committed.
    After,
}

/// The shapes nobody expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MalformedReply {
    /// The usual body two objects deep: an object where a list should be, a record where nobody looks for one.
    Buried,
    /// `{}`
    Empty,
}

impl FaultRule {
    /// Whether a request is one of those it selects. `path` is what follows the base link and its slash.
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

    /// Whether any endpoint of the guide has such a path. A rule that can never strike is a slip of its writer.
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
        let FaultRule { methods, path, occurrence, fault } = self;
        write!(formatter, "{methods} {}{occurrence} {fault}", path.0)
    }
}

impl fmt::Display for MethodSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MethodSet::Any => formatter.write_str("*"),
            MethodSet::These(methods) => {
                let names: Vec<_> = methods.iter().map(Method::as_str).collect();
                formatter.write_str(&names.join(","))
            }
        }
    }
}

/// With a space before it, as it may be nothing.
impl fmt::Display for Occurrence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Occurrence::Always => Ok(()),
            Occurrence::Chance(probability) => write!(formatter, " p={probability}"),
            Occurrence::First(count) => write!(formatter, " count={count}"),
            Occurrence::Nth(number) => write!(formatter, " nth={number}"),
            Occurrence::Every(step) => write!(formatter, " every={step}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Refuse { status, message: None } => write!(formatter, "refuse={}", status.as_u16()),
            Fault::Refuse { status, message: Some(message) } => {
                write!(formatter, "refuse={} message=\"{message}\"", status.as_u16())
            }
            Fault::Reset(timing) => write!(formatter, "reset {timing}"),
            Fault::Status { status, retry_after: None, timing } => write!(formatter, "{} {timing}", status.as_u16()),
            Fault::Status { status, retry_after: Some(seconds), timing } => {
                write!(formatter, "{} {timing} retry-after={seconds}", status.as_u16())
            }
            Fault::Delay { by, timing } => write!(formatter, "delay={} {timing}", by.as_millis()),
            Fault::Hang(timing) => write!(formatter, "hang {timing}"),
            Fault::Truncate => formatter.write_str("truncate"),
            Fault::Html { status, timing } => write!(formatter, "html={} {timing}", status.as_u16()),
            Fault::MalformedReply(MalformedReply::Buried) => formatter.write_str("shape"),
            Fault::MalformedReply(MalformedReply::Empty) => formatter.write_str("shape=empty"),
        }
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
