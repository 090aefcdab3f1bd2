//! Missing records: rows name them, the account does not have them, and `--create-missing` creates them first.

use serde_json::{Map, Value as Json};

use crate::catalog::{Catalog, LookupResult, RecordRef, ReferenceSyntax};
use crate::check::{CheckedRow, Code, ParsedRelated, ValueError, choice, text};
use crate::plan::resolver::{Resolved, Resolver, UnknownNames, UserIds};
use crate::schema::{self, Entity, Field, Kind, Meaning, Reference, TextForm};
use crate::table::{Cell, Row, Value};
use crate::unicode::without_invisible;

/// The collections that `--create-missing` covers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum CreateMissing {
    #[default]
    Nothing,
    /// All except employees and assets: neither is created in passing (design rule 5).
    AllButPeople,
    Named(Vec<&'static str>),
    /// All of them, people included.
    All,
    /// All of them, by their name alone: nothing is created, and what names them is only compared.
    Compared,
}

impl CreateMissing {
    pub(crate) fn includes(&self, collection: &str) -> bool {
        match self {
            CreateMissing::Nothing => false,
            CreateMissing::AllButPeople => schema::collection(collection).is_some_and(Entity::is_created_in_passing),
            CreateMissing::Named(names) => names.contains(&collection),
            CreateMissing::All | CreateMissing::Compared => true,
        }
    }
}

