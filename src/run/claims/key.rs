//! What a step writes, as a text that is the same in every run. Pure.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value as Json;

use crate::plan::{Step, WriteKind};
use crate::schema::fold_name;

/// The record or action that a step writes: two steps with one key must not be sent at the same time.
pub(super) fn claim_key(step: &Step) -> String {
    let entity = step.entity;
    match step.write {
        WriteKind::Update(id) | WriteKind::Delete(id) => format!("{} #{id}", entity.name),
        WriteKind::Create if entity.is_action() => format!("{} {}", entity.name, body_digest(step)),
        WriteKind::Create => {
            let key = entity.key.iter().map(|name| folded(step.body.get(*name)));
            format!("{} {}", entity.name, Json::from(key.collect::<Vec<String>>()))
        }
    }
}

/// Natural keys that the service or its users take for the same have one text.
fn folded(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => fold_name(text).into_owned(),
        Some(value) => value.to_string(),
    }
}

/// A digest of everything that a step sends, whatever the order of its fields.
pub(super) fn body_digest(step: &Step) -> String {
    let mut fields: Vec<(&String, String)> = step.body.iter().map(|(name, value)| (name, value.to_string())).collect();
    fields.sort_unstable();
    // Two halves, since one alone may be the same for two bodies among millions.
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        (seed, matches!(step.write, WriteKind::Delete(_)), &fields).hash(&mut hasher);
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(0), half(1))
}
