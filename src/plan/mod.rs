//! For every row: create, update (only the changed fields), delete, unchanged or reject.
//!
//! [`Planner::row`] takes a checked row and gives its [`Verdict`]; the writes go to a [`StepSink`] in an order in which
//! every step comes after those it awaits. Records that the run will create are known to the catalog from the
//! moment they are planned, so that later rows and sheets may name them, in a dry run too.
//!
//! A row of an export says which record it is about ([`own`]), and is compared with it cell by cell ([`held`]): what was
//! edited is an update of just that ([`anew`]), unless the service has changed the record meanwhile ([`conflict`]).

mod anew;
mod claims;
mod conflict;
mod diff;
mod emails;
pub mod estimate;
mod guard;
mod held;
mod missing;
mod moment;
pub mod order;
mod own;
mod planner;
pub mod resolver;
mod status;
mod step;
pub mod undo;

use std::collections::BTreeMap;

pub use claims::Claims;
pub(crate) use diff::holds;
pub use emails::Emails;
pub use guard::{Guard, GuardFault, Limit};
pub use missing::CreateMissing;
pub use moment::Moment;
pub use planner::Planner;
pub use status::{ParsedStatus, ReportMode, RowCounts, RowStatus};
pub use step::{Await, Part, RowId, Step, StepCount, StepOutcome, StepResult, StepSink, WriteKind};

use crate::check::{Conflicts, Problem};
use crate::mapping::Mapping;
use crate::schema::Entity;

/// What is decided for a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    pub verdict: Verdict,
    /// What there is to say beside it; mostly empty.
    pub note: String,
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The row's own step.
    Write(u32, WriteKind),
    /// The record is as the row says.
    Unchanged(i64),
    /// The row asks to be skipped.
    Skipped,
    /// The record was changed after the sheet was exported, and the row does not go over that.
    Yielded {
        record: i64,
        to: Conflicts,
    },
    Rejected(Vec<Problem>),
}

/// What a plan will do, in numbers.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    pub rows: u64,
    pub creates: u64,
    pub updates: u64,
    pub deletes: u64,
    /// Those among the deletes that the service cannot bring back.
    pub irreversible: u64,
    /// Fields of existing records that updates empty.
    pub clears: u64,
    /// Records created because rows name them, by collection.
    pub missing: BTreeMap<&'static str, u64>,
}

/// One sheet, as the planner sees it.
pub struct SheetPlan<'s> {
    /// The position among the sheets of the run.
    pub index: u16,
    pub mapping: &'s Mapping,
    /// The fields that say "the same record".
    pub match_on: Vec<&'static str>,
    pub text: TextTrust,
    pub named: Named,
}

/// Whether other sheets may name the records that this one creates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    ByOthers,
    /// Nobody asks for them, so they need no place in memory.
    ByNobody,
}

impl Named {
    /// For one sheet's entity, given the entities of the others.
    pub fn among<'e>(entity: &'static Entity, mut others: impl Iterator<Item = &'e Entity>) -> Self {
        let names_it = |other: &Entity| other.name == entity.name || order::referenced(other).contains(&entity.name);
        // Two rows may name the same asset in two ways, which only a look at the planned records tells.
        let keyed_by_reference =
            entity.key.iter().any(|key| entity.field(key).is_some_and(|field| field.reference_to().is_some()));
        if keyed_by_reference || others.any(names_it) { Named::ByOthers } else { Named::ByNobody }
    }
}

/// Whether the sheet's letters are surely what was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextTrust {
    Sure,
    /// The encoding is a guess: no record is made up from letters outside ASCII.
    Guessed,
}