/// A record to be created because a row names it.
#[derive(Debug, Clone)]
pub(super) struct DependencyRecord {
    pub entity: &'static Entity,
    /// The name in the row's cell.
    pub name: String,
    /// A field value that distinguishes it from other records with that name.
    pub narrowed: Option<(&'static str, &'static str)>,
    pub fields: Map<String, Json>,
    /// References to records of the account or of earlier steps.
    pub records: Vec<(&'static Field, Reference, RecordRef)>,
    /// References to records that are missing too.
    pub missing: Vec<(&'static Field, DependencyRecord)>,
    /// The names of those references that tell it apart from others of its name: of its maker.
    told_apart_by: Vec<(&'static str, String)>,
}

/// Builds missing records from the row that names them.
pub(super) struct DependencyBuilder<'s> {
    pub row: &'s Row,
    pub checked: &'s CheckedRow,
    pub catalog: &'s Catalog,
    pub users: &'s UserIds,
    pub unknown: &'s UnknownNames,
    pub create_missing: &'s CreateMissing,
}

impl DependencyBuilder<'_> {
    /// The record that the row's `field` names: its name, what the reference implies (an accessory's category has the
    /// type `accessory`), and the values of the columns that describe it.
    ///
    /// `rest` is what other rows say of it.
    ///
    /// # Errors
    /// If a field is lacking that a create requires.
    pub(super) fn draft(
        &self,
        field: usize,
        name: &str,
        reference: Reference,
        rest: &[(&'static Field, &str)],
    ) -> Result<DependencyRecord, ValueError> {
        let entity = schema::collection(reference.to).ok_or_else(|| incomplete(reference.to, name, "a collection"))?;
        let mut draft = DependencyRecord {
            entity,
            name: name.to_owned(),
            narrowed: reference.narrowed,
            fields: Map::new(),
            records: Vec::new(),
            missing: Vec::new(),
            told_apart_by: Vec::new(),
        };
        let key = name_field(entity, name);
        draft.fields.insert(key.to_owned(), Json::from(name));
        if let Some((narrow, value)) = reference.narrowed {
            draft.fields.insert(narrow.to_owned(), Json::from(value));
        }
        if let (Some(kind), Some(about)) = (self.record_kind(field), entity.meaning(Meaning::RecordKind)) {
            draft.fields.insert(about.name.to_owned(), Json::from(kind));
        }
        for related in self.checked.related.iter().filter(|related| related.field == field) {
            if let Some(about) = entity.field(related.related) {
                let cell = text::trimmed(self.row.cell(related.column as usize).text);
                self.describe(&mut draft, about, cell)?;
            }
        }
        let says = |about: &Field| {
            self.checked.related.iter().any(|related| related.field == field && related.related == about.name)
        };
        for (about, text) in rest.iter().filter(|(about, _)| !says(about)) {
            self.describe(&mut draft, about, text)?;
        }
        // Who signs in with a name that is no address of a mailbox has both.
        if entity.is_person() {
            self.prefer_said(&mut draft, field, rest);
        }
        match entity.created_fields().find(|field| field.is_required() && !draft.has(field)) {
            Some(lacking) if *self.create_missing != CreateMissing::Compared => {
                Err(incomplete(entity.name, name, lacking.name))
            }
            _ => Ok(draft),
        }
    }

    /// Takes the name and the address that rows say of a person in place of what names them: that may be the name to sign
    /// in with, or a number.
    fn prefer_said(&self, draft: &mut DependencyRecord, field: usize, rest: &[(&'static Field, &str)]) {
        let said = |about: &Field| {
            let is_it = |related: &&ParsedRelated| related.field == field && related.related == about.name;
            let cell =
                self.checked.related.iter().find(is_it).map(|related| self.row.cell(related.column as usize).text);
            let other = || rest.iter().find(|(known, _)| known.name == about.name).map(|(_, text)| *text);
            cell.or_else(other).map(text::trimmed).filter(|text| is_said(about, text))
        };
        for about in draft.entity.fields {
            let is_key = draft.entity.key.contains(&about.name) || about.name == "name";
            if let Some(text) = said(about).filter(|_| is_key) {
                draft.fields.insert(about.name.to_owned(), Json::from(without_invisible(text)));
            }
        }
    }

    /// The kind that stands in the row's field instead of a name.
    fn record_kind(&self, field: usize) -> Option<&'static str> {
        let mut given = self.checked.values.iter().filter(|given| given.field == field);
        given.find_map(|given| self.checked.record_kind(given.column))
    }

    fn describe(&self, draft: &mut DependencyRecord, about: &'static Field, cell: &str) -> Result<(), ValueError> {
        match about.kind {
            Kind::Option(choices) => {
                let position = choice::option(cell, choices.create)?;
                draft.fields.insert(about.name.to_owned(), Json::from(choices.create[position]));
            }
            Kind::Integer { least } => {
                let number = text::integer(Cell { text: cell, value: Value::Text, format: None }, least)?;
                draft.fields.insert(about.name.to_owned(), Json::from(number));
                if let Some(implied) = about.implies.filter(|implied| !draft.fields.contains_key(implied.unless)) {
                    draft.fields.entry(implied.field).or_insert_with(|| Json::from(implied.option));
                }
            }
            Kind::Reference(reference) => {
                self.refer(draft, about, reference, cell)?;
                if draft.entity.is_told_apart_by(about.name) {
                    draft.told_apart_by.push((about.name, cell.to_owned()));
                }
            }
            // The service refuses an e-mail address that is not valid.
            Kind::Text(_) if !is_said(about, cell) => {}
            _ => {
                if !draft.fields.contains_key(about.name) {
                    draft.fields.insert(about.name.to_owned(), Json::from(without_invisible(cell)));
                }
            }
        }
        Ok(())
    }

    fn refer(
        &self,
        draft: &mut DependencyRecord,
        about: &'static Field,
        reference: Reference,
        cell: &str,
    ) -> Result<(), ValueError> {
        let resolver = Resolver {
            catalog: self.catalog.as_planned(),
            users: self.users,
            unknown: self.unknown,
            is_compared: *self.create_missing == CreateMissing::Compared,
        };
        match resolver.related(reference, cell)? {
            Resolved::Record(target, reference) => draft.records.push((about, reference, target)),
            Resolved::Missing { name, reference, problem } => {
                if !self.create_missing.includes(reference.to) {
                    return Err(problem.error);
                }
                // No field of the row names a related record, so no columns describe it.
                draft.missing.push((about, self.draft(usize::MAX, &name, reference, &[])?));
            }
            _ => {}
        }
        Ok(())
    }
}

impl DependencyRecord {
    /// The records that it refers to, and those that the missing ones do which it needs.
    pub(super) fn references(&self) -> Vec<(Reference, RecordRef)> {
        let own = self.records.iter().map(|(_, reference, target)| (*reference, *target));
        own.chain(self.missing.iter().flat_map(|(_, record)| record.references())).collect()
    }

    /// What tells it apart from other records of its name: the texts of its natural key, and its maker.
    pub(super) fn identity(&self) -> Vec<(&'static str, &str)> {
        let text = |field: &&'static str| Some((*field, self.fields.get(*field)?.as_str()?));
        let others = self.told_apart_by.iter().map(|(field, name)| (*field, name.as_str()));
        self.entity.key.iter().filter_map(text).chain(others).collect()
    }

    /// The person of the account, or of this run, who has the address: another row may have said it.
    pub(super) fn known_person(&self, catalog: &Catalog) -> Option<RecordRef> {
        let email = self.fields.get(self.entity.meaning(Meaning::PersonEmail)?.name)?.as_str()?;
        match catalog.as_planned().find(self.entity.name, email, ReferenceSyntax::Marked, None) {
            LookupResult::One(target) => Some(target),
            _ => None,
        }
    }

    fn has(&self, field: &Field) -> bool {
        self.fields.contains_key(field.name)
            || self.records.iter().any(|(known, _, _)| known.name == field.name)
            || self.missing.iter().any(|(known, _)| known.name == field.name)
    }
}

/// The field that a cell's text belongs to: an asset's tag, an employee's e-mail address or name, otherwise the name.
fn name_field(entity: &Entity, name: &str) -> &'static str {
    match entity.key {
        [only] if !entity.is_person() || text::email(name).is_ok() => only,
        _ => "name",
    }
}

/// Whether a text can be the value of a field.
fn is_said(field: &Field, text: &str) -> bool {
    match field.kind {
        Kind::Text(TextForm::Email) => text::email(text).is_ok(),
        Kind::Text(TextForm::Url) => text::url(text).is_ok(),
        _ => !text.is_empty(),
    }
}

fn incomplete(collection: &str, name: &str, lacking: &str) -> ValueError {
    ValueError::new(
        Code::NameIncomplete,
        format!("cannot create `{name}` in {collection}: missing `{lacking}`"),
        format!(
            "create it in a sheet of {collection}, or add a column that says its {}",
            lacking.trim_end_matches("_id").replace('_', " ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CreateMissing;
    use crate::plan::scenario::Scenario;

    /// The first step of a sheet of assets: what the row names and the account does not have.
    fn made(sheet: &str, map: &[(&str, &str)]) -> String {
        let account = Scenario::new()
            .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
            .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}]))
            .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]));
        let scenario = account.mapped_sheet("assets", sheet, map).create_missing(CreateMissing::AllButPeople);
        scenario.plan().shown_steps().remove(0)
    }

    #[test]
    fn a_number_is_made_a_number_and_says_how_it_counts() {
        let sheet = "asset_id|product|life|category|status\nT-1|New|36|Laptops|Ready";
        assert_eq!(
            made(sheet, &[("life", "product_id.end_of_life_months")]),
            r#"products: create {"category_id":1,"end_of_life_months":36,"end_of_life_type":"Months from Asset Purchase Date","name":"New"}"#
        );
    }

    #[test]
    fn a_link_that_is_none_is_left_out_of_a_new_record() {
        let supplier =
            |url: &str| made(&format!("asset_id|product|supplier|supplier url|status\nT-1|X1|Shop|{url}|Ready"), &[]);
        assert_eq!(
            supplier("https://shop.example.com"),
            r#"suppliers: create {"name":"Shop","url":"https://shop.example.com"}"#
        );
        assert_eq!(supplier("ask Bob"), r#"suppliers: create {"name":"Shop"}"#);
    }
}
