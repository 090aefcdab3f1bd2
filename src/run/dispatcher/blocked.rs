//! Steps that something in front of the service blocked: a firewall that dislikes a row, or a network that lets nothing
//! through.

use super::{Dispatcher, StepTransport};
use crate::run::journal::WriteCommand;
use crate::run::{RunEnd, RunObserver, outcome};

/// After this many blocked steps with none applied in between, everything is blocked.
const MAX_BLOCKED: usize = 3;

impl<T: StepTransport> Dispatcher<'_, T> {
    /// Where no other step is under way, or several in a row were blocked, the network is at fault and not the rows.
    pub(super) fn decide_blocked(&mut self, observer: &mut dyn RunObserver) {
        if self.blocked.is_empty() || (self.blocked.len() < MAX_BLOCKED && self.is_sending()) {
            return;
        }
        // What was in flight when the run stopped for it is blocked like the others.
        let is_network = matches!(self.end, RunEnd::Refused(_)) || self.blocked.len() >= MAX_BLOCKED;
        if !is_network && self.states.has_applied() {
            return self.reject_blocked(observer);
        }
        for (step, failure) in std::mem::take(&mut self.blocked) {
            self.writer.append(WriteCommand::ClearIntent(step.number));
            let hint = failure.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            self.stop(RunEnd::Refused(format!("{}{hint}", failure.message)));
        }
    }

    /// Others pass, so these rows are blocked for what they hold.
    pub(super) fn reject_blocked(&mut self, observer: &mut dyn RunObserver) {
        for (step, failure) in std::mem::take(&mut self.blocked) {
            let outcome = outcome::blocked(&step, &failure);
            self.record_outcome(step, outcome, observer);
        }
    }
}
