//! What a rate limiter knows at one moment: the quota, and the pauses in force.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::super::clock::MachineClocks;
use super::super::response_headers::ServerQuota;
use super::super::rolling_window::{HOUR, RollingWindow};
use super::super::shared_quota::{Admission, QuotaFileError, SharedQuota};
use super::super::wait::{WaitReason, WaitStatus};

/// How long another program may lock the shared quota before the run continues without it.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);
/// How soon to try a locked shared quota again. SQLite has waited for a quarter of a second by then.
const LOCK_RETRY: Duration = Duration::from_millis(100);
/// How long the number of requests left is good enough for a progress line.
const REMAINING_TTL: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(super) struct LimiterState {
    /// What this process sent: all there is to go by without a shared quota.
    window: Option<RollingWindow>,
    quota: Option<SharedQuota>,
    /// Since when another program has locked the shared quota.
    pub(super) locked_since: Option<Instant>,
    /// The pause that the service asked for, where there is no shared quota to keep it.
    service_pause: Option<Pause>,
    /// What the shared quota makes the request that asks wait for.
    quota_pause: Option<Pause>,
    /// How many requests the shared quota would let through, and when it was asked.
    remaining: Option<(Instant, Option<usize>)>,
    warnings: Vec<String>,
}

/// No request is sent until then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause {
    pub(super) until: Instant,
    /// The same by the machine's clock, for people. Computed once, so that it reads alike every time it is shown.
    shown: SystemTime,
    reason: WaitReason,
}

impl Pause {
    fn new(now: Instant, until: Instant, reason: WaitReason) -> Self {
        Self { until, shown: SystemTime::now() + until.saturating_duration_since(now), reason }
    }
}

impl LimiterState {
    pub(super) fn new(hourly: Option<u32>, quota: Option<SharedQuota>) -> Self {
        Self {
            window: hourly.map(|limit| RollingWindow::new(limit, HOUR)),
            quota,
            locked_since: None,
            service_pause: None,
            quota_pause: None,
            remaining: None,
            warnings: Vec::new(),
        }
    }

    /// Why nothing may be sent now: the service asked for it, or, without a shared quota, our own quota is used up.
    /// The longer of the two.
    pub(super) fn current_pause(&mut self, now: Instant) -> Option<Pause> {
        self.service_pause = self.service_pause.filter(|pause| pause.until > now);
        let window = self.window.as_mut().filter(|_| self.quota.is_none());
        let own = window.and_then(|window| window.next_free(now));
        let own = own.map(|until| Pause::new(now, until, WaitReason::Quota));
        [self.service_pause, own].into_iter().flatten().max_by_key(|pause| pause.until)
    }

    pub(super) fn waiting(&mut self, now: Instant) -> Option<WaitStatus> {
        let shared = self.quota_pause.filter(|pause| pause.until > now);
        let pause = self.current_pause(now).into_iter().chain(shared).max_by_key(|pause| pause.until)?;
        Some(WaitStatus { until: pause.shown, reason: pause.reason })
    }

    /// Counts a request that is sent now, or returns when to ask again.
    pub(super) fn try_acquire(&mut self, now: Instant, clocks: &MachineClocks) -> Result<(), Instant> {
        if let Some(quota) = &mut self.quota {
            let reading = clocks.read();
            let instant_of = |wall_ms: i64| {
                now + Duration::from_millis(u64::try_from(wall_ms - reading.wall_ms).unwrap_or_default())
            };
            match quota.acquire(reading) {
                Ok(Admission::Granted) => (self.locked_since, self.quota_pause) = (None, None),
                Ok(Admission::Wait(wait)) => {
                    self.locked_since = None;
                    let shown = Duration::from_millis(u64::try_from(wait.until_ms).unwrap_or_default());
                    self.quota_pause = Some(Pause {
                        until: instant_of(wait.until_ms),
                        shown: SystemTime::UNIX_EPOCH + shown,
                        reason: wait.reason,
                    });
                    return Err(instant_of(wait.again_ms));
                }
                Err(QuotaFileError::Busy) if self.locked_since.is_none_or(|since| now < since + LOCK_TIMEOUT) => {
                    self.locked_since.get_or_insert(now);
                    return Err(now + LOCK_RETRY);
                }
                Err(QuotaFileError::Busy) => {
                    self.abandon_quota(now, "another program keeps it locked");
                    return Err(now);
                }
                Err(QuotaFileError::Broken(cause)) => {
                    self.abandon_quota(now, &cause);
                    return Err(now);
                }
            }
        }
        if let Some(window) = &mut self.window {
            window.record(now);
        }
        Ok(())
    }

    pub(super) fn pause(&mut self, now: Instant, clocks: &MachineClocks, span: Duration, reason: WaitReason) {
        if self.tell_quota(now, |quota| quota.pause(clocks.read(), span, reason)) {
            return;
        }
        let until = now + span;
        if self.service_pause.is_none_or(|pause| pause.until < until) {
            self.service_pause = Some(Pause::new(now, until, reason));
        }
    }

    pub(super) fn learn(&mut self, now: Instant, clocks: &MachineClocks, server: ServerQuota) {
        self.tell_quota(now, |quota| quota.learn(clocks.read(), server));
    }

    /// Writes to the shared quota; whether it was written. While another program locks it, it is not: this process goes
    /// by what it knows, and the next response tells the others.
    fn tell_quota(&mut self, now: Instant, write: impl FnOnce(&mut SharedQuota) -> Result<(), QuotaFileError>) -> bool {
        match self.quota.as_mut().map(write) {
            Some(Ok(())) => true,
            Some(Err(QuotaFileError::Broken(cause))) => {
                self.abandon_quota(now, &cause);
                false
            }
            Some(Err(QuotaFileError::Busy)) | None => false,
        }
    }

    pub(super) fn remaining(&mut self, now: Instant, clocks: &MachineClocks) -> Option<usize> {
        let Some(quota) = &self.quota else { return self.window.as_mut().map(|window| window.remaining(now)) };
        if let Some((then, remaining)) = self.remaining
            && now < then + REMAINING_TTL
        {
            return remaining;
        }
        match quota.remaining(clocks.read()) {
            Ok(remaining) => {
                self.remaining = Some((now, remaining));
                remaining
            }
            // The next request finds out what is wrong.
            Err(_) => self.remaining.and_then(|(_, remaining)| remaining),
        }
    }

    pub(super) fn take_warnings(&mut self) -> Vec<String> {
        let mut warnings = std::mem::take(&mut self.warnings);
        warnings.extend(self.quota.as_mut().map(SharedQuota::take_warnings).unwrap_or_default());
        warnings
    }

    /// Continues without the shared quota for the rest of the run.
    fn abandon_quota(&mut self, now: Instant, cause: &str) {
        let Some(mut quota) = self.quota.take() else { return };
        if let Some(window) = &mut self.window {
            window.add_others(quota.last_known(), now);
        }
        self.warnings.extend(quota.take_warnings());
        let warning = format!(
            "the shared quota `{}` is no longer usable ({cause}): from now on this run counts only its own requests, \
             not those of other processes",
            quota.path().display()
        );
        tracing::warn!("{warning}");
        self.warnings.push(warning);
        // What the service asked for still holds.
        let asked = self.quota_pause.filter(|pause| pause.reason != WaitReason::Quota);
        self.service_pause = self.service_pause.into_iter().chain(asked).max_by_key(|pause| pause.until);
        (self.locked_since, self.quota_pause) = (None, None);
    }
}
