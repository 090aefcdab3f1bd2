//! One request until it is settled: attempts, and the waits between them. [`super::retry`] decides what to do after each.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::rate_limiter::{Closed, RateLimiter};
use super::request_kind::Method;
use super::response::Response;
use super::retry::{
    AttemptCounts, AttemptOutcome, LEAST_THROTTLED, LONGEST_RETRY_AFTER, LONGEST_THROTTLING, RETRIES, RetryAction,
    decide, is_outage, outage_wait,
};
use super::wait::WaitReason;

/// The result of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attempt {
    Answered(Response),
    /// No connection: nothing was sent. With the cause, for people.
    NotSent(String),
    /// It may have been sent, and no complete response arrived. With the cause, for people.
    Lost(String),
}

impl Attempt {
    fn outcome(&self, method: Method) -> AttemptOutcome {
        match self {
            // Only a read without data is repeated: see `decide`.
            Attempt::Answered(response) if method == Method::Get && response.is_success() && !response.has_data() => {
                AttemptOutcome::Unreadable
            }
            Attempt::Answered(response) if response.is_blocked() => AttemptOutcome::Blocked,
            Attempt::Answered(Response { status, headers, .. }) => {
                AttemptOutcome::Answered { status: *status, retry_after: headers.retry_after }
            }
            Attempt::NotSent(_) => AttemptOutcome::NotSent,
            Attempt::Lost(_) => AttemptOutcome::Lost,
        }
    }

