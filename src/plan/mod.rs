//! Decides for every row: create, update (changed fields only), delete, unchanged or reject.
//!
//! [`Planner::row`] takes a checked row and returns its [`RowPlan`]. The writes go to a [`StepSink`], every step
//! after the steps it depends on. Records that the run will create are added to the catalog when they are planned, so
//! that later rows and sheets can name them, in a dry run too.
//!
//! A row of an export says which record it is about (`target`) and is compared with it cell by cell (`unchanged`).
//! Edited cells become an update of just those fields (`edited_export`), unless the service has changed the record in
//! the meantime (`conflict`). Of a row that an earlier run was done with, what was edited since is sent
//! (`edited_result`).

mod conflict;
mod descriptions;
mod diff;
mod edited_export;
mod edited_result;
mod estimate;
mod finished_rows;
mod item_holders;
mod limits;
mod location_currency;
mod locks;
mod look_alikes;
mod lost_zeros;
mod missing;
mod moved_items;
mod notifications;
pub(crate) mod order;
mod planner;
mod prior_actions;
pub(crate) mod resolver;
#[cfg(test)]
mod scenario;
mod status;
mod step;
mod target;
mod timestamp;
mod unchanged;
pub(crate) mod undo;

use std::collections::BTreeMap;

pub(crate) use descriptions::{NameDescriptions, contradicts};
pub(crate) use diff::{ValueMatch, changed_pairs, cleared_fields, compare, holds, update_to};
pub use estimate::RunEstimate;
pub(crate) use finished_rows::FinishedRows;
pub(crate) use item_holders::{ItemHolders, SOMEBODY};
pub(crate) use limits::{ChangeLimit, PlanLimits};
pub(crate) use locks::RecordLocks;
pub(crate) use look_alikes::NameTally;
pub use look_alikes::{AliasedName, LookAlikeGroup, LookAlikeName, LookAlikes};
pub(crate) use lost_zeros::ZeroPaddedColumns;
pub(crate) use missing::CreateMissing;
pub(crate) use moved_items::MovedItems;
pub(crate) use notifications::NotificationCount;
pub use planner::FieldChange;
pub(crate) use planner::{
    Planner, ReadOnlyCell, ReadOnlyState, RowLinks, SentValues, StockChanges, UniqueValues, holder_names,
    listed_records, value_text,
};
pub(crate) use prior_actions::{ActionRecord, ActionRequest, PriorAction, PriorActions, repeated};
#[cfg(test)]
pub(crate) use scenario::show_step;
pub(crate) use status::{ReportMode, RowOutcome};
pub use status::{RowCounts, RowStatus};
pub(crate) use step::{DependsOn, StepResult};
pub use step::{RowId, Step, StepOutcome, StepRole, StepSink, WriteKind};
pub(crate) use timestamp::ReportedTimestamp;

use crate::check::{Conflicts, Problem};
use crate::mapping::Mapping;
use crate::schema::{Entity, Field, Meaning};

/// What was decided for a row.
#[derive(Debug, Clone)]
pub(crate) struct RowPlan {
    pub decision: RowDecision,
    /// A remark for the user; usually empty.
    pub note: String,
    /// What an update changes.
    pub changes: Vec<FieldChange>,
    /// The cells of an export that are never sent.
    pub read_only: Vec<ReadOnlyCell>,
}

impl RowPlan {
    fn of(decision: RowDecision) -> Self {
        Self { decision, note: String::new(), changes: Vec::new(), read_only: Vec::new() }
    }
}

/// What will be done with a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RowDecision {
    /// The number and kind of the row's step.
    Write(u32, WriteKind),
    /// The row's record is deleted, by a step that comes after those of all other rows.
    Delete(i64),
    /// The record already matches the row.
    Unchanged(i64),
    /// The check-in or check-out of the row has already happened.
    AlreadyDone,
    /// The row's `_action` is `skip`.
    Skipped,
    /// The record changed after the sheet was exported, and the row does not overwrite it.
    SkippedConflict {
        record: i64,
        to: Conflicts,
    },
    Rejected(Vec<Problem>),
}

/// Counts of what a plan will do.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlanTotals {
    pub rows: u64,
    pub creates: u64,
    pub updates: u64,
    pub deletes: u64,
    /// Deletes that the service cannot undo.
    pub irreversible: u64,
    /// Fields of existing records that updates clear.
    pub clears: u64,
    /// Missing records that will be created, by collection.
    pub missing: BTreeMap<&'static str, u64>,
    /// Edited cells that are never sent, by header: how many, and the first row.
    pub read_only_edits: BTreeMap<String, (u64, u64)>,
    /// Cells that are never sent and differ, edited or not, likewise: another record may have been changed since the export.
    pub read_only_differences: BTreeMap<String, (u64, u64)>,
    /// The names by which rows refer to records.
    pub names: NameTally,
}

impl PlanTotals {
    fn add_read_only(&mut self, cell: &ReadOnlyCell, header: &str, row: u64) {
        let cells = if cell.is_explained() { &mut self.read_only_differences } else { &mut self.read_only_edits };
        cells.entry(header.to_owned()).or_insert((0, row)).0 += 1;
    }
}

/// A sheet as the planner needs it.
pub(crate) struct SheetPlan<'s> {
    /// Position among the sheets of the run.
    pub index: u16,
    pub mapping: &'s Mapping,
    /// The fields that identify a record.
    pub match_on: Vec<&'static str>,
    pub encoding: EncodingConfidence,
    pub referenced: Referenced,
    /// The sheet whose rows make its records, if that is another.
    pub owner: Option<u16>,
    /// Whether its rows also say who holds their records.
    pub is_assigned: bool,
    /// Whether a preset says what its columns are, be it as part of a remembered mapping.
    pub has_preset: bool,
    /// Whether other sheets may be about the same records.
    pub is_shared: bool,
}

impl SheetPlan<'_> {
    /// The fields of the tag and of the serial number, where rows are matched by tags and the number may stand in for one.
    pub(crate) fn stand_in_serial(&self) -> Option<(&'static Field, &'static Field)> {
        let entity = self.mapping.entity;
        let (tag, serial) = (entity.meaning(Meaning::Tag)?, entity.meaning(Meaning::Serial)?);
        (self.match_on == [tag.name] && self.mapping.may_take(tag.name, serial.name)).then_some((tag, serial))
    }
}

/// Whether other sheets may refer to the records that a sheet creates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Referenced {
    ByOtherSheets,
    /// No: they need not be kept in memory.
    No,
}

impl Referenced {
    /// For a sheet's entity, given the entities of the other sheets.
    pub(crate) fn among<'e>(entity: &'static Entity, mut others: impl Iterator<Item = &'e Entity>) -> Self {
        let names_it = |other: &Entity| other.name == entity.name || order::may_name(other, entity.name);
        // Two rows may name the same asset by tag and by id; only the planned records show that.
        let keyed_by_reference =
            entity.key.iter().any(|key| entity.field(key).is_some_and(|field| field.reference_to().is_some()));
        if keyed_by_reference || others.any(names_it) { Referenced::ByOtherSheets } else { Referenced::No }
    }
}

/// Whether the sheet's text was decoded with the right encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EncodingConfidence {
    Certain,
    /// The encoding is a guess: no record is created from non-ASCII text.
    Guessed,
}
