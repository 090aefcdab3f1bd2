//! What the headers of a response say about the service's limits and its clock, and where it redirects to. Pure.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;

use crate::redact::shown_url;

/// The longest wait a header can impose. A number beyond it is a mistake, and waiting for it would look like hanging.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// A reset above this many seconds is a point in Unix time, not a span: 2001, or 31 years.
const EPOCH_FROM: u64 = 1_000_000_000;

/// Windows that services count in are a second, a minute, or an hour and more. Requests that come back later than this
/// belong to one of the long ones.
const SHORT_WINDOW: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
/// A limit that names neither window nor reset is the hour's from here on (older copies of the guide said 600 an hour).
const LEAST_HOURLY_LIMIT: u64 = 600;

/// What a response tells of the service's own count of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerQuota {
    pub(super) limit: u64,
    pub(super) remaining: Option<u64>,
    /// Until requests are available again.
    pub(super) reset: Option<Duration>,
}

/// The headers that matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ResponseHeaders {
    /// `Retry-After`, as a span from now.
    pub(super) retry_after: Option<Duration>,
    /// Requests allowed per the service's own window.
    pub(super) limit: Option<u64>,
    /// Requests left in it.
    pub(super) remaining: Option<u64>,
    /// The length of that window in seconds, if reported.
    pub(super) window: Option<u64>,
    /// When they come back, as a span from now.
    pub(super) reset: Option<Duration>,
    /// The service's clock.
    pub(super) date: Option<SystemTime>,
    /// For the service's support.
    pub(super) request_id: Option<String>,
    /// Where a redirect leads, without its query.
    pub(super) location: Option<String>,
    /// Whether the body is declared as HTML.
    pub(super) html: bool,
}

impl ResponseHeaders {
    /// Reads the headers of a response that arrived at `now`.
    pub(super) fn read(headers: &HeaderMap, now: SystemTime) -> Self {
        // A response has a handful of headers, and each lookup by name would hash the name.
        let value = |name: &str| headers.iter().find(|(known, _)| known.as_str() == name).map(|(_, value)| value);
        let text = |name: &str| value(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let number = |names: &[&str]| names.iter().find_map(|name| text(name).and_then(leading_number));
        let date = text("date").and_then(http_date);
        // The service's spans are measured by its own clock if it reports it, so a wrong clock here does no harm.
        let their_now = date.unwrap_or(now);
        let combined = text("ratelimit").unwrap_or_default();
        Self {
            retry_after: text("retry-after").and_then(|value| retry_after(value, their_now)),
            limit: number(&["ratelimit-limit", "x-ratelimit-limit", "x-rate-limit-limit"])
                .or_else(|| parameter(combined, &["limit", "q"])),
            remaining: number(&["ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining"])
                .or_else(|| parameter(combined, &["remaining", "r"])),
            window: ["ratelimit-policy", "ratelimit-limit", "x-ratelimit-limit", "ratelimit"]
                .iter()
                .find_map(|name| text(name).and_then(|value| parameter(value, &["w"]))),
            reset: ["ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"]
                .iter()
                .find_map(|name| text(name).and_then(|value| reset(value, their_now)))
                .or_else(|| parameter(combined, &["reset", "t"]).and_then(|value| reset_number(value, their_now))),
            date,
            request_id: ["cf-ray", "x-request-id", "x-amzn-requestid", "x-amz-cf-id"]
                .iter()
                .find_map(|name| text(name))
                .map(str::to_owned),
            location: text("location").map(|link| shown_url(link.split(['?', '#']).next().unwrap_or_default())),
            html: text("content-type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html")),
        }
    }

    /// The same, with the texts that messages show changed by `change`.
    pub(super) fn map_text(self, change: impl Fn(&str) -> String) -> Self {
        let request_id = self.request_id.as_deref().map(&change);
        let location = self.location.as_deref().map(&change);
        Self { request_id, location, ..self }
    }

    /// The service's count of its hour; none if it reports nothing, or counts in a window of another length.
    ///
    /// A limit without a window may be one of a minute or a day: it is taken for the hour's only if requests come back
    /// later than any shorter window would give them back, or if that is not told and the limit is as large as an hour's.
    pub(super) fn hourly(&self) -> Option<ServerQuota> {
        let is_hour = match (self.window, self.reset.or(self.retry_after), self.limit) {
            (Some(seconds), ..) => seconds == 3_600,
            (None, Some(reset), _) => reset > SHORT_WINDOW && reset <= HOUR,
            (None, None, limit) => limit.is_some_and(|limit| limit >= LEAST_HOURLY_LIMIT),
        };
        let limit = self.limit.filter(|limit| is_hour && *limit > 0)?;
        Some(ServerQuota { limit, remaining: self.remaining, reset: self.reset })
    }

