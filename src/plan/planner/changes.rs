//! What an update changes, field by field, for people (design rule 20).

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Planner, RowDraft};
use crate::api::custom_fields;
use crate::catalog::{Catalog, Record, RecordRef};
use crate::mapping::Mapping;
use crate::plan::diff;
use crate::plan::resolver::{Resolved, ResolvedField};
use crate::plan::step::{StepSink, WriteKind};
use crate::schema::{Entity, Field, Kind};

/// A field that an update changes. Empty texts are values that are not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The cell's column, from 0.
    pub column: u32,
    /// As `--map` writes it.
    pub field: String,
    pub old: String,
    pub new: String,
}

impl<S: StepSink> Planner<'_, S> {
    /// What a draft changes of the record that it updates; nothing for other drafts.
    pub(super) fn changes(&self, mapping: &Mapping, draft: &RowDraft) -> Vec<FieldChange> {
        let Some(WriteKind::Update(id)) = draft.record else { return Vec::new() };
        let entity = mapping.entity;
        let held = self.catalog.record(entity.name, id);
        let fields = draft.fields.iter().map(|given| self.change(entity, given, held));
        let named = draft.missing.iter().map(|(field, record)| {
            let field = &entity.fields[*field];
            FieldChange {
                column: mapping.column_of(field.name).unwrap_or_default(),
                field: field.name.to_owned(),
                old: self.old_text(field, held),
                new: record.name.clone(),
            }
        });
        let custom = held.and_then(|held| held.get("custom_fields")).map(custom_fields).unwrap_or_default();
        let of_custom = draft.custom.iter().map(|given| FieldChange {
            column: given.column,
            field: format!("custom:{}", given.name),
            old: diff::position_of(&given.name, &custom).map_or_else(String::new, |at| custom[at].1.clone()),
            new: given.value.clone(),
        });
        fields.chain(named).chain(of_custom).collect()
    }

    fn change(&self, entity: &'static Entity, given: &ResolvedField, held: Option<&Record>) -> FieldChange {
        let field = &entity.fields[given.field];
        FieldChange {
            column: given.column,
            field: field.name.to_owned(),
            old: self.old_text(field, held),
            new: self.new_text(field, given),
        }
    }

    fn old_text(&self, field: &Field, held: Option<&Record>) -> String {
        let old = held.and_then(|held| held.get(field.name));
        old.map(|old| value_text(self.catalog, field, old)).unwrap_or_default()
    }

    fn new_text(&self, field: &Field, given: &ResolvedField) -> String {
        match (&given.value, field.kind) {
            (Resolved::Value(value), _) => value_text(self.catalog, field, value),
            (Resolved::Option(position), Kind::Option(choices)) => {
                choices.create.get(*position).map(|text| (*text).to_owned()).unwrap_or_default()
            }
            (Resolved::Record(target, reference), _) => self.catalog.as_planned().describe(reference.to, *target),
            (Resolved::Missing { name, .. }, _) => name.clone(),
            (Resolved::Option(_) | Resolved::Clear, _) => String::new(),
        }
    }
}

/// A value as people read it: names in place of ids, days without the time. Empty where there is none.
pub(crate) fn value_text(catalog: &Catalog, field: &Field, value: &Json) -> String {
    let text = match value {
        Json::Null => return String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    match (field.kind, text.parse()) {
        (Kind::Reference(reference), Ok(id)) => catalog.describe(reference.to, RecordRef::Known(id)),
        (Kind::Date, _) => text.get(..10).map_or_else(|| text.clone(), str::to_owned),
        _ => text,
    }
}
