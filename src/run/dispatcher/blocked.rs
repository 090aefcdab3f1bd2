//! Steps that were blocked or forbidden: a firewall dislikes a row, or a directory owns its record; or the network lets
//! nothing through, or the key may write nothing.

use super::{Dispatcher, StepTransport};
use crate::run::journal::WriteCommand;
use crate::run::{RunEnd, RunObserver, outcome};

/// After this many blocked steps with none applied in between, everything is blocked.
const MAX_BLOCKED: usize = 3;

impl<T: StepTransport> Dispatcher<'_, T> {
    /// Decides whether blocked steps are the fault of their rows or of the whole run. If no other step is being sent, or
    /// several in a row were blocked, it is the network. Forbidden records may come many in a row, and are the fault of
    /// their rows once any other step was applied.
    pub(super) fn decide_blocked(&mut self, observer: &mut dyn RunObserver) {
        let is_forbidden = self.blocked.iter().all(|(_, failure)| failure.is_forbidden());
        // A step that is still being sent may be the first to be applied.
        let enough = MAX_BLOCKED + if is_forbidden { self.options.concurrency } else { 0 };
        if self.blocked.is_empty() || (self.blocked.len() < enough && self.is_sending()) {
            return;
        }
        // What was in flight when the run stopped for it is blocked like the others.
        let is_for_all = matches!(self.end, RunEnd::Refused(_)) || (self.blocked.len() >= enough && !is_forbidden);
        if !is_for_all && (self.states.has_applied() || self.peers_succeed) {
            return self.reject_blocked(observer);
        }
        for (step, failure) in std::mem::take(&mut self.blocked) {
            self.writer.append(WriteCommand::ClearIntent(step.number));
            let hint = failure.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            self.stop(RunEnd::Refused(format!("{}{hint}", failure.message)));
        }
    }

    /// Others pass, so these rows are blocked for what they hold, or forbidden for what they write to.
    pub(super) fn reject_blocked(&mut self, observer: &mut dyn RunObserver) {
        for (step, failure) in std::mem::take(&mut self.blocked) {
            let outcome = outcome::blocked(&step, &failure);
            self.record_outcome(step, outcome, observer);
        }
    }
}
