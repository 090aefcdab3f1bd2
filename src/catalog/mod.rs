//! What the account holds, fetched once.
//!
//! Sheets say what they want ([`Needs`]), [`Catalog::fetch`] gets it in the fewest requests, and rows then find
//! records by name ([`Catalog::find`]) or by natural key ([`Catalog::match_record`]). Records that the plan will
//! create are added as they are planned, so that later rows find them like any other.

mod copied;
mod fetch;
mod find;
mod holding;
mod keep;
mod matching;
mod mirror;
mod name;
mod needs;
mod service;
mod suggest;
mod sweep;

use std::collections::HashMap;

pub use copied::Copied;
pub use fetch::{Cost, How, Pages, Record};
pub use find::Naming;
pub use matching::KeyValue;
pub use mirror::{
    Change, Changed, How as Reading, LogEntry, Mirror, MirrorError, RefreshError, RefreshOptions, Refreshed, Shape,
    Source, Thoroughness,
};
pub use name::{fold_into, fold_name};
pub use needs::Needs;
pub use sweep::{Lists, Sign, Sweep, SweepError, Swept, Unsteady};

use crate::schema::{self, Entity};
use holding::{Coverage, Entry, Holding, value_text};

/// Nearest names that a failed look-up suggests.
const MOST_SUGGESTIONS: usize = 3;
/// Differing fields that tell records of one name apart.
const MOST_DIFFERENCES: usize = 3;

/// What is known of the account, by collection.
#[derive(Debug, Default)]
pub struct Catalog {
    holdings: HashMap<&'static str, Holding>,
    costs: Vec<Cost>,
}

/// A record that something refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// A record of the account, by its system id.
    Known(i64),
    /// The record that this step of the plan will create.
    Planned(u32),
}

/// What a look-up came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    One(Target),
    /// No record; names that resemble the text, the nearest first.
    None {
        nearest: Vec<String>,
    },
    /// Several records, each with its name, its id and what tells it from the others.
    Many(Vec<(Target, String)>),
}

impl Catalog {
    /// What each fetched collection cost.
    pub fn costs(&self) -> &[Cost] {
        &self.costs
    }

    /// Whether every record of the collection is known. If not, a name that differs from the record's in case or
    /// spacing is not found, and suggestions come only from what is known.
    pub fn is_whole(&self, collection: &str) -> bool {
        self.holdings.get(collection).is_some_and(|holding| holding.coverage == Coverage::Whole)
    }

    /// The fields kept of the record with that system id.
    pub fn record(&self, collection: &str, id: i64) -> Option<&Record> {
        self.fields_of(collection, Target::Known(id))
    }

    /// Takes in a record of the account, as far as finding and naming it needs.
    pub fn add_known(&mut self, entity: &'static Entity, id: i64, record: Record) {
        let holding = self.holdings.entry(entity.name).or_insert_with(|| Holding::new(entity, &[]));
        holding.insert(Target::Known(id), keep::Keep::new(entity, &needs::Need::default()).trim(id, record));
    }

    /// Makes the record that a step will create findable at once. References may be absent from `fields`.
    pub fn add_planned(&mut self, collection: &'static str, step: u32, fields: Record) {
        let Some(entity) = schema::collection(collection) else { return };
        let holding = self.holdings.entry(entity.name).or_insert_with(|| Holding::new(entity, entity.key));
        holding.insert(Target::Planned(step), fields);
    }

    /// The fields of the record that a step will create.
    pub fn planned_fields(&self, collection: &str, step: u32) -> Option<&Record> {
        self.fields_of(collection, Target::Planned(step))
    }

    /// The name or tag of a record for messages, else `#` and its id.
    pub fn describe(&self, collection: &str, target: Target) -> String {
        let found = self.holdings.get(collection).and_then(|holding| Some((holding, holding.get(target)?)));
        let title = found.and_then(|(holding, entry)| title(holding, entry));
        match (title, target) {
            (Some(title), _) => title.to_owned(),
            (None, Target::Known(id)) => format!("#{id}"),
            (None, Target::Planned(_)) => match schema::collection(collection) {
                Some(entity) => format!("new {}", entity.singular),
                None => "new record".to_owned(),
            },
        }
    }

    fn fields_of(&self, collection: &str, target: Target) -> Option<&Record> {
        Some(&self.holdings.get(collection)?.get(target)?.record)
    }

    /// One record, none, or several told apart.
    fn verdict(&self, holding: &Holding, entries: &[&Entry], nearest: impl FnOnce() -> Vec<String>) -> Found {
        match entries {
            [] => Found::None { nearest: nearest() },
            [entry] => Found::One(entry.target),
            several => Found::Many(self.told_apart(holding, several)),
        }
    }

    /// Name, id, and the first fields in which the entries differ: `Berlin (#12, city Berlin, country DE)`.
    fn told_apart(&self, holding: &Holding, entries: &[&Entry]) -> Vec<(Target, String)> {
        let fields = holding.entity.fields.iter().map(|field| field.name);
        let differs = |field: &&str| {
            let first = entries.first().and_then(|entry| value_text(entry.record.get(*field)));
            entries.iter().any(|entry| value_text(entry.record.get(*field)) != first)
        };
        let is_title = |field: &&str| keep::lookup_fields(holding.entity).first() == Some(field);
        let telling: Vec<_> =
            fields.filter(|field| !is_title(field) && differs(field)).take(MOST_DIFFERENCES).collect();
        let tell = |entry: &&Entry| (entry.target, self.tell(holding, entry, &telling));
        entries.iter().map(tell).collect()
    }

    fn tell(&self, holding: &Holding, entry: &Entry, telling: &[&str]) -> String {
        let mut parts = vec![match entry.target {
            Target::Known(id) => format!("#{id}"),
            Target::Planned(_) => "new in this run".to_owned(),
        }];
        for name in telling {
            match self.shown_value(holding, entry, name) {
                Some(value) => parts.push(format!("{} {value}", shown_name(name))),
                None => parts.push(format!("no {}", shown_name(name))),
            }
        }
        let title = title(holding, entry).unwrap_or(holding.entity.singular);
        format!("{title} ({})", parts.join(", "))
    }

    /// The value as text, a reference as the name of its record where that is known.
    fn shown_value(&self, holding: &Holding, entry: &Entry, name: &str) -> Option<String> {
        let value = entry.record.get(name)?;
        let reference = holding.entity.field(name).and_then(|field| field.reference_to());
        match reference.and_then(|reference| Some((reference, self.target_of(reference, value)?))) {
            Some((reference, target)) => Some(self.describe(reference.to, target)),
            None => value_text(Some(value)).filter(|text| !text.is_empty()).map(|text| text.into_owned()),
        }
    }
}

/// `model number` of `model_number`, `category` of `category_id`.
fn shown_name(field: &str) -> String {
    field.strip_suffix("_id").unwrap_or(field).replace('_', " ")
}

/// What people call the record: its first lookup field that holds a text.
fn title<'a>(holding: &Holding, entry: &'a Entry) -> Option<&'a str> {
    let texts = keep::lookup_fields(holding.entity).into_iter();
    texts.filter_map(|field| entry.record.get(field)?.as_str()).find(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests;
