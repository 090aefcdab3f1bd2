//! Sends what is open in a journal, and reports how far it is.

use std::time::Duration;

use super::claims::Claims;
use super::journal::Journal;
use super::other_runs::RunsOfAccount;
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
            // A run that may not fail once could never send anything.
            max_errors: header.details.max_errors.map(|rows| rows.max(1)),
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
        let claims = Claims::register(self.account, &header.id)?;
        let others = RunsOfAccount::new(self.account, &header.id);
        let dispatcher =
            Dispatcher::new(client, options, &sheets, journal)?.with_claims(claims).with_other_runs(others);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::check::{Code, ValueError};
    use crate::plan::{RowId, StepResult, StepRole, WriteKind};
    use crate::run::prepare::tests::{Office, Told, entity};

    #[test]
    fn a_service_elsewhere_is_given_more_time() {
        use crate::api::{ClientOptions, Secret};
        let waits = |url: &str| {
            let key = Secret::new(String::from("key")).unwrap();
            let options = ClientOptions { quota: None, ..ClientOptions::new(url.parse().unwrap(), key) };
            let LostWaits { look, resend } = lost_waits(&Client::new(options).unwrap());
            (look.as_secs(), resend.as_secs())
        };
        assert_eq!(waits("http://127.0.0.1:9/api/v1"), (1, 5));
        assert_eq!(waits("https://bluetally.example.com/api/v1"), (5, 10));
    }

    #[test]
    fn steps_that_end_are_counted_and_what_is_left_is_told() {
        let (office, mut told) = (Office::new(), Told::default());
        let client = &office.account.client;
        let mut progress = SendProgress { observer: &mut told, client, quota: Some(10), open: 4, done: 0, failed: 0 };
        let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, entity("locations"), WriteKind::Create);
        let outcome = |result| {
            let problem = ValueError::new(Code::ServiceUnknown, "twice", "").at(None, "");
            StepOutcome { step: 0, result, record: None, after: None, message: String::new(), problems: vec![problem] }
        };
        for result in [StepResult::Applied, StepResult::Failed, StepResult::AlreadyApplied] {
            progress.on_step_end(&step, &outcome(result));
        }
        progress.on_progress(None);
        let busy = Wait::Reconciling { requests: 2 };
        progress.on_progress(Some(&busy));
        progress.on_duplicate(&outcome(StepResult::Unknown));
        progress.on_step_end(&step, &outcome(StepResult::Unknown));
        progress.on_step_end(&step, &outcome(StepResult::Applied));
        progress.on_progress(None);
        assert_eq!(told.rows, [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2)]);
        let left: Vec<u64> = told.remaining.iter().map(|left| left.requests).collect();
        assert_eq!((left, told.remaining[0].per_hour), (vec![1, 1, 0], Some(10)));
        assert_eq!((told.waits, told.warnings), (vec![None, Some(busy), None], vec![String::from("twice")]));
    }
}
