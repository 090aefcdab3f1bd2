//! What the dispatcher's loop waits for.

use std::pin::pin;

use tokio::time::Interval;

use crate::observer::Wait;
use crate::run::RunObserver;
use crate::run::journal::WriteEvent;
use crate::run::worker::CompletedAttempt;
use crate::shutdown::ShutdownSignal;

/// What the loop waited for.
pub(super) enum Arrival {
    /// An interrupt, or time to tell what is going on.
    Progress,
    /// Time to look whether other runs have finished.
    ClaimsDue,
    Written(WriteEvent),
    Completed(Box<CompletedAttempt>),
}

/// What reaches the loop from outside, beside responses and the journal.
pub(super) struct LoopControl<'r> {
    pub(super) shutdown: &'r mut ShutdownSignal,
    /// One interval for the whole loop: a timer started anew in every turn would never fire while steps end.
    pub(super) clock: Interval,
    pub(super) observer: &'r mut dyn RunObserver,
}

impl LoopControl<'_> {
    /// Waits for a future and reports progress meanwhile; none where an interrupt comes first.
    pub(super) async fn wait<F: Future>(&mut self, wait: Option<Wait>, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.next() => return None,
                _ = self.clock.tick() => self.observer.on_progress(wait.as_ref()),
                output = &mut future => return Some(output),
            }
        }
    }
}
