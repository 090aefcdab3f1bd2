//! One request to its end: attempts and the waits between them. What to do after each is [`super::retry`]'s to say.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::quota::{Gate, Shut, WaitReason};
use super::reply::Answer;
use super::request::Method;
use super::retry::{Attempts, Decision, Outcome, decide};

/// What one attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attempt {
    Answered(Answer),
    /// No connection: nothing was sent. With the cause, for people.
    NotSent(String),
    /// It may have been sent, and no whole answer came. With the cause, for people.
    Lost(String),
}

impl Attempt {
    fn outcome(&self) -> Outcome {
        match self {
            Attempt::Answered(Answer { status, signals, .. }) => {
                Outcome::Answered { status: *status, retry_after: signals.retry_after }
            }
            Attempt::NotSent(_) => Outcome::NotSent,
            Attempt::Lost(_) => Outcome::Lost,
        }
    }

    /// Whether the request may have been carried out although no success was seen.
    fn may_have_been_done(&self) -> bool {
        matches!(self.outcome(), Outcome::Lost | Outcome::Answered { status: 408 | 500..=599, .. })
    }
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) last: Attempt,
    /// Whether an attempt before the last may have been carried out.
    pub(super) earlier: Earlier,
}

/// What the attempts before the last one can have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Earlier {
    DidNothing,
    MayHaveBeenDone,
}

/// Attempts it until it is settled. Every attempt passes the gate, and what the service says of its limits closes it.
pub(super) async fn persist<Sending, Sent>(method: Method, gate: &Gate, mut attempt: Sending) -> Ending
where
    Sending: FnMut() -> Sent,
    Sent: Future<Output = Attempt>,
{
    let mut attempts = Attempts::default();
    let mut earlier = Earlier::DidNothing;
    loop {
        let last = attempt().await;
        obey(gate, &last);
        match decide(method, attempts, last.outcome()) {
            Decision::Settle => return Ending { last, earlier },
            Decision::Pause { .. } if gate.is_shut() => return Ending { last, earlier },
            Decision::Pause { all } => {
                attempts.throttled += 1;
                gate.close(all, WaitReason::Throttled);
                continue;
            }
            Decision::Again { within } => {
                if rest(gate, within.mul_f64(fastrand::f64())).await == Err(Shut) {
                    return Ending { last, earlier };
                }
            }
            Decision::Later { after } => {
                if rest(gate, after).await == Err(Shut) {
                    return Ending { last, earlier };
                }
            }
        }
        attempts.failed += 1;
        attempts.throttled = 0;
        if last.may_have_been_done() {
            earlier = Earlier::MayHaveBeenDone;
        }
    }
}

async fn rest(gate: &Gate, span: Duration) -> Result<(), Shut> {
    gate.rest(Instant::now() + span).await
}

/// The service's own count goes before ours: where nothing is left, nobody sends.
fn obey(gate: &Gate, last: &Attempt) {
    let Attempt::Answered(answer) = last else { return };
    if let Some(told) = answer.signals.hourly() {
        gate.learn(told);
    }
    if let Some(span) = answer.signals.exhausted() {
        gate.close(span.max(Duration::from_secs(1)), WaitReason::ServerQuota);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::cell::RefCell;
    use std::time::Duration;

    use tokio::time::Instant;

    use super::super::quota::Limits;
    use super::super::signals::Signals;
    use super::{Answer, Attempt, Earlier, Ending, Gate, Method, persist};

    fn answered(status: u16, signals: Signals) -> Attempt {
        Attempt::Answered(Answer { status, signals, body: Vec::new() })
    }

    fn plain(status: u16) -> Attempt {
        answered(status, Signals::default())
    }

    fn lost() -> Attempt {
        Attempt::Lost("reset".to_owned())
    }

    fn not_sent() -> Attempt {
        Attempt::NotSent("refused".to_owned())
    }

    /// Plays `script` to a request and tells its ending, the scripted attempts it took and the time.
    async fn play(method: Method, script: Vec<Attempt>) -> (Ending, usize, Duration) {
        let gate = Gate::alone(Limits::default());
        let count = script.len();
        let left = RefCell::new(script.into_iter());
        let start = Instant::now();
        let ending = persist(method, &gate, || async {
            gate.pass().await.unwrap();
            left.borrow_mut().next().unwrap_or_else(|| plain(200))
        });
        let ending = ending.await;
        let attempts = count - left.borrow().len();
        (ending, attempts, start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn reads_go_on_until_they_are_answered() {
        let script = vec![lost(), plain(502), not_sent(), plain(500), lost()];
        let (ending, _, time) = play(Method::Get, script).await;
        assert_eq!(ending.last, plain(200));
        assert_eq!(ending.earlier, Earlier::MayHaveBeenDone);
        assert!(time < Duration::from_millis(250 + 500 + 1_000 + 2_000 + 4_000), "{time:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_after_five_repetitions() {
        let (ending, attempts, _) = play(Method::Put, vec![plain(500); 9]).await;
        assert_eq!((ending.last, attempts), (plain(500), 6));
    }

    #[tokio::test(start_paused = true)]
    async fn a_create_is_sent_once_unless_it_surely_did_not_arrive() {
        for last in [lost(), plain(500), plain(503), plain(504), plain(408)] {
            let (ending, _, time) = play(Method::Post, vec![last.clone()]).await;
            assert_eq!((ending.last, time), (last, Duration::ZERO));
        }
        let turned_away = answered(503, Signals { retry_after: Some(Duration::from_secs(2)), ..Signals::default() });
        let (ending, _, time) = play(Method::Post, vec![turned_away]).await;
        assert_eq!((ending.last, time.as_secs()), (plain(200), 2));
        let (ending, ..) = play(Method::Post, vec![not_sent(), not_sent()]).await;
        assert_eq!(ending, Ending { last: plain(200), earlier: Earlier::DidNothing });
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_is_waited_out_and_never_counted() {
        let throttled = answered(429, Signals { retry_after: Some(Duration::from_secs(90)), ..Signals::default() });
        let (ending, _, time) = play(Method::Post, vec![throttled; 40]).await;
        assert_eq!(ending, Ending { last: plain(200), earlier: Earlier::DidNothing });
        assert_eq!(time.as_secs(), 40 * 90);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_sends_where_the_service_has_nothing_left() {
        let gate = Gate::alone(Limits::default());
        let signals = Signals { remaining: Some(0), reset: Some(Duration::from_secs(45)), ..Signals::default() };
        let ending = persist(Method::Get, &gate, || std::future::ready(answered(200, signals.clone()))).await;
        assert_eq!(ending.last, answered(200, signals));
        let start = Instant::now();
        gate.pass().await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 45);
    }
}
