//! What rows say of records that they only name, such as the manufacturer of a product or the city of a location. A record that
//! is missing is made from what all rows of its natural key say: one row may leave blank what another one says.

use std::collections::HashMap;

use crate::check::{CheckedRow, Code, DerivedOrigin, ParsedRelated, ParsedValue, Problem, ValueError, text};
use crate::mapping::{Mapping, is_same_text};
use crate::plan::CreateMissing;
use crate::schema::{self, Entity, Reference, fold_name_into};
use crate::table::Row;

/// What the rows of all sheets say of records that may be missing.
#[derive(Debug, Default)]
pub(crate) struct NameDescriptions {
    /// By natural key.
    records: HashMap<String, Vec<Description>>,
    key: String,
}

/// What rows say of a record, and do not contradict each other in what tells records apart.
#[derive(Debug, Default)]
struct Description {
    facts: Vec<Fact>,
}

#[derive(Debug)]
struct Fact {
    field: &'static str,
    text: Box<str>,
    row: u64,
}

/// A cell that describes a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct DescribingCell<'r> {
    pub field: &'static str,
    pub text: &'r str,
    pub column: u32,
}

impl NameDescriptions {
    /// Adds what a row says of the records it names and that `create_missing` covers. A row with problems says nothing.
    pub(crate) fn add(&mut self, create_missing: &CreateMissing, mapping: &Mapping, row: &Row, checked: &CheckedRow) {
        if checked.related.is_empty() || !checked.problems.is_empty() || *create_missing == CreateMissing::Compared {
            return;
        }
        for given in &checked.values {
            let reference = mapping.entity.fields[given.field].reference_to();
            let (ParsedValue::Name(_), Some(reference)) = (given.value, reference) else { continue };
            let Some(entity) = schema::collection(reference.to).filter(|_| create_missing.includes(reference.to))
            else {
                continue;
            };
            let cells = describing_cells(mapping, row, checked, given.field);
            if !cells.is_empty() {
                let mut key = std::mem::take(&mut self.key);
                write_key(reference, entity, row.cell(given.column as usize).text, &cells, &mut key);
                let known = match self.records.get_mut(&key) {
                    Some(known) => known,
                    None => self.records.entry(key.clone()).or_default(),
                };
                add(known, entity, &cells, row.number);
                self.key = key;
            }
        }
    }

