//! Serial numbers that another record of the account has.

use serde_json::Value as Json;

use super::{Planner, RowDraft, SheetPlan, StepSink};
use crate::check::{CheckedRow, RemarkKind};
use crate::plan::resolver::Resolved;
use crate::plan::step::WriteKind;
use crate::schema::Meaning;

impl<S: StepSink> Planner<'_, S> {
    /// Remarks that a row gives a record the serial number of another one (design rule 8), as far as the records are
    /// known: nothing is looked up for it.
    pub(super) fn remark_serial(&self, sheet: &SheetPlan<'_>, draft: &RowDraft, checked: &mut CheckedRow) {
        let entity = sheet.mapping.entity;
        let Some(serial) = entity.meaning(Meaning::Serial).filter(|_| entity.is_collection()) else { return };
        let given = draft.fields.iter().find(|given| entity.fields[given.field].name == serial.name);
        let Some((column, Resolved::Value(Json::String(text)))) = given.map(|given| (given.column, &given.value))
        else {
            return;
        };
        let own = draft.record.and_then(WriteKind::record);
        if self.catalog.with_text(entity.name, serial.name, text).into_iter().any(|id| Some(id) != own) {
            checked.remark(RemarkKind::SerialInAccount, column as usize, text);
        }
    }
}
