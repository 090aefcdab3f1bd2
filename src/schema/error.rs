//! Names that the schema does not have.

use super::{Entity, find, nearest};
use crate::error::Diagnostic;

/// Nothing in the schema has that name, or nothing that can be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownEntity {
    #[error("unknown name `{given}`")]
    NoSuchName { given: String, nearest: Option<&'static str> },
    /// There is nothing to fill in for the activity log and the tenants.
    #[error("`{name}` can only be listed, not filled in")]
    OnlyListed { name: &'static str },
}

impl Diagnostic for UnknownEntity {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSuchName { nearest: Some(name), .. } => {
                format!("did you mean `{name}`? `tallyport schema` lists all names")
            }
            Self::NoSuchName { nearest: None, .. } | Self::OnlyListed { .. } => {
                String::from("choose one of the collections and actions that `tallyport schema` lists")
            }
        })
    }
}

/// The collection or action that a person means by `text`.
///
/// # Errors
/// Where nothing has that name; the error suggests the nearest one.
pub fn entity_named(text: &str) -> Result<&'static Entity, UnknownEntity> {
    find(text).ok_or_else(|| UnknownEntity::NoSuchName { given: text.to_owned(), nearest: nearest(text) })
}