    /// How long nothing may be sent, because the service says that no request is left.
    pub(super) fn exhausted(&self) -> Option<Duration> {
        match self.remaining {
            Some(0) => self.reset.filter(|reset| !reset.is_zero()),
            _ => None,
        }
    }
}

/// The number at the beginning of a value: `100` and `100, 100;w=3600` are both 100.
fn leading_number(value: &str) -> Option<u64> {
    let end = value.find(|character: char| !character.is_ascii_digit()).unwrap_or(value.len());
    value[..end].parse().ok()
}

/// A parameter of the one-line form: `limit=100, remaining=0, reset=30` or `"default";r=0;t=30`.
fn parameter(combined: &str, names: &[&str]) -> Option<u64> {
    combined
        .split([',', ';'])
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| names.contains(&name.trim()))
        .and_then(|(_, value)| leading_number(value.trim()))
}

/// Seconds, with or without a fraction, or an HTTP date.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if value.starts_with(|character: char| character.is_ascii_digit())
        && let Ok(seconds) = value.parse::<f64>()
    {
        return Duration::try_from_secs_f64(seconds.min(LONGEST.as_secs_f64())).ok();
    }
    match http_date(value) {
        Some(then) => Some(then.duration_since(now).unwrap_or_default().min(LONGEST)),
        None => span(value),
    }
}

/// A number, a number with a unit (`500ms`, `6m0s`), or a date as ISO 8601 or HTTP writes it.
fn reset(value: &str, now: SystemTime) -> Option<Duration> {
    let first = value.split(',').next().unwrap_or_default().trim();
    if let Ok(number) = first.parse() {
        return reset_number(number, now);
    }
    if let Ok(seconds) = first.parse::<f64>() {
        let is_span = first.starts_with(|character: char| character.is_ascii_digit()) && seconds < EPOCH_FROM as f64;
        return if is_span {
            Duration::try_from_secs_f64(seconds.min(LONGEST.as_secs_f64())).ok()
        } else {
            reset_number(seconds as u64, now)
        };
    }
    let moment = value.parse().ok().and_then(system_time).or_else(|| http_date(value));
    match moment {
        Some(then) => Some(then.duration_since(now).unwrap_or_default().min(LONGEST)),
        None => span(first),
    }
}

/// A span such as `500ms`, `30s` or `6m0s`.
fn span(text: &str) -> Option<Duration> {
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(after.len());
        let unit = match &after[..letters] {
            "ms" => 0.001,
            "s" | "sec" | "seconds" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            _ => return None,
        };
        let seconds = number.parse::<f64>().ok()? * unit;
        total = total.saturating_add(Duration::try_from_secs_f64(seconds.min(LONGEST.as_secs_f64())).ok()?);
        rest = &after[letters..];
    }
    (!text.is_empty()).then(|| total.min(LONGEST))
}

/// Seconds from now, or Unix time in seconds or milliseconds: services do all three.
fn reset_number(value: u64, now: SystemTime) -> Option<Duration> {
    let seconds = match value {
        0..EPOCH_FROM => return Some(Duration::from_secs(value).min(LONGEST)),
        EPOCH_FROM..1_000_000_000_000 => value,
        _ => value / 1_000,
    };
    let then = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    Some(then.duration_since(now).unwrap_or_default().min(LONGEST))
}

/// A date as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7). Its two obsolete forms are not read.
fn http_date(value: &str) -> Option<SystemTime> {
    system_time(jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?)
}

