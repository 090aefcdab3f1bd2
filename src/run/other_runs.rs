//! Check-ins and check-outs that other runs of this machine have sent, as their journals tell.

use std::fmt;

use super::journal::{Journal, SentAction};
use crate::account::Account;
use crate::error::Result;
use crate::state_file::is_locked;

/// An action that another run has sent, and that was or may have been applied.
#[derive(Debug, Clone)]
pub(super) struct OtherAction {
    pub(super) run: String,
    /// Whether a process works on the run: what it has in flight is not over.
    pub(super) is_live: bool,
    pub(super) sent: SentAction,
}

/// Tells what other runs have sent. Intents are on disk before requests are sent, so what is asked after a read of the service
/// knows of everything that this read shows.
pub(super) trait OtherRuns: fmt::Debug + Sync {
    /// All that they have sent; none where that cannot be read.
    fn actions(&self) -> Option<Vec<OtherAction>>;
}

/// The other runs on an account.
pub(super) struct RunsOfAccount<'a> {
    account: &'a Account,
    /// The run that asks.
    own: String,
}

impl<'a> RunsOfAccount<'a> {
    pub(super) fn new(account: &'a Account, own: &str) -> Self {
        Self { account, own: own.to_owned() }
    }

    fn read(&self) -> Result<Vec<OtherAction>> {
        let mut actions = Vec::new();
        for (run, path) in self.account.run_store().paths()?.into_iter().filter(|(run, _)| *run != self.own) {
            // A journal that cannot be read says nothing; `runs` shows what is wrong with it.
            let Ok(journal) = Journal::open_read_only(&path) else { continue };
            let Ok(header) = journal.header() else { continue };
            if self.account.has_run(&journal, &header)? {
                let is_live = is_locked(&path);
                let sent = journal.sent_actions()?.into_iter();
                actions.extend(sent.map(|sent| OtherAction { run: run.clone(), is_live, sent }));
            }
        }
        Ok(actions)
    }
}

impl fmt::Debug for RunsOfAccount<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RunsOfAccount").field("own", &self.own).finish_non_exhaustive()
    }
}

impl OtherRuns for RunsOfAccount<'_> {
    fn actions(&self) -> Option<Vec<OtherAction>> {
        self.read().ok()
    }
}

/// Of an account that no other run works with.
#[derive(Debug)]
pub(super) struct NoOtherRuns;

impl OtherRuns for NoOtherRuns {
    fn actions(&self) -> Option<Vec<OtherAction>> {
        Some(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::run::prepare::tests::Office;

    #[test]
    fn what_a_run_has_sent_is_known_to_all_but_itself() {
        let office = Office::new();
        let kind = office.makes("categories", json!({"name": "Mice", "type": "accessory"}));
        office.makes("accessories", json!({"name": "Mouse", "category_id": kind, "quantity": 10}));
        let rows = "Accessory,Employee,Quantity,Checkout Date\nMouse,ada.byron@example.com,2,2026-03-02\n";
        let finished = office.imports(office.job("out.csv", rows).entity("checkout_accessory").confirmed());
        let run = finished.report.summary().run_id.clone();
        let known = |own: &str| RunsOfAccount::new(&office.account, own).actions().unwrap();
        let other = known("20260101-000000-aaaa");
        assert_eq!(other.len(), 1);
        assert_eq!((other[0].run.as_str(), other[0].sent.is_applied), (run.as_str(), true));
        assert_eq!(other[0].sent.step.body["quantity"], 2);
        assert_eq!(known(&run).len(), 0);
        assert_eq!(NoOtherRuns.actions().map(|actions| actions.len()), Some(0));
    }
}
