//! Records that rows name and the account lacks: what is needed to create them.

use serde_json::{Map, Value as Json};

use crate::catalog::{Catalog, RecordRef};
use crate::check::{CheckedRow, Code, ValueError, choice, text};
use crate::plan::resolver::{Renamed, Resolved, Resolver, UnknownNames, Users};
use crate::schema::{self, Entity, Field, Kind, Reference};
use crate::table::Row;

/// Which collections `--create-missing` covers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CreateMissing {
    #[default]
    Nothing,
    /// All but employees: people are never made up in passing (design rule 5).
    AllButPeople,
    Named(Vec<&'static str>),
}

impl CreateMissing {
    pub fn covers(&self, collection: &str) -> bool {
        match self {
            CreateMissing::Nothing => false,
            CreateMissing::AllButPeople => collection != "employees" && collection != "assets",
            CreateMissing::Named(names) => names.contains(&collection),
        }
    }
}

/// A record to be created because rows name it.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub entity: &'static Entity,
    /// What the row calls it.
    pub name: String,
    /// What tells it from others of the name.
    pub narrowed: Option<(&'static str, &'static str)>,
    pub fields: Map<String, Json>,
    /// Records of the account, or of earlier steps, that it refers to.
    pub records: Vec<(&'static Field, Reference, RecordRef)>,
    /// Records it refers to that are missing too.
    pub missing: Vec<(&'static Field, Draft)>,
}

/// Where a draft's facts come from: the row that names it.
pub(super) struct Source<'s> {
    pub row: &'s Row,
    pub checked: &'s CheckedRow,
    pub catalog: &'s Catalog,
    pub users: &'s Users,
    pub unknown: &'s UnknownNames,
    pub renamed: &'s Renamed,
    pub covers: &'s CreateMissing,
}

impl Source<'_> {
    /// A draft of the record that the row's `field` names, from the name, what the reference implies (an
    /// accessory's category has the type `accessory`) and the columns that describe it.
    ///
    /// # Errors
    /// Where the row does not hold all that a create requires.
    pub(super) fn draft(&self, field: usize, name: &str, reference: Reference) -> Result<Draft, ValueError> {
        let entity = schema::collection(reference.to).ok_or_else(|| incomplete(reference.to, name, "a collection"))?;
        let mut draft = Draft {
            entity,
            name: name.to_owned(),
            narrowed: reference.narrowed,
            fields: Map::new(),
            records: Vec::new(),
            missing: Vec::new(),
        };
        draft.fields.insert(name_field(entity, name).to_owned(), Json::from(name));
        if let Some((narrow, value)) = reference.narrowed {
            draft.fields.insert(narrow.to_owned(), Json::from(value));
        }
        for related in self.checked.related.iter().filter(|related| related.field == field) {
            if let Some(about) = entity.field(related.related) {
                let cell = text::trimmed(self.row.cell(related.column as usize).text);
                self.describe(&mut draft, about, cell)?;
            }
        }
        match entity.created_fields().find(|field| field.is_required() && !draft.has(field)) {
            Some(lacking) => Err(incomplete(entity.name, name, lacking.name)),
            None => Ok(draft),
        }
    }

    fn describe(&self, draft: &mut Draft, about: &'static Field, cell: &str) -> Result<(), ValueError> {
        match about.kind {
            Kind::Option(choices) => {
                let position = choice::option(cell, choices.create)?;
                draft.fields.insert(about.name.to_owned(), Json::from(choices.create[position]));
            }
            Kind::Reference(reference) => self.refer(draft, about, reference, cell)?,
            _ => {
                if !draft.fields.contains_key(about.name) {
                    draft.fields.insert(about.name.to_owned(), Json::from(cell));
                }
            }
        }
        Ok(())
    }

    fn refer(
        &self,
        draft: &mut Draft,
        about: &'static Field,
        reference: Reference,
        cell: &str,
    ) -> Result<(), ValueError> {
        let resolver =
            Resolver { catalog: self.catalog, users: self.users, unknown: self.unknown, renamed: self.renamed };
        match resolver.related(reference, cell)? {
            Resolved::Record(target, reference) => draft.records.push((about, reference, target)),
            Resolved::Missing { name, reference, problem } => {
                if !self.covers.covers(reference.to) {
                    return Err(problem.error);
                }
                // A related record has no describing columns of its own: no field of the row names it.
                draft.missing.push((about, self.draft(usize::MAX, &name, reference)?));
            }
            _ => {}
        }
        Ok(())
    }
}

impl Draft {
    fn has(&self, field: &Field) -> bool {
        self.fields.contains_key(field.name)
            || self.records.iter().any(|(known, _, _)| known.name == field.name)
            || self.missing.iter().any(|(known, _)| known.name == field.name)
    }
}

/// The field that a name in a cell is: an asset's tag, an employee's e-mail address or name, else the name.
fn name_field(entity: &Entity, name: &str) -> &'static str {
    match entity.key {
        [only] if *only != "email" || name.contains('@') => only,
        _ => "name",
    }
}

fn incomplete(collection: &str, name: &str, lacking: &str) -> ValueError {
    ValueError::new(
        Code::NameIncomplete,
        format!("cannot create `{name}` in {collection}: missing `{lacking}`"),
        format!(
            "create it in a {collection} sheet, or add a column that says its {}",
            lacking.trim_end_matches("_id").replace('_', " ")
        ),
    )
}
