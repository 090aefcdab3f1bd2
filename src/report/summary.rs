//! The summary of a run: as text for people, as JSON for scripts.

mod json;
mod sentences;
mod terminal;

pub(crate) use json::{counts_json, group_json, json};
pub(crate) use sentences::plan_sentence;
pub(super) use sentences::{problems_sentence, requests_sentence, result_extent, title, verdict};
pub(crate) use terminal::text;

#[cfg(test)]
mod tests;
