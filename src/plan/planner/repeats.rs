//! Check-ins and check-outs of rows that have already happened.

use super::assignment::{HolderDecision, RowLink};
use super::{Decision, Planner, Rejection, RowDraft, SheetPlan, StepSink, or_problem};
use crate::catalog::RecordRef;
use crate::check::{CheckedRow, Repeats};
use crate::plan::moved_items::MovedItem;
use crate::plan::prior_actions::{ActionRequest, ItemState, PriorAction, is_reported_done, repeated};
use crate::schema::Entity;
use crate::table::Row;

impl<S: StepSink> Planner<'_, S> {
    /// Leaves out an action that has already happened, and rejects one that may have.
    pub(super) fn skip_repeated(
        &mut self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        draft: RowDraft,
    ) -> Result<Decision, Rejection> {
        let entity = sheet.mapping.entity;
        let request = ActionRequest::of(self.catalog, entity, &draft.fields).filter(|_| draft.missing.is_empty());
        let Some(request) = request else { return Ok(Decision::Write(draft)) };
        let prior = if request.is_of_tagged_item() {
            match self.item_state(&request, &draft) {
                ItemState::Done => return Ok(Decision::AlreadyDone { message: String::new() }),
                ItemState::NotDone => PriorAction::Absent,
                ItemState::Unknown => self.prior(&request),
            }
        } else {
            self.prior(&request)
        };
        if let PriorAction::Done { run } = prior {
            return Ok(Decision::AlreadyDone { message: format!("done by run {run}") });
        }
        let named = |collection, id| self.catalog.describe(collection, RecordRef::Known(id));
        let item = named(request.collection, request.item.id);
        let holder = request
            .holder
            .as_ref()
            .and_then(|(field, holder)| Some(named(entity.field(field)?.reference_to()?.to, holder.id)));
        let Some(error) = repeated(&prior, &request, (&item, holder.as_deref())) else {
            return Ok(Decision::Write(draft));
        };
        if is_reported_done(sheet.mapping, row) {
            return Ok(Decision::AlreadyDone { message: String::from("done before, says the result file") });
        }
        let column = sheet.mapping.column_of(entity.fields[0].name);
        let found = column.map_or("", |column| row.cell(column as usize).text);
        Err(vec![error.at(column, found)])
    }

    fn prior(&mut self, request: &ActionRequest) -> PriorAction {
        match self.rules.repeats {
            Repeats::Recognized => self.prior_actions.take(request),
            Repeats::Sent => PriorAction::Absent,
        }
    }

    /// What is known of the check-out of a row that the run which wrote the row left: where a later run has sent it and no run
    /// has taken it back, it is not sent again, even if the item is back.
    pub(super) fn done_since_left(
        &self,
        (row, column): (&Row, u32),
        checked: &CheckedRow,
        link: &RowLink,
        (action, draft, holder): (&'static Entity, &RowDraft, &str),
    ) -> Result<Option<HolderDecision>, Rejection> {
        let (Some(left), RecordRef::Known(record)) = (checked.left_since, link.record) else { return Ok(None) };
        let request = ActionRequest::of(self.catalog, action, &draft.fields).filter(|_| draft.missing.is_empty());
        let Some(request) = request.filter(|_| self.rules.repeats == Repeats::Recognized) else { return Ok(None) };
        let prior = self.prior_actions.done_after(&request, left);
        if let PriorAction::Done { run } = prior {
            return Ok(Some(HolderDecision::Done {
                record,
                message: format!("check-out to {holder} done by run {run}"),
            }));
        }
        let item = self.catalog.describe(request.collection, link.record);
        match repeated(&prior, &request, (&item, Some(holder))) {
            Some(error) => or_problem(error, Some(column), row),
            None => Ok(None),
        }
    }

    /// Where the item is when the row's turn comes: an earlier row may have taken it back.
    fn item_state(&self, request: &ActionRequest, draft: &RowDraft) -> ItemState {
        let is_moved = MovedItem::of(request.action, &draft.fields).is_some_and(|item| self.moved.get(&item).is_some());
        if is_moved {
            return ItemState::NotDone;
        }
        ItemState::of(self.catalog, request, &draft.fields)
    }
}
