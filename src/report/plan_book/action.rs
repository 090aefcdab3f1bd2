//! What a step does, as the workbook says it.

use serde::{Deserialize, Serialize};

use crate::api::Body;
use crate::plan::{Step, WriteKind, cleared_fields};
use crate::schema::{Entity, Role, Verb};

/// What a step does to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PlanAction {
    Create,
    Update,
    /// An update that empties a field.
    Clear,
    Delete,
    CheckOut,
    CheckIn,
}

impl PlanAction {
    pub(crate) fn of(step: &Step) -> Self {
        Self::of_write(step.entity, step.write, &step.body, step.before.as_ref())
    }

    pub(crate) fn of_write(entity: &Entity, write: WriteKind, body: &Body, before: Option<&Body>) -> Self {
        match (entity.role, write) {
            (Role::Action(Verb::Checkout), _) => PlanAction::CheckOut,
            (Role::Action(Verb::Checkin), _) => PlanAction::CheckIn,
            (_, WriteKind::Create) => PlanAction::Create,
            (_, WriteKind::Delete(_)) => PlanAction::Delete,
            (_, WriteKind::Update(_)) if cleared_fields(body, before) > 0 => PlanAction::Clear,
            (_, WriteKind::Update(_)) => PlanAction::Update,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            PlanAction::Create => "create",
            PlanAction::Update => "update",
            PlanAction::Clear => "clear",
            PlanAction::Delete => "delete",
            PlanAction::CheckOut => "check-out",
            PlanAction::CheckIn => "check-in",
        }
    }

    /// Whether its group starts as approved. What takes something away has to be said yes to.
    pub(crate) fn starts_approved(self) -> bool {
        !matches!(self, PlanAction::Clear | PlanAction::Delete)
    }

    /// What it means, for the first sheet.
    pub(crate) fn help(self) -> &'static str {
        match self {
            PlanAction::Create => "new records",
            PlanAction::Update => "records that are changed; old and new value stand side by side",
            PlanAction::Clear => "records of which a field is emptied",
            PlanAction::Delete => "records that are deleted",
            PlanAction::CheckOut => "items that are handed out",
            PlanAction::CheckIn => "items that come back",
        }
    }
}