    /// What other rows say of the record that a row names and does not say itself: fields and texts.
    ///
    /// # Errors
    /// If they say it of several records, or something else than the row itself.
    pub(super) fn rest(
        &self,
        reference: Reference,
        name: &str,
        cells: &[DescribingCell<'_>],
        column: u32,
    ) -> Result<Vec<(&'static str, &str)>, Problem> {
        let Some(entity) = schema::collection(reference.to) else { return Ok(Vec::new()) };
        let mut key = String::new();
        write_key(reference, entity, name, cells, &mut key);
        let known = self.records.get(&key).map(Vec::as_slice).unwrap_or_default();
        let mut rest: Vec<&Fact> = Vec::new();
        for description in known.iter().filter(|known| known.is_of(entity, cells)) {
            for fact in &description.facts {
                let said = cells.iter().find(|cell| cell.field == fact.field);
                let other = rest.iter().find(|other| other.field == fact.field);
                match (said, other) {
                    (Some(cell), _) if is_same_text(cell.text, &fact.text) => {}
                    (Some(cell), _) => return Err(contradiction(entity, fact, cell)),
                    (None, None) => rest.push(fact),
                    (None, Some(other))
                        if entity.is_told_apart_by(fact.field) && !is_same_text(&other.text, &fact.text) =>
                    {
                        return Err(ambiguous(entity, name, [other, fact]).at(Some(column), name));
                    }
                    (None, Some(_)) => {}
                }
            }
        }
        Ok(rest.into_iter().map(|fact| (fact.field, &*fact.text)).collect())
    }
}

/// Adds cells to the description that they belong to, or as one of their own.
fn add(known: &mut Vec<Description>, entity: &Entity, cells: &[DescribingCell<'_>], row: u64) {
    let place = known.iter().position(|known| known.is_told_apart_as(entity, cells)).unwrap_or(known.len());
    if place == known.len() {
        known.push(Description::default());
    }
    let description = &mut known[place];
    for cell in cells {
        if description.fact(cell.field).is_none() {
            description.facts.push(Fact { field: cell.field, text: cell.text.into(), row });
        }
    }
}

impl Description {
    fn fact(&self, field: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.field == field)
    }

    /// Whether it says the same as these cells of what tells records apart, and no more.
    fn is_told_apart_as(&self, entity: &Entity, cells: &[DescribingCell<'_>]) -> bool {
        let said = self.facts.iter().filter(|fact| entity.is_told_apart_by(fact.field)).count();
        let mut apart = cells.iter().filter(|cell| entity.is_told_apart_by(cell.field));
        apart.clone().count() == said
            && apart.all(|cell| self.fact(cell.field).is_some_and(|fact| is_same_text(&fact.text, cell.text)))
    }

    /// Whether it may be of the record that these cells describe: nothing that tells records apart differs.
    fn is_of(&self, entity: &Entity, cells: &[DescribingCell<'_>]) -> bool {
        let mut apart = cells.iter().filter(|cell| entity.is_told_apart_by(cell.field));
        apart.all(|cell| self.fact(cell.field).is_none_or(|fact| is_same_text(&fact.text, cell.text)))
    }
}

/// The cells of a row that describe the record named in `field`, apart from what a rule makes up.
pub(super) fn describing_cells<'r>(
    mapping: &Mapping,
    row: &'r Row,
    checked: &CheckedRow,
    field: usize,
) -> Vec<DescribingCell<'r>> {
    let is_made_up = |column: u32| {
        let origin = checked.derived_cell(column).map(|cell| cell.origin);
        matches!(origin, Some(DerivedOrigin::ValueMap | DerivedOrigin::Default))
    };
    let is_known = |related: &str| {
        let referenced = mapping.entity.fields[field].reference_to().and_then(|to| schema::collection(to.to));
        referenced.is_some_and(|entity| entity.field(related).is_some())
    };
    let related = checked.related.iter().filter(|related| related.field == field && is_known(related.related));
    let related = related.filter(|related| !is_made_up(related.column));
    let cell = |related: &ParsedRelated| DescribingCell {
        field: related.related,
        text: text::trimmed(row.cell(related.column as usize).text),
        column: related.column,
    };
    related.map(cell).filter(|cell| !cell.text.is_empty()).collect()
}

/// The natural key of the record that a row names. A blank in it counts.
fn write_key(reference: Reference, entity: &Entity, name: &str, cells: &[DescribingCell<'_>], key: &mut String) {
    key.clear();
    key.push_str(reference.to);
    key.push('\u{1f}');
    key.push_str(reference.narrowed.map_or("", |(_, value)| value));
    key.push('\u{1f}');
    fold_name_into(name, key);
    for field in entity.key {
        key.push('\u{1f}');
        if let Some(cell) = cells.iter().find(|cell| cell.field == *field) {
            fold_name_into(cell.text, key);
        }
    }
}

fn contradiction(entity: &Entity, known: &Fact, cell: &DescribingCell<'_>) -> Problem {
    let error = ValueError::new(
        Code::RecordContradicted,
        format!(
            "another value than in row {}, which describes the same {}: `{}`",
            known.row, entity.singular, known.text
        ),
        "make the rows say the same, or leave the cell blank in one of them",
    );
    error.at(Some(cell.column), cell.text)
}

fn ambiguous(entity: &Entity, name: &str, facts: [&Fact; 2]) -> ValueError {
    let field = facts[0].field.trim_end_matches("_id").replace('_', " ");
    let [one, other] = facts.map(|fact| format!("`{}` (row {})", fact.text, fact.row));
    ValueError::new(
        Code::NameAmbiguous,
        format!("rows describe several {} `{name}`: with the {field} {one} and with {other}", entity.name),
        format!("say in this row which {field} it has"),
    )
}
