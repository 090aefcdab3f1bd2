//! What may be sent again, and after how long. Pure: [`super::attempts`] does the waiting.
//!
//! | what happened | GET, PUT, DELETE | POST |
//! |---|---|---|
//! | no connection | retry | retry: nothing was sent |
//! | connection lost, response timed out, 408 | retry | never: it may have been applied |
//! | 429 | after the pause, not counted | after the pause, not counted |
//! | a page of a firewall or proxy: 403 with HTML | retry | retry: it never reached the service |
//! | any other 5xx but 501 and 505 | retry, after Retry-After if it says so | never: a gateway may say so of what was applied |
//! | a success without data: empty, cut off, HTML | GET: retry | never: it was applied |
//! | anything else | final | final |

use std::time::Duration;

use super::request_kind::Method;

/// How often a request is retried after a failure. A 429 does not count.
pub(super) const RETRIES: u32 = 5;
/// How often a read is retried whose answer is no data: a wrong base URL answers like that as well.
const UNREADABLE_RETRIES: u32 = 3;
/// The same for a request that a firewall or proxy blocks: one that dislikes it will go on doing so.
const BLOCKED_RETRIES: u32 = 3;
/// The first wait between two attempts; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait that doubling leads to.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The longest wait between two attempts of an outage.
const LONGEST_OUTAGE_WAIT: Duration = Duration::from_secs(30);
/// How long an export waits for a service that is down, as an import does.
pub(super) const LONGEST_OUTAGE: Duration = Duration::from_secs(600);
/// The pause after a 429 that names none: one second, doubling with every 429 in a row.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long an export's request is answered by nothing but 429 before it is given up: four hours of a quota that others use up.
/// The next export waits for this one.
pub(super) const LONGEST_THROTTLING: Duration = Duration::from_secs(4 * 3_600);
/// How many 429s in a row it takes at least: after an announced pause of hours, one more shows only that the clocks differ or that
/// requests which waited as well were quicker.
pub(super) const LEAST_THROTTLED: u32 = 5;
/// The shortest pause after a 429, whatever it names: `Retry-After: 0` must not become a busy loop.
const LEAST_PAUSE: Duration = Duration::from_millis(100);
/// A failure that asks for a longer wait is final, not a hiccup.
pub(super) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

/// The result of one attempt, as far as retrying depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttemptOutcome {
    Answered {
        status: u16,
        retry_after: Option<Duration>,
    },
    /// A firewall or proxy answered with a page: the request did not reach the service.
    Blocked,
    /// No connection: the request was certainly not sent.
    NotSent,
    /// It may have been sent, and no complete response arrived.
    Lost,
    /// A success whose body is no data: empty, cut off, or a page for a browser. What stands between us and the service
    /// answers like that, for a moment.
    Unreadable,
}

/// The attempts of one request so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct AttemptCounts {
    /// Those that failed, 429 aside.
    pub(super) failed: u32,
    /// 429s in a row.
    pub(super) throttled: u32,
}

/// What to do after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryAction {
    /// The result is final.
    Return,
    /// Retry at a random time within this span, so that clients that failed together spread out (full jitter).
    Backoff { within: Duration },
    /// Retry after exactly this time: the service named it.
    RetryAfter { after: Duration },
    /// No request is sent for this long, then this one is retried.
    PauseAll { span: Duration },
}

/// What to do after `outcome`, where `before` counts the earlier attempts.
pub(super) fn decide(method: Method, before: AttemptCounts, outcome: AttemptOutcome) -> RetryAction {
    if let AttemptOutcome::Answered { status: 429, retry_after } = outcome {
        let pause = retry_after.unwrap_or_else(|| doubled(FIRST_PAUSE, before.throttled, LONGEST_PAUSE));
        return RetryAction::PauseAll { span: pause.max(LEAST_PAUSE) };
    }
    let retries = match outcome {
        AttemptOutcome::Unreadable => UNREADABLE_RETRIES,
        AttemptOutcome::Blocked => BLOCKED_RETRIES,
        _ => RETRIES,
    };
    if before.failed >= retries || !is_repeatable(method, outcome) {
        return RetryAction::Return;
    }
    match outcome {
        AttemptOutcome::Answered { retry_after: Some(after), .. } if after > LONGEST_RETRY_AFTER => RetryAction::Return,
        AttemptOutcome::Answered { retry_after: Some(after), .. } => RetryAction::RetryAfter { after },
        _ => RetryAction::Backoff { within: doubled(FIRST_WAIT, before.failed, LONGEST_WAIT) },
    }
}

/// Whether the service or the way to it is down, which may last for minutes. An export that has begun waits it out.
pub(super) fn is_outage(method: Method, outcome: AttemptOutcome) -> bool {
    let is_down = match outcome {
        AttemptOutcome::NotSent | AttemptOutcome::Lost | AttemptOutcome::Answered { status: 502..=504, .. } => true,
        AttemptOutcome::Answered { .. } | AttemptOutcome::Unreadable | AttemptOutcome::Blocked => false,
    };
    is_down && method == Method::Get
}

