//! Steps whose answer was lost: when to look for what became of them, and how often to send them again.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::outcome::Loss;
use crate::plan::Step;

/// So many are looked for at once, before more are sent: enough for one look to serve many, few enough for a service
/// that fails all the time not to collect a whole sheet.
const MOST: usize = 64;

/// A step that was sent so often and surely not done is given up, unless the whole service is unwell.
const MOST_TRIES: u32 = 6;

/// So long a step that nothing else succeeds beside is tried, whatever the count: the service may be starting anew.
const LEAST_PATIENCE: Duration = Duration::from_secs(120);

/// The longest that an answer is waited for after it was lost.
const LONGEST_GRACE: Duration = Duration::from_secs(60);

/// A lost answer.
#[derive(Debug)]
pub(super) struct Lost {
    /// With the body as it was sent.
    pub(super) step: Step,
    pub(super) loss: Loss,
}

/// The steps whose answer was lost and that have not been looked for yet.
#[derive(Debug)]
pub(super) struct Losses {
    lost: Vec<Lost>,
    /// No look before this: a request whose answer was lost may still be on its way.
    not_before: Option<Instant>,
    /// Sends that were looked for and not found, by step, and when the first was lost.
    tries: HashMap<u32, Tries>,
    /// The least time between a loss and a look.
    floor: Duration,
    /// The slowest answer so far.
    slowest: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    count: u32,
    since: Instant,
}

/// What becomes of a step that was looked for and surely was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Send,
    GiveUp { tries: u32 },
}

impl Losses {
    pub(super) fn new(floor: Duration, slowest: Duration) -> Self {
        Self { lost: Vec::new(), not_before: None, tries: HashMap::new(), floor, slowest }
    }

    pub(super) fn len(&self) -> usize {
        self.lost.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lost.is_empty()
    }

    /// Whether it is time to look rather than to send more.
    pub(super) fn are_many(&self) -> bool {
        self.lost.len() >= MOST
    }

    /// An answer came, this long after its request.
    pub(super) fn answered_within(&mut self, took: Duration) {
        self.slowest = self.slowest.max(took);
    }

    pub(super) fn add(&mut self, step: Step, loss: Loss, now: Instant) {
        if !loss.is_over() {
            let look = now + self.grace();
            self.not_before = Some(self.not_before.map_or(look, |known| known.max(look)));
        }
        self.tries.entry(step.number).or_insert(Tries { count: 0, since: now });
        self.lost.push(Lost { step, loss });
    }

    /// When a look tells the truth: a request that the service had not finished when its answer was lost has landed
    /// by then, as far as the service's own pace tells.
    pub(super) fn look_at(&self, now: Instant) -> Instant {
        self.not_before.map_or(now, |at| at.max(now))
    }

    fn grace(&self) -> Duration {
        (self.slowest * 3).clamp(self.floor, LONGEST_GRACE.max(self.floor))
    }

    /// The steps to look for.
    pub(super) fn take(&mut self) -> Vec<Lost> {
        self.not_before = None;
        std::mem::take(&mut self.lost)
    }

    /// They could not be looked for.
    pub(super) fn put_back(&mut self, lost: Vec<Lost>) {
        self.lost.extend(lost);
    }

    /// A step was looked for and surely was not done. `others`: how the rest has fared since the last look.
    pub(super) fn not_done(&mut self, step: u32, others: Others, now: Instant) -> Again {
        let tries = self.tries.entry(step).or_insert(Tries { count: 0, since: now });
        tries.count += 1;
        let is_tried_enough = tries.count >= MOST_TRIES;
        let is_waited_enough = others == Others::Succeed || now.duration_since(tries.since) >= LEAST_PATIENCE;
        match is_tried_enough && is_waited_enough {
            true => Again::GiveUp { tries: tries.count },
            false => Again::Send,
        }
    }

    /// Whether the step was lost, or looked for, before.
    pub(super) fn was_tried(&self, step: u32) -> bool {
        self.tries.contains_key(&step)
    }

