//! What the hidden sheet holds: the plan's head, and every step as it would be sent.

use serde::{Deserialize, Serialize};

use crate::api::Body;
use crate::plan::{DependsOn, Step, StepRole, WriteKind};
use crate::run::journal::AccountSnapshot;
use crate::schema::{self, Entity};

/// The version of what is stored.
pub(crate) const FORMAT: u32 = 1;

/// The most characters of a text in one cell: a cell holds 32,767 UTF-16 units.
const CELL_CHARS: usize = 16_000;

/// What a plan is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PlanHead {
    pub format: u32,
    /// The name that the run has once the plan is applied.
    pub id: String,
    pub tallyport: String,
    /// When it was made, in UTC.
    pub made: String,
    /// When planning began: what had been done before is taken into account. Earlier versions did not keep it.
    #[serde(default)]
    pub began: Option<String>,
    pub account: PlannedAccount,
    pub files: Vec<String>,
    pub options: Vec<(String, String)>,
    pub snapshot: AccountSnapshot,
    pub creates_only: bool,
    /// The groups, in the order of the first sheet.
    pub groups: Vec<PlanGroup>,
    /// The row of the first group on the first sheet, from 0.
    pub groups_at: u32,
}

/// The account that a plan is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlannedAccount {
    pub kind: String,
    pub place: String,
    pub tenant: Option<i64>,
}

/// The changes of one kind in one collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlanGroup {
    pub entity: String,
    pub action: super::PlanAction,
    pub records: u64,
}

/// A step, and where its first line is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredStep {
    pub number: u32,
    pub sheet: String,
    /// The row of its first line, from 0.
    pub line: u32,
    pub entity: String,
    pub write: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<i64>,
    /// Whether it creates a record because another one names it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_dependency: bool,
    pub body: Body,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<DependsOn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Body>,
    /// For a new record the fields that its row was matched by, if others than the natural key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_on: Option<Vec<String>>,
    /// For a new record those that have the same values in these fields already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_key: Vec<i64>,
    /// Whether the service sends an e-mail to whoever receives the item.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notifies: bool,
}

impl StoredStep {
    pub(super) fn new(step: &Step, sheet: &str, line: u32) -> Self {
        let write = match step.write {
            WriteKind::Create => "create",
            WriteKind::Update(_) => "update",
            WriteKind::Delete(_) => "delete",
        };
        Self {
            number: step.number,
            sheet: sheet.to_owned(),
            line,
            entity: step.entity.name.to_owned(),
            write: write.to_owned(),
            record: step.write.record(),
            is_dependency: step.role == StepRole::Dependency,
            body: step.body.clone(),
            depends_on: step.depends_on.clone(),
            before: step.before.clone(),
            match_on: None,
            same_key: Vec::new(),
            notifies: false,
        }
    }

    /// The collection or action, and the kind of write. `None` if they make no sense.
    pub(crate) fn target(&self) -> Option<(&'static Entity, WriteKind)> {
        let write = match (self.write.as_str(), self.record) {
            ("create", _) => WriteKind::Create,
            ("update", Some(id)) => WriteKind::Update(id),
            ("delete", Some(id)) => WriteKind::Delete(id),
            _ => return None,
        };
        Some((schema::find(&self.entity)?, write))
    }
}

/// A value as the texts of cells, each short enough for one.
pub(super) fn to_cells<T: Serialize>(value: &T) -> serde_json::Result<Vec<String>> {
    // Spreadsheet programs read `_x0041_` as a letter.
    let text = serde_json::to_string(value)?.replace("_x", "\\u005fx");
    let chars: Vec<char> = text.chars().collect();
    Ok(chars.chunks(CELL_CHARS).map(|chunk| chunk.iter().collect()).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn long_and_odd_texts_come_back_from_cells() {
        let body = serde_json::json!({"notes": "_x0041_ ü ".repeat(9_000), "name": "a\tb\u{1}"});
        let cells = to_cells(&body).unwrap();
        assert!(cells.len() > 1 && cells.iter().all(|cell| cell.encode_utf16().count() <= 32_767));
        assert!(cells.iter().all(|cell| !cell.contains("_x") && cell.chars().all(|char| !char.is_control())));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&cells.concat()).unwrap(), body);
    }
}
