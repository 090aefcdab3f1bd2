//! What may be sent again, and after how long. Pure: [`super::attempts`] does the waiting.
//!
//! | what happened | GET, PUT, DELETE | POST |
//! |---|---|---|
//! | no connection | again | again: nothing was sent |
//! | connection lost, no answer in time, 408 | again | never: it may have been done |
//! | 429 | after the pause, uncounted | after the pause, uncounted |
//! | 503 with Retry-After | after it | after it: turned away unread |
//! | any other 5xx but 501 and 505 | again | never: it may have been done |
//! | anything else | settled | settled |

use std::time::Duration;

use super::request::Method;

/// How often one request is sent again after a failure. 429 does not count.
pub(super) const RETRIES: u32 = 5;
/// The first wait between two attempts; each further one doubles.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait that doubling leads to.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The pause after a 429 that names none: one second, doubling with every 429 in a row.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The least pause after a 429, whatever it names: `Retry-After: 0` must not become a busy loop.
const LEAST_PAUSE: Duration = Duration::from_millis(100);
/// A 503 that asks for a longer wait is an answer, not a hiccup.
const PATIENCE: Duration = Duration::from_secs(300);

/// What came of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered {
        status: u16,
        retry_after: Option<Duration>,
    },
    /// No connection: the request surely never left.
    NotSent,
    /// It may have left, and no whole answer came.
    Lost,
}

/// The attempts of one request so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Attempts {
    /// Those that failed, 429 aside.
    pub(super) failed: u32,
    /// 429s in a row.
    pub(super) throttled: u32,
}

/// What to do after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// That was the answer.
    Settle,
    /// Send it again at a random moment within this time, so that clients that failed together part ways.
    Again { within: Duration },
    /// Send it again after exactly this time: the service named it.
    Later { after: Duration },
    /// Nobody sends anything for this long, then this one goes again.
    Pause { all: Duration },
}

/// What to do after `outcome`, where `before` counts the earlier attempts.
pub(super) fn decide(method: Method, before: Attempts, outcome: Outcome) -> Decision {
    if let Outcome::Answered { status: 429, retry_after } = outcome {
        let pause = retry_after.unwrap_or_else(|| doubled(FIRST_PAUSE, before.throttled, LONGEST_PAUSE));
        return Decision::Pause { all: pause.max(LEAST_PAUSE) };
    }
    if before.failed >= RETRIES || !is_repeatable(method, outcome) {
        return Decision::Settle;
    }
    match outcome {
        Outcome::Answered { retry_after: Some(after), .. } if after > PATIENCE => Decision::Settle,
        Outcome::Answered { retry_after: Some(after), .. } => Decision::Later { after },
        _ => Decision::Again { within: doubled(FIRST_WAIT, before.failed, LONGEST_WAIT) },
    }
}

/// Whether a second sending can do no harm and may help.
fn is_repeatable(method: Method, outcome: Outcome) -> bool {
    let idempotent = method != Method::Post;
    match outcome {
        Outcome::NotSent => true,
        Outcome::Lost => idempotent,
        Outcome::Answered { status: 503, retry_after: Some(_) } => true,
        Outcome::Answered { status: 501 | 505, .. } => false,
        Outcome::Answered { status: 408 | 500..=599, .. } => idempotent,
        Outcome::Answered { .. } => false,
    }
}

fn doubled(first: Duration, times: u32, most: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times)).min(most)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Attempts, Decision, Method, Outcome, RETRIES, decide};

    const fn answered(status: u16) -> Outcome {
        Outcome::Answered { status, retry_after: None }
    }

    const fn answered_after(status: u16, seconds: u64) -> Outcome {
        Outcome::Answered { status, retry_after: Some(Duration::from_secs(seconds)) }
    }

    const AGAIN: Decision = Decision::Again { within: Duration::from_millis(250) };

    #[test]
    fn what_may_be_sent_again() {
        // What happened, then what follows for a GET, PUT or DELETE, and for a POST.
        let later = Decision::Later { after: Duration::from_secs(7) };
        let pause = Decision::Pause { all: Duration::from_secs(7) };
        let cases = [
            (Outcome::NotSent, AGAIN, AGAIN),
            (Outcome::Lost, AGAIN, Decision::Settle),
            (answered(408), AGAIN, Decision::Settle),
            (answered(500), AGAIN, Decision::Settle),
            (answered(502), AGAIN, Decision::Settle),
            (answered(503), AGAIN, Decision::Settle),
            (answered(524), AGAIN, Decision::Settle),
            (answered(501), Decision::Settle, Decision::Settle),
            (answered_after(503, 7), later, later),
            (answered_after(503, 7_200), Decision::Settle, Decision::Settle),
            (answered_after(500, 7), later, Decision::Settle),
            (answered_after(429, 7), pause, pause),
            (answered(200), Decision::Settle, Decision::Settle),
            (answered(302), Decision::Settle, Decision::Settle),
            (answered(401), Decision::Settle, Decision::Settle),
            (answered(404), Decision::Settle, Decision::Settle),
            (answered(422), Decision::Settle, Decision::Settle),
        ];
        for (outcome, repeatable, create) in cases {
            for method in [Method::Get, Method::Put, Method::Delete] {
                assert_eq!(decide(method, Attempts::default(), outcome), repeatable, "{method:?} {outcome:?}");
            }
            assert_eq!(decide(Method::Post, Attempts::default(), outcome), create, "POST {outcome:?}");
        }
    }

    #[test]
    fn waits_double_and_end() {
        let within = |failed| match decide(Method::Get, Attempts { failed, throttled: 0 }, Outcome::Lost) {
            Decision::Again { within } => within.as_millis(),
            _ => 0,
        };
        let waits: Vec<_> = (0..=RETRIES).map(within).collect();
        assert_eq!(waits, [250, 500, 1_000, 2_000, 4_000, 0]);
    }

    #[test]
    fn a_429_is_waited_out_however_often_it_comes() {
        let pause = |throttled, retry_after| {
            let outcome = Outcome::Answered { status: 429, retry_after };
            match decide(Method::Post, Attempts { failed: RETRIES, throttled }, outcome) {
                Decision::Pause { all } => all.as_millis(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!([0, 1, 3, 6, 40].map(|times| pause(times, None)), [1_000, 2_000, 8_000, 60_000, 60_000]);
        assert_eq!(pause(40, Some(Duration::ZERO)), 100);
        assert_eq!(pause(0, Some(Duration::from_secs(3_000))), 3_000_000);
    }
}
