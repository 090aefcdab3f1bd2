//! Progress of an export, passed on to its observer.

use std::cell::RefCell;
use std::pin::pin;
use std::time::Duration;

use crate::api::Client;
use crate::error::{Error, Result};
use crate::observer::{Observer, Wait};
use crate::shutdown::ShutdownSignal;

/// How often to check whether requests wait for the quota.
const WAIT_CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// Announces a phase to the observer when it begins, and reports its rows.
pub(crate) struct PhaseProgress<'o> {
    observer: &'o mut dyn Observer,
    phase: String,
}

impl<'o> PhaseProgress<'o> {
    pub(crate) fn new(observer: &'o mut dyn Observer) -> Self {
        Self { observer, phase: String::new() }
    }

    /// Begins a phase, unless it is the current one.
    pub(crate) fn begin(&mut self, phase: &str) {
        if self.phase != phase {
            phase.clone_into(&mut self.phase);
            self.observer.on_phase(phase, None);
        }
    }

    /// Reports how many rows of a phase are done; the first report begins it.
    pub(crate) fn report(&mut self, phase: &str, rows: u64) {
        self.begin(phase);
        self.observer.on_rows(rows, 0);
    }

    pub(crate) fn note(&mut self, text: &str) {
        self.observer.on_note(text);
    }

    pub(crate) fn warn(&mut self, text: &str) {
        self.observer.on_warning(text);
    }
}

/// Does `work`, and tells the observer whenever its requests wait for the quota.
pub(crate) async fn reporting_waits<T>(
    client: &Client,
    progress: &RefCell<&mut PhaseProgress<'_>>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                progress.borrow_mut().observer.on_wait(None);
                return done;
            }
            () = tokio::time::sleep(WAIT_CHECK_INTERVAL) => {
                let wait = client.waiting().map(Wait::RateLimit);
                progress.borrow_mut().observer.on_wait(wait.as_ref());
            }
        }
    }
}

/// Does `work`, unless the signal asks to stop.
pub(crate) async fn unless_stopped<T>(shutdown: &ShutdownSignal, work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut shutdown = shutdown.clone();
    tokio::select! {
        biased;
        () = shutdown.next() => Err(Error::interrupted()),
        done = work => done,
    }
}