/// How long to wait for the next attempt of an outage that has lasted for that many attempts.
pub(super) fn outage_wait(attempts: u32) -> Duration {
    doubled(Duration::from_secs(1), attempts, LONGEST_OUTAGE_WAIT)
}

/// Whether sending it again is harmless and may help.
fn is_repeatable(method: Method, outcome: AttemptOutcome) -> bool {
    let idempotent = method != Method::Post;
    match outcome {
        AttemptOutcome::NotSent | AttemptOutcome::Blocked => true,
        AttemptOutcome::Lost => idempotent,
        AttemptOutcome::Unreadable => method == Method::Get,
        AttemptOutcome::Answered { status: 501 | 505, .. } => false,
        AttemptOutcome::Answered { status: 408 | 500..=599, .. } => idempotent,
        AttemptOutcome::Answered { .. } => false,
    }
}

fn doubled(first: Duration, times: u32, most: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times)).min(most)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{AttemptCounts, AttemptOutcome, Method, RETRIES, RetryAction, UNREADABLE_RETRIES, decide};

    const fn answered(status: u16) -> AttemptOutcome {
        AttemptOutcome::Answered { status, retry_after: None }
    }

    const fn answered_after(status: u16, seconds: u64) -> AttemptOutcome {
        AttemptOutcome::Answered { status, retry_after: Some(Duration::from_secs(seconds)) }
    }

    const BACKOFF: RetryAction = RetryAction::Backoff { within: Duration::from_millis(250) };

    #[test]
    fn what_may_be_sent_again() {
        // What happened, then what follows for a GET, PUT or DELETE, and for a POST.
        let later = RetryAction::RetryAfter { after: Duration::from_secs(7) };
        let pause = RetryAction::PauseAll { span: Duration::from_secs(7) };
        let cases = [
            (AttemptOutcome::NotSent, BACKOFF, BACKOFF),
            (AttemptOutcome::Blocked, BACKOFF, BACKOFF),
            (AttemptOutcome::Lost, BACKOFF, RetryAction::Return),
            (answered(408), BACKOFF, RetryAction::Return),
            (answered(500), BACKOFF, RetryAction::Return),
            (answered(502), BACKOFF, RetryAction::Return),
            (answered(503), BACKOFF, RetryAction::Return),
            (answered(524), BACKOFF, RetryAction::Return),
            (answered(501), RetryAction::Return, RetryAction::Return),
            (answered_after(503, 7), later, RetryAction::Return),
            (answered_after(503, 7_200), RetryAction::Return, RetryAction::Return),
            (answered_after(500, 7), later, RetryAction::Return),
            (answered_after(429, 7), pause, pause),
            (answered(200), RetryAction::Return, RetryAction::Return),
            (answered(302), RetryAction::Return, RetryAction::Return),
            (answered(401), RetryAction::Return, RetryAction::Return),
            (answered(404), RetryAction::Return, RetryAction::Return),
            (answered(422), RetryAction::Return, RetryAction::Return),
        ];
        for (outcome, repeatable, create) in cases {
            for method in [Method::Get, Method::Put, Method::Delete] {
                assert_eq!(decide(method, AttemptCounts::default(), outcome), repeatable, "{method:?} {outcome:?}");
            }
            assert_eq!(decide(Method::Post, AttemptCounts::default(), outcome), create, "POST {outcome:?}");
        }
    }

    #[test]
    fn a_success_without_data_is_retried_on_a_read_only() {
        for method in [Method::Put, Method::Delete, Method::Post] {
            assert_eq!(decide(method, AttemptCounts::default(), AttemptOutcome::Unreadable), RetryAction::Return);
        }
        let after = |failed| decide(Method::Get, AttemptCounts { failed, throttled: 0 }, AttemptOutcome::Unreadable);
        assert_eq!((after(0), after(UNREADABLE_RETRIES)), (BACKOFF, RetryAction::Return));
    }

    #[test]
    fn waits_double_and_end() {
        let within = |failed| match decide(Method::Get, AttemptCounts { failed, throttled: 0 }, AttemptOutcome::Lost) {
            RetryAction::Backoff { within } => within.as_millis(),
            _ => 0,
        };
        let waits: Vec<_> = (0..=RETRIES).map(within).collect();
        assert_eq!(waits, [250, 500, 1_000, 2_000, 4_000, 0]);
    }

    #[test]
    fn a_429_is_waited_out_however_often_it_comes() {
        let pause = |throttled, retry_after| {
            let outcome = AttemptOutcome::Answered { status: 429, retry_after };
            match decide(Method::Post, AttemptCounts { failed: RETRIES, throttled }, outcome) {
                RetryAction::PauseAll { span } => span.as_millis(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!([0, 1, 3, 6, 40].map(|times| pause(times, None)), [1_000, 2_000, 8_000, 60_000, 60_000]);
        assert_eq!(pause(40, Some(Duration::ZERO)), 100);
        assert_eq!(pause(0, Some(Duration::from_secs(3_000))), 3_000_000);
    }
}