    /// Whether the service may have applied the request although no success was seen.
    fn may_have_been_applied(&self) -> bool {
        match self {
            Attempt::Answered(response) => matches!(response.status, 408 | 500..=599),
            Attempt::NotSent(_) => false,
            Attempt::Lost(_) => true,
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestResult {
    pub(super) last: Attempt,
    /// Whether an attempt before the last one may have been applied.
    pub(super) earlier: PriorAttempts,
}

/// What the attempts before the last one may have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PriorAttempts {
    NotApplied,
    MaybeApplied,
}

/// Sends a request until it is settled. Every attempt acquires a permit of the rate limiter, and what the service says of its
/// own limits is applied there. A read waits for a service that is down for as long as `patience` says; if it is to be
/// patient at all, it is that of an export, which also ends one day if every answer is a 429.
pub(super) async fn send_with_retry<Sending, Sent>(
    method: Method,
    (limiter, patience): (&RateLimiter, Duration),
    mut attempt: Sending,
) -> RequestResult
where
    Sending: FnMut() -> Sent,
    Sent: Future<Output = Attempt>,
{
    let mut counts = AttemptCounts::default();
    let mut earlier = PriorAttempts::NotApplied;
    let begun = Instant::now();
    let mut throttled_since = None;
    loop {
        let last = attempt().await;
        apply_rate_headers(limiter, &last);
        let outcome = last.outcome(method);
        match decide(method, counts, outcome) {
            RetryAction::Return if is_outage(method, outcome) && begun.elapsed() < patience => {
                let span = outage_wait(counts.failed.saturating_sub(RETRIES));
                tracing::info!(seconds = span.as_secs(), "the service is down; waiting for it");
                if wait(limiter, span).await == Err(Closed) {
                    return RequestResult { last, earlier };
                }
            }
            RetryAction::Return => return RequestResult { last, earlier },
            RetryAction::PauseAll { .. } if limiter.is_closed() => return RequestResult { last, earlier },
            RetryAction::PauseAll { span } => {
                let since: Instant = *throttled_since.get_or_insert_with(Instant::now);
                counts.throttled += 1;
                let is_long = counts.throttled >= LEAST_THROTTLED && since.elapsed() > LONGEST_THROTTLING;
                if !patience.is_zero() && is_long {
                    return RequestResult { last, earlier };
                }
                limiter.pause(span, WaitReason::Throttled);
                continue;
            }
            RetryAction::Backoff { within } => {
                if wait(limiter, within.mul_f64(fastrand::f64())).await == Err(Closed) {
                    return RequestResult { last, earlier };
                }
            }
            RetryAction::RetryAfter { after } => {
                if wait(limiter, after).await == Err(Closed) {
                    return RequestResult { last, earlier };
                }
            }
        }
        counts.failed += 1;
        counts.throttled = 0;
        throttled_since = None;
        if last.may_have_been_applied() {
            earlier = PriorAttempts::MaybeApplied;
        }
    }
}

async fn wait(limiter: &RateLimiter, span: Duration) -> Result<(), Closed> {
    limiter.wait_until(Instant::now() + span).await
}

/// The service's own count takes precedence over ours: if nothing is left, no request is sent.
fn apply_rate_headers(limiter: &RateLimiter, last: &Attempt) {
    let Attempt::Answered(response) = last else { return };
    if let Some(server) = response.headers.hourly() {
        limiter.learn(server);
    }
    if let Some(span) = response.headers.exhausted() {
        limiter.pause(span.max(Duration::from_secs(1)), WaitReason::ServerQuota);
    }
    // Whoever asks next, to send a request again or to find out what became of it.
    if let (503, Some(span)) =
        (response.status, response.headers.retry_after.filter(|span| *span <= LONGEST_RETRY_AFTER))
    {
        limiter.pause(span, WaitReason::Throttled);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::cell::RefCell;
    use std::time::Duration;

    use tokio::time::Instant;

    use super::super::rate_limiter::RateLimits;
    use super::super::response_headers::ResponseHeaders;
    use super::{Attempt, Method, PriorAttempts, RateLimiter, RequestResult, Response, send_with_retry};

    fn answered(status: u16, headers: ResponseHeaders) -> Attempt {
        Attempt::Answered(Response::new(status, headers, b"[]".to_vec()))
    }

    fn plain(status: u16) -> Attempt {
        answered(status, ResponseHeaders::default())
    }

    fn body(text: &str) -> Attempt {
        Attempt::Answered(Response::new(200, ResponseHeaders::default(), text.into()))
    }

    fn lost() -> Attempt {
        Attempt::Lost("reset".to_owned())
    }

    fn not_sent() -> Attempt {
        Attempt::NotSent("refused".to_owned())
    }

    /// Answers a request with `script`; returns its result, the number of scripted attempts it took and the time.
    async fn play(method: Method, script: Vec<Attempt>) -> (RequestResult, usize, Duration) {
        play_patiently(method, Duration::ZERO, script).await
    }

    async fn play_patiently(
        method: Method,
        patience: Duration,
        script: Vec<Attempt>,
    ) -> (RequestResult, usize, Duration) {
        let limiter = RateLimiter::unshared(RateLimits::default());
        let count = script.len();
        let left = RefCell::new(script.into_iter());
        let start = Instant::now();
        let result = send_with_retry(method, (&limiter, patience), || async {
            limiter.acquire().await.unwrap();
            left.borrow_mut().next().unwrap_or_else(|| plain(200))
        });
        let result = result.await;
        let attempts = count - left.borrow().len();
        (result, attempts, start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_patient_read_that_is_only_ever_throttled_ends() {
        let patience = Duration::from_secs(600);
        let (result, _, time) = play_patiently(Method::Get, patience, vec![plain(429); 1_000]).await;
        assert_eq!(result.last, plain(429));
        assert!((4 * 3_600..4 * 3_600 + 120).contains(&time.as_secs()), "{time:?}");
        // Any other answer begins anew, and an announced pause is waited for, however long.
        let script = [vec![plain(429); 150], vec![plain(502)], vec![plain(429); 150]].concat();
        assert_eq!(play_patiently(Method::Get, patience, script).await.0.last, plain(200));
        let day = ResponseHeaders { retry_after: Some(Duration::from_secs(86_400)), ..ResponseHeaders::default() };
        let after_a_day = |more| [vec![answered(429, day.clone())], vec![plain(429); more]].concat();
        assert_eq!(play_patiently(Method::Get, patience, after_a_day(0)).await.0.last, plain(200));
        assert_eq!(
            play_patiently(Method::Get, patience, after_a_day(3)).await.0.last,
            plain(200),
            "not yet ready then"
        );
        assert_eq!(play_patiently(Method::Get, patience, after_a_day(4)).await.0.last, plain(429));
        // An import waits as long as it takes.
        assert_eq!(play(Method::Get, vec![plain(429); 1_000]).await.0.last, plain(200));
    }

    #[tokio::test(start_paused = true)]
    async fn reads_are_retried_until_they_are_answered() {
        let script = vec![lost(), plain(502), not_sent(), plain(500), lost()];
        let (result, _, time) = play(Method::Get, script).await;
        assert_eq!(result.last, plain(200));
        assert_eq!(result.earlier, PriorAttempts::MaybeApplied);
        assert!(time < Duration::from_millis(250 + 500 + 1_000 + 2_000 + 4_000), "{time:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_patient_read_waits_for_a_service_that_is_down() {
        let patience = Duration::from_secs(600);
        let (result, attempts, time) = play_patiently(Method::Get, patience, vec![not_sent(); 20]).await;
        assert_eq!((result.last, attempts), (plain(200), 20));
        assert!(time > Duration::from_secs(200), "{time:?}");
        let (result, _, time) = play_patiently(Method::Get, patience, vec![plain(503); 200]).await;
        assert_eq!(result.last, plain(503));
        assert!((600..640).contains(&time.as_secs()), "{time:?}");
        // A service that is up and fails is no outage, and a write is not repeated.
        assert_eq!(play_patiently(Method::Get, patience, vec![plain(500); 200]).await.1, 6);
        assert_eq!(play_patiently(Method::Put, patience, vec![plain(503); 200]).await.1, 6);
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_without_data_is_retried() {
        for broken in ["", "  ", "<!DOCTYPE html><html></html>", r#"[{"id":1},{"id""#, r#"[{"custom":[]"#, r#"{"id":1"#]
        {
            let (result, attempts, _) = play(Method::Get, vec![body(broken); 2]).await;
            assert_eq!((result.last, attempts), (plain(200), 2), "{broken}");
            let (result, attempts, _) = play(Method::Post, vec![body(broken)]).await;
            assert_eq!((result.last, attempts), (body(broken), 1), "{broken}");
        }
        assert_eq!(play(Method::Get, vec![body("{}")]).await.0.last, body("{}"));
    }

    #[tokio::test(start_paused = true)]
    async fn retries_end_after_five() {
        let (result, attempts, _) = play(Method::Put, vec![plain(500); 9]).await;
        assert_eq!((result.last, attempts), (plain(500), 6));
    }

    #[tokio::test(start_paused = true)]
    async fn a_create_is_sent_once_unless_it_certainly_did_not_arrive() {
        for last in [lost(), plain(500), plain(503), plain(504), plain(408)] {
            let (result, _, time) = play(Method::Post, vec![last.clone()]).await;
            assert_eq!((result.last, time), (last, Duration::ZERO));
        }
        let busy =
            answered(503, ResponseHeaders { retry_after: Some(Duration::from_secs(2)), ..ResponseHeaders::default() });
        let (result, attempts, _) = play(Method::Post, vec![busy.clone(), busy.clone()]).await;
        assert_eq!((result.last, attempts), (busy, 1), "a gateway may say so of what the service has done");
        let (result, ..) = play(Method::Post, vec![not_sent(), not_sent()]).await;
        assert_eq!(result, RequestResult { last: plain(200), earlier: PriorAttempts::NotApplied });
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_is_waited_out_and_never_counted() {
        let throttled =
            answered(429, ResponseHeaders { retry_after: Some(Duration::from_secs(90)), ..ResponseHeaders::default() });
        let (result, _, time) = play(Method::Post, vec![throttled; 40]).await;
        assert_eq!(result, RequestResult { last: plain(200), earlier: PriorAttempts::NotApplied });
        assert_eq!(time.as_secs(), 40 * 90);
    }

    #[tokio::test(start_paused = true)]
    async fn no_request_is_sent_while_the_service_has_nothing_left() {
        let limiter = RateLimiter::unshared(RateLimits::default());
        let headers =
            ResponseHeaders { remaining: Some(0), reset: Some(Duration::from_secs(45)), ..ResponseHeaders::default() };
        let result = send_with_retry(Method::Get, (&limiter, Duration::ZERO), || {
            std::future::ready(answered(200, headers.clone()))
        })
        .await;
        assert_eq!(result.last, answered(200, headers));
        let start = Instant::now();
        limiter.acquire().await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 45);
    }
}
