//! The schema: every collection and action of the API as one table of fields.
//!
//! This is pure data and the only place where a fact about the API stands. Checking, templates, header
//! synonyms, export columns, the sandbox's tables and `tallyport schema` are derived from it.
//!
//! - A new field is a line in a file of `collections/` or in `actions.rs`.
//! - A new header word is a word in that line's `.also(&[..])`, or in `words.rs` where several collections share it.
//! - A new collection is a file in `collections/` and its name in [`COLLECTIONS`].
//!
//! Facts come from the API guide; its slips are read as the project's field notes settle them, and each such
//! place says so beside the line.

mod actions;
mod collections;
mod error;
mod field;
mod fold;
mod header;
mod log;
pub mod log_field;
mod meaning;
mod name;
mod secrets;
mod shown;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use actions::TELLING_FIELDS;
pub use actions::{ACTIONS, ASSIGNED_TO, DEPLOYABLE, HOLDERS};
pub use collections::{ACTIVITY, ASSETS, COLLECTIONS, LICENSES, TENANTS};
pub use error::{UnknownEntity, entity_named};
pub use field::{
    CREATED_AT, CUSTOM_FIELDS, Choices, Field, Implied, Kind, Reference, Related, TextForm, UPDATED_AT, Use, Wire,
};
pub use fold::fold_header;
pub use header::HeaderText;
pub use log::RecordDifference;
pub use meaning::{
    Meaning, NotificationRule, items, location_fields, notification_rule, people, person_parameter, referring_to,
};
pub use name::{first_name_first, fold_name, fold_name_into};
pub(crate) use name::{without_leading_zeros, without_separators};
pub use secrets::is_secret_header;
pub use shown::CopiedField;

/// What a sheet can hold and the API can take or give: a collection of records, an action, or a listing.
#[derive(Debug)]
pub struct Entity {
    /// The name scripts use: `assets`, `checkout_asset`.
    pub name: &'static str,
    /// One of it, as the API says it in a reply: `asset`.
    pub singular: &'static str,
    /// Its path below the base link, without a leading slash: `assets`, `checkout/asset`.
    pub path: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// Other names a sheet or a file may carry for it.
    pub also: &'static [&'static str],
    pub role: Role,
    /// The fields that together say "the same record"; empty for actions and listings.
    pub key: &'static [&'static str],
    /// What a list may be sorted by, the default first. Guide: "Options" of `sort`.
    pub sorts: &'static [&'static str],
    pub fields: &'static [Field],
}

/// What can be done with an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Listed, read, created, updated and deleted by id.
    Collection {
        /// Whether the service can bring a deleted record back (field notes: not categories, components, consumables).
        deletion: Deletion,
    },
    /// One POST that moves something.
    Action(Verb),
    /// Only listed: the activity log and the tenants.
    Listing,
}

/// Whether a delete on the service can be undone there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    Recoverable,
    Irreversible,
}

/// The two kinds of action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Checkin,
    Checkout,
}

impl Entity {
    /// The field of that exact API name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The position of the field of that exact API name.
    pub fn field_index(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// What people call a record by: its name, or else the first field of its key, such as the tag of an asset.
    pub fn naming_field(&self) -> Option<&'static Field> {
        self.field("name").or_else(|| self.field(self.key.first()?))
    }

    /// The fields a create (or the action itself) may carry.
    pub fn created_fields(&self) -> impl Iterator<Item = &'static Field> {
        self.fields.iter().filter(|field| field.create != Use::No)
    }

    /// The fields an update may carry.
    pub fn updated_fields(&self) -> impl Iterator<Item = &'static Field> {
        self.fields.iter().filter(|field| field.update)
    }

    /// The fields a list may be filtered by with an exact value.
    pub fn filters(&self) -> impl Iterator<Item = &'static Field> {
        self.fields.iter().filter(|field| field.filter)
    }

    /// Whether records of it have ids and can be created, updated and deleted.
    pub fn is_collection(&self) -> bool {
        matches!(self.role, Role::Collection { .. })
    }

    pub fn is_action(&self) -> bool {
        matches!(self.role, Role::Action(_))
    }
}

/// Everything a sheet can be imported into: the collections in dependency order, then the actions.
pub fn importable() -> impl Iterator<Item = &'static Entity> {
    COLLECTIONS.iter().chain(ACTIONS).copied()
}

/// The collection of that exact name.
pub fn collection(name: &str) -> Option<&'static Entity> {
    COLLECTIONS.iter().copied().find(|entity| entity.name == name)
}

/// The entity a person means by `text`: its name, singular or another of its names, whatever the case or separators.
pub fn find(text: &str) -> Option<&'static Entity> {
    let folded = fold_header(text);
    importable().chain([&ACTIVITY, &TENANTS]).find(|entity| {
        [entity.name, entity.singular, entity.path].iter().chain(entity.also).any(|name| fold_header(name) == folded)
    })
}

/// The name of the entity that `text` comes nearest to, for a suggestion; none where nothing is near.
pub fn nearest(text: &str) -> Option<&'static str> {
    let folded = fold_header(text);
    let likeness = |entity: &Entity| {
        let names = [entity.name, entity.singular].into_iter().chain(entity.also.iter().copied());
        names.map(|name| strsim::jaro_winkler(&fold_header(name), &folded)).fold(0.0, f64::max)
    };
    importable()
        .chain([&ACTIVITY, &TENANTS])
        .map(|entity| (likeness(entity), entity.name))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}

/// The Jaro-Winkler likeness (0 to 1) from which a name is worth suggesting: one or two slips of the finger.
const NEAR: f64 = 0.8;
