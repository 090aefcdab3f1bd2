//! What is left of the actions on an item: check-ins take back check-outs, and undos reverse both.

use super::journals::JournaledAction;
use crate::plan::ActionRequest;

/// An action that still counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutstandingAction<'a> {
    pub(super) action: &'a JournaledAction,
    /// An undo that it depends on, of which it is not known whether it was applied.
    doubt: Option<&'a JournaledAction>,
}

impl<'a> OutstandingAction<'a> {
    fn new(action: &'a JournaledAction) -> Self {
        Self { action, doubt: None }
    }

    /// Whether it surely was applied, and still counts.
    pub(super) fn is_applied(&self) -> bool {
        self.action.is_applied && self.doubt.is_none()
    }

    /// Whether a run at work has sent it, or the undo that decides about it, and has no answer yet.
    pub(super) fn is_in_flight(&self) -> bool {
        self.action.is_in_flight() || self.doubt.is_some_and(JournaledAction::is_in_flight)
    }

    /// The run that did it, or whose outcome decides about it.
    pub(super) fn run(&self) -> &'a str {
        &self.doubt.unwrap_or(self.action).run
    }

    /// Whether a request asks for the same. What an undo sent, no row has asked for.
    pub(super) fn is_same(&self, request: &ActionRequest) -> bool {
        self.is_of_row() && self.action.is_same(request)
    }

    /// Whether a row has asked for it, and not an undo.
    pub(super) fn is_of_row(&self) -> bool {
        self.action.undoes.is_none()
    }

    pub(super) fn has_quantity_of(&self, request: &ActionRequest) -> bool {
        self.action.has_quantity_of(request)
    }

    pub(super) fn is_identical(&self, other: &Self) -> bool {
        std::ptr::eq(self.action, other.action)
    }
}

/// The actions between an item and a holder, one after another.
#[derive(Debug, Default)]
pub(super) struct ActionLedger<'a> {
    /// Check-outs that were neither checked in nor undone.
    pub(super) out: Vec<OutstandingAction<'a>>,
    /// Check-ins that were not undone, each with the check-out that it took back, if a journal has that.
    checkins: Vec<(OutstandingAction<'a>, Option<OutstandingAction<'a>>)>,
}

impl<'a> ActionLedger<'a> {
    /// Adds the next action.
    pub(super) fn add(&mut self, action: &'a JournaledAction) {
        match (action.is_checkout(), action.undoes.as_deref()) {
            (true, None) => self.out.push(OutstandingAction::new(action)),
            (false, None) => {
                let returned = self.out.iter().rposition(|taken| action.returns(taken.action));
                let returned = returned.map(|at| self.out.remove(at));
                self.checkins.push((OutstandingAction::new(action), returned));
            }
            (true, Some(undone)) => self.undo_checkin(action, undone),
            (false, Some(undone)) => {
                let is_undone =
                    |taken: &OutstandingAction<'_>| *taken.action.run == *undone && action.returns(taken.action);
                if let Some(at) = self.out.iter().rposition(is_undone) {
                    self.out.remove(at);
                }
            }
        }
    }

    pub(super) fn checkins(self) -> Vec<OutstandingAction<'a>> {
        self.checkins.into_iter().map(|(checkin, _)| checkin).collect()
    }

    /// An undo has checked out again what the undone run had checked in. Without that check-in both are left out: the
    /// check-out that it took back is still there.
    fn undo_checkin(&mut self, action: &'a JournaledAction, undone: &str) {
        let is_undone = |(checkin, _): &(OutstandingAction<'_>, _)| {
            *checkin.action.run == *undone && checkin.doubt.is_none() && checkin.action.returns(action)
        };
        let Some(at) = self.checkins.iter().rposition(is_undone) else { return };
        let doubt = Some(action).filter(|action| !action.is_applied);
        let returned = match doubt {
            None => self.checkins.remove(at).1,
            Some(_) => {
                self.checkins[at].0.doubt = doubt;
                self.checkins[at].1
            }
        };
        let back = returned.unwrap_or(OutstandingAction::new(action));
        self.out.push(OutstandingAction { doubt: doubt.or(back.doubt), ..back });
    }
}