    /// The step has ended.
    pub(super) fn forget(&mut self, step: u32) {
        self.tries.remove(&step);
    }
}

/// How other steps fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    Succeed,
    Fail,
}

/// Waits between tries while the service is unwell: a second, doubling to a minute, for ten minutes at most.
#[derive(Debug, Default)]
pub(super) struct Weather {
    since: Option<Instant>,
    failures: u32,
    until: Option<Instant>,
}

/// How long the service may be out of reach before the run stops. `resume` goes on.
const PATIENCE: Duration = Duration::from_secs(600);

impl Weather {
    /// Something succeeded.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_clear(&self) -> bool {
        self.since.is_none()
    }

    /// Something failed that is no step's own fault. False when patience has ended.
    pub(super) fn worsen(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        if self.until.is_some_and(|until| until > now) {
            return true;
        }
        let wait = Duration::from_secs(1 << self.failures.min(6)).min(Duration::from_secs(60));
        self.failures += 1;
        self.until = Some(now + wait);
        now.duration_since(since) < PATIENCE
    }

    /// Until when nothing is sent.
    pub(super) fn pause(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::outcome::Sent;
    use super::*;
    use crate::plan::{RowId, StepRole, WriteKind};
    use crate::schema;

    const SECOND: Duration = Duration::from_secs(1);

    fn step(number: u32) -> Step {
        Step::new(number, RowId { sheet: 0, row: 2 }, StepRole::Row, schema::COLLECTIONS[0], WriteKind::Create)
    }

    fn loss(status: Option<u16>) -> Loss {
        Loss { cause: String::from("lost"), status, sent: Sent::Yes }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_may_still_be_on_its_way_is_not_looked_for_at_once() {
        let now = Instant::now();
        let mut losses = Losses::new(SECOND, Duration::ZERO);
        losses.add(step(0), loss(Some(500)), now);
        assert_eq!(losses.look_at(now), now, "the service itself said that it was done with it");
        losses.add(step(1), loss(Some(504)), now);
        assert_eq!(losses.look_at(now), now + SECOND);
        losses.answered_within(4 * SECOND);
        losses.add(step(2), loss(None), now);
        assert_eq!(losses.look_at(now), now + 12 * SECOND, "three times the slowest answer");
        losses.answered_within(400 * SECOND);
        losses.add(step(3), loss(None), now);
        assert_eq!(losses.look_at(now), now + LONGEST_GRACE);
        assert_eq!(losses.take().len(), 4);
        assert_eq!(losses.look_at(now), now);
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_that_fails_alone_is_given_up_and_one_that_fails_with_all_is_not() {
        let now = Instant::now();
        let mut losses = Losses::new(SECOND, Duration::ZERO);
        losses.add(step(0), loss(Some(500)), now);
        let fates: Vec<Again> = (0..6).map(|_| losses.not_done(0, Others::Succeed, now)).collect();
        assert_eq!(fates[4..], [Again::Send, Again::GiveUp { tries: 6 }]);
        losses.add(step(1), loss(Some(500)), now);
        for _ in 0..20 {
            assert_eq!(losses.not_done(1, Others::Fail, now), Again::Send);
        }
        assert_eq!(losses.not_done(1, Others::Fail, now + LEAST_PATIENCE), Again::GiveUp { tries: 21 });
    }

    #[tokio::test(start_paused = true)]
    async fn patience_with_a_service_that_is_gone_ends() {
        let mut now = Instant::now();
        let start = now;
        let mut weather = Weather::default();
        let mut waits = Vec::new();
        while weather.worsen(now) {
            let until = weather.pause(now).unwrap();
            waits.push((until - now).as_secs());
            assert!(weather.worsen(now), "many fail at once, and it is one failure");
            now = until;
        }
        assert_eq!(waits[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(now - start >= PATIENCE);
        weather.clear();
        assert_eq!(weather.pause(now), None);
    }
}
