//! Sends what is open in a journal, and reports how far it is.

use std::time::Duration;

use super::claims::Claims;
use super::journal::Journal;
use super::{DispatchOptions, Dispatcher, LostWaits, RunEnd, RunObserver, RunStart};
use crate::account::Account;
use crate::api::Client;
use crate::error::Result;
use crate::observer::{Observer, Remaining, Wait};
use crate::plan::{Step, StepOutcome};
use crate::shutdown::ShutdownSignal;

/// How long to wait after a lost response: on this machine, and anywhere else. A slow service makes it longer.
const WAITS_HERE: LostWaits = LostWaits { look: Duration::from_secs(1), resend: Duration::from_secs(5) };
const WAITS_ELSEWHERE: LostWaits = LostWaits { look: Duration::from_secs(5), resend: Duration::from_secs(10) };

/// Seconds that replace the wait before a lost create is sent again, for tests: a service that is known to finish every
/// request at once need not be waited for.
const RESEND_WAIT: &str = "TALLYPORT_RESEND_WAIT";

/// Sends the open steps of a journal to the account.
pub(crate) struct RunExecutor<'r> {
    pub(crate) account: &'r Account,
    pub(crate) observer: &'r mut dyn Observer,
    pub(crate) start: RunStart,
}

impl RunExecutor<'_> {
    /// Sends until every step has an outcome, or something stops the run.
    ///
    /// # Errors
    /// Where the journal cannot be read or written before anything is sent.
    pub(crate) async fn send(self, journal: Journal, shutdown: &mut ShutdownSignal) -> Result<(Journal, RunEnd)> {
        let client = &self.account.client;
        journal.reopen_dependents()?;
        let (header, sheets, before) = (journal.header()?, journal.sheets()?, journal.totals()?);
        journal.mark_resumed()?;
        let open = journal.open_steps()?;
        let options = DispatchOptions {
            concurrency: usize::from(self.account.concurrency),
            max_errors: header.details.max_errors,
            // Whoever resumes has been told what failed: else a run that stopped at its limit could never continue.
            failed_before: journal.failed_rows()?.saturating_sub(before.counts.failed),
            start: self.start,
            no_wait: header.details.no_wait,
            creates_only: header.details.creates_only,
            lost_waits: lost_waits(client),
        };
        self.observer.on_phase("sending", Some(open));
        let quota = self.account.quota;
        let mut progress = SendProgress { observer: self.observer, client, quota, open, done: 0, failed: 0 };
        let claims = Claims::register(self.account, &header.id, journal.started_at()?)?;
        let dispatcher = Dispatcher::new(client, options, &sheets, journal)?.with_claims(claims);
        Ok(dispatcher.run(shutdown, &mut progress).await?)
    }
}

fn lost_waits(client: &Client) -> LostWaits {
    let waits = if client.is_on_this_machine() { WAITS_HERE } else { WAITS_ELSEWHERE };
    let given = std::env::var(RESEND_WAIT).ok().and_then(|seconds| seconds.parse().ok());
    match given {
        Some(seconds) => LostWaits { resend: Duration::from_secs(seconds), ..waits },
        None => waits,
    }
}

/// Counts the steps that end.
struct SendProgress<'o> {
    observer: &'o mut dyn Observer,
    client: &'o Client,
    quota: Option<u32>,
    open: u64,
    done: u64,
    failed: u64,
}

impl RunObserver for SendProgress<'_> {
    fn on_step_end(&mut self, _: &Step, outcome: &StepOutcome) {
        self.done += 1;
        self.failed += u64::from(!outcome.is_applied());
        self.observer.on_rows(self.done, self.failed);
    }

    fn on_duplicate(&mut self, outcome: &StepOutcome) {
        for problem in &outcome.problems {
            self.observer.on_warning(&problem.error.message);
        }
    }

    fn on_progress(&mut self, wait: Option<&Wait>) {
        let allowed_now = self.client.quota_left().map_or(u64::MAX, |left| left as u64);
        let requests = self.open.saturating_sub(self.done);
        self.observer.on_remaining(Remaining { requests, allowed_now, per_hour: self.quota });
        let wait = wait.cloned().or_else(|| self.client.waiting().map(Wait::RateLimit));
        self.observer.on_wait(wait.as_ref());
    }
}
