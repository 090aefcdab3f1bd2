//! What can be wrong with a rule.

use super::further::shown_assignment;
use super::rule::FieldRule;
use super::{HeaderAliases, MappingError};
use crate::schema::Entity;

/// Why a rule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MappingRuleError {
    #[error("{place}: `{entity}` has no field `{field}`")]
    NoSuchField { place: String, entity: &'static str, field: String, nearest: Option<String> },
    #[error("{place}: no column `{header}`")]
    NoSuchColumn { place: String, header: String, nearest: Option<String> },
    #[error("{place}: no column is mapped to `{field}`")]
    NoColumn { place: String, field: String },
    #[error("{place}: `{field}` is already mapped by {other}")]
    Twice { place: String, field: String, other: String },
    #[error("{place}: `{header}` looks like passwords, which are never read")]
    Secret { place: String, header: String },
    #[error("{place}: no column says which {entity} the rows describe: `{field}` has no rule")]
    SaysNoRecord { place: String, entity: &'static str, field: String },
    #[error("{place}: `{verb}` is for {kinds} only, which `{field}` is not")]
    WrongKind { place: String, verb: &'static str, kinds: &'static str, field: String },
    #[error("{place}: the records that `{field}` names have no kinds")]
    NoKinds { place: String, field: String, fields_with: Vec<&'static str> },
    #[error("{place}: no such kind of {collection}")]
    NoSuchKind { place: String, collection: &'static str, kinds: &'static [&'static str] },
}

impl MappingRuleError {
    /// What to do now.
    pub(super) fn hint(&self) -> String {
        match self {
            MappingRuleError::NoSuchField { nearest: Some(nearest), .. }
            | MappingRuleError::NoSuchColumn { nearest: Some(nearest), .. } => {
                format!("did you mean `{nearest}`?")
            }
            MappingRuleError::NoSuchField { entity, .. } => format!("`tallyport schema {entity}` lists the fields"),
            MappingRuleError::NoSuchColumn { .. } => String::from("write the header as it is in the sheet"),
            MappingRuleError::NoColumn { field, .. } => format!("say which column to read: --map 'Header={field}'"),
            MappingRuleError::Twice { .. } => String::from("keep one of the two"),
            MappingRuleError::Secret { .. } => String::from("take the column out of the rule"),
            MappingRuleError::SaysNoRecord { field, .. } => format!("add a rule for `{field}`"),
            MappingRuleError::WrongKind { verb, .. } => format!("take `{verb}` out of the rule"),
            MappingRuleError::NoKinds { fields_with, .. } if fields_with.is_empty() => {
                String::from("write the value itself, in quotes")
            }
            MappingRuleError::NoKinds { fields_with, .. } => {
                format!("write the value itself, in quotes; a kind is for {}", quoted(fields_with))
            }
            MappingRuleError::NoSuchKind { kinds, .. } => format!("use one of {}", quoted(kinds)),
        }
    }
}

/// `` `a`, `b` ``
fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<String>>().join(", ")
}

impl MappingRuleError {
    pub(super) fn no_such_field(aliases: &HeaderAliases, entity: &'static Entity, rule: &FieldRule) -> Self {
        let nearest = aliases.nearest(&rule.target);
        MappingRuleError::NoSuchField {
            place: rule.origin.place.clone(),
            entity: entity.name,
            field: rule.target.clone(),
            nearest,
        }
    }
}

impl MappingRuleError {
    /// The error of a rule that says who holds a record, with the fields of the check-out as the mapping names them.
    pub(super) fn of_assignment(mut self, action: &'static Entity) -> Self {
        let item = action.item().map(|(_, reference)| reference.to);
        match &mut self {
            MappingRuleError::NoSuchField { entity, field, nearest, .. } => {
                *entity = item.unwrap_or(*entity);
                *field = shown_assignment(action, field);
                *nearest = nearest.take().map(|nearest| shown_assignment(action, &nearest));
            }
            MappingRuleError::NoColumn { field, .. }
            | MappingRuleError::Twice { field, .. }
            | MappingRuleError::SaysNoRecord { field, .. }
            | MappingRuleError::WrongKind { field, .. }
            | MappingRuleError::NoKinds { field, .. } => *field = shown_assignment(action, field),
            MappingRuleError::NoSuchColumn { .. }
            | MappingRuleError::Secret { .. }
            | MappingRuleError::NoSuchKind { .. } => {}
        }
        self
    }
}

impl From<MappingRuleError> for MappingError {
    fn from(error: MappingRuleError) -> Self {
        MappingError::Rule(error)
    }
}