fn system_time(moment: jiff::Timestamp) -> Option<SystemTime> {
    let seconds = u64::try_from(moment.as_second()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::time::{Duration, SystemTime};

    use proptest::prelude::*;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::ResponseHeaders;

    type Lines = &'static [(&'static str, &'static str)];

    /// 1994-11-06T08:49:37Z.
    const NOW: u64 = 784_111_777;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }

    fn read(lines: &[(&str, &str)]) -> ResponseHeaders {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.insert(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        ResponseHeaders::read(&headers, now())
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let cases = [
            ("120", Some(120.0)),
            (" 0 ", Some(0.0)),
            ("1.5", Some(1.5)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60.0)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0.0)),
            ("999999999999999999999", Some(86_400.0)),
            ("500ms", Some(0.5)),
            ("-5", None),
            ("NaN", None),
            ("soon", None),
            ("", None),
        ];
        for (value, seconds) in cases {
            let wait = read(&[("Retry-After", value)]).retry_after;
            assert_eq!(wait, seconds.map(Duration::from_secs_f64), "{value:?}");
        }
    }

    #[test]
    fn a_date_is_measured_on_the_services_own_clock() {
        let late = [("Date", "Sun, 06 Nov 1994 09:49:37 GMT"), ("Retry-After", "Sun, 06 Nov 1994 09:49:47 GMT")];
        let headers = read(&late);
        assert_eq!(headers.retry_after, Some(Duration::from_secs(10)));
        assert_eq!(headers.date, Some(now() + Duration::from_secs(3_600)));
    }

    #[test]
    fn limits_come_in_many_spellings() {
        let cases: [(Lines, Option<u64>); 8] = [
            (&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "30")], Some(30)),
            (&[("RateLimit-Remaining", "0"), ("RateLimit-Reset", "30")], Some(30)),
            // Before 2001 no number is taken for Unix time: this one is a span, cut at a day.
            (&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "784111807")], Some(86_400)),
            (&[("RateLimit", "limit=100, remaining=0, reset=30")], Some(30)),
            (&[("RateLimit", "\"default\";r=0;t=30")], Some(30)),
            (&[("X-RateLimit-Remaining", "0")], None),
            (&[("X-RateLimit-Remaining", "5"), ("X-RateLimit-Reset", "30")], None),
            (&[("X-RateLimit-Remaining", "none"), ("X-RateLimit-Reset", "?")], None),
        ];
        for (lines, seconds) in cases {
            assert_eq!(read(lines).exhausted(), seconds.map(Duration::from_secs), "{lines:?}");
        }
        assert_eq!(read(&[("RateLimit-Limit", "100, 100;w=3600")]).limit, Some(100));
    }

    #[test]
    fn only_a_count_of_an_hour_is_compared_with_ours() {
        let cases: [(Lines, Option<u64>); 10] = [
            (&[("X-RateLimit-Limit", "10000"), ("X-RateLimit-Remaining", "7")], Some(10_000)),
            (&[("X-RateLimit-Limit", "100"), ("X-RateLimit-Reset", "1800")], Some(100)),
            // Without a window, 60 may be those of a minute.
            (&[("X-RateLimit-Limit", "60"), ("X-RateLimit-Remaining", "7")], None),
            (&[("X-RateLimit-Limit", "1000"), ("X-RateLimit-Reset", "30")], None),
            (&[("X-RateLimit-Limit", "1000"), ("X-RateLimit-Reset", "50000")], None),
            (&[("RateLimit-Limit", "100, 100;w=3600")], Some(100)),
            (&[("RateLimit-Limit", "100"), ("RateLimit-Policy", "100;w=60")], None),
            (&[("RateLimit", "\"default\";q=100;w=86400;r=50")], None),
            (&[("X-RateLimit-Limit", "0")], None),
            (&[("X-RateLimit-Remaining", "7")], None),
        ];
        for (lines, expected) in cases {
            assert_eq!(read(lines).hourly().map(|told| told.limit), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_reset_may_be_unix_time() {
        let date = ("Date", "Sat, 01 Jun 2024 00:00:00 GMT");
        for reset in ["1717200030", "1717200030000"] {
            let lines = [date, ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", reset)];
            assert_eq!(read(&lines).exhausted(), Some(Duration::from_secs(30)), "{reset}");
        }
    }

    #[test]
    fn a_reset_may_be_a_date_or_have_a_unit() {
        let cases = [
            ("1994-11-06T08:50:37Z", Some(60_000)),
            ("1994-11-06T09:50:37+01:00", Some(60_000)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60_000)),
            ("500ms", Some(500)),
            ("1.5s", Some(1_500)),
            ("6m0s", Some(360_000)),
            ("30, 60", Some(30_000)),
            ("0.25", Some(250)),
            ("2026 seconds", None),
            ("soon", None),
        ];
        for (value, milliseconds) in cases {
            let lines = [("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", value)];
            assert_eq!(read(&lines).exhausted(), milliseconds.map(Duration::from_millis), "{value}");
        }
    }

    #[test]
    fn redirects_are_shown_without_their_query() {
        assert_eq!(
            read(&[("Location", "https://x.example/login?next=%2F")]).location.as_deref(),
            Some("https://x.example/login")
        );
        assert!(read(&[("Content-Type", "Text/HTML; charset=utf-8")]).html);
        assert_eq!(read(&[("CF-Ray", "8f-FRA"), ("X-Request-Id", "2")]).request_id.as_deref(), Some("8f-FRA"));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(name in "(retry-after|date|ratelimit|x-ratelimit-reset|location)", value in "[ -~]{0,40}") {
            read(&[(&name, &value)]);
        }
    }
}
