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
    // Two halves, since one alone may be the same for two bodies among millions.
    let (mut first, mut second) = (u64::from(matches!(step.write, WriteKind::Delete(_))), step.body.len() as u64);
    for field in &step.body {
        let mut hasher = DefaultHasher::new();
        field.hash(&mut hasher);
        first = first.wrapping_add(hasher.finish());
        hasher.write_u8(1);
        second = second.wrapping_add(hasher.finish());
    }
    format!("{first:016x}{second:016x}")
}
