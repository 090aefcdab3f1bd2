//! What rows say of records that they only name, such as the manufacturer of a product or the city of a location. A record that
//! is missing is made from what all rows say of it: one may leave blank what another one says.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::catalog::{CatalogView, RecordRef};
use crate::check::{CheckedRow, Code, DerivedOrigin, ParsedRelated, ParsedValue, Problem, ValueError, text};
use crate::mapping::{Mapping, is_same_text};
use crate::plan::CreateMissing;
use crate::schema::{self, Entity, Field, Kind, Reference, fold_name_into};
use crate::table::{Cell, Row, Value};

/// What the rows of all sheets say of records that may be missing.
#[derive(Debug, Default)]
pub(crate) struct NameDescriptions {
    /// By name.
    records: HashMap<String, Vec<NamedRecord>>,
    /// The people of a name, each by the e-mail addresses that a row says, or whatever else is their key.
    people: HashMap<String, Vec<Vec<Box<str>>>>,
    key: String,
}

/// What rows say of one record: those that say the same of what tells records apart, such as the model number.
#[derive(Debug, Default)]
struct NamedRecord {
    facts: Vec<Fact>,
}

#[derive(Debug)]
struct Fact {
    field: &'static Field,
    text: Box<str>,
    row: u64,
    is_made_up: bool,
}

/// A cell that describes a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct DescribingCell<'r> {
    pub field: &'static Field,
    pub text: &'r str,
    pub column: u32,
    /// A value map says it of another column. It fills a new record, and contradicts nothing.
    pub is_made_up: bool,
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
                write_key(reference, row.cell(given.column as usize).text, &mut self.key);
                let known = match self.records.get_mut(&self.key) {
                    Some(known) => known,
                    None => self.records.entry(self.key.clone()).or_default(),
                };
                add(known, entity, &cells, row.number);
                self.add_person(reference, entity, text::trimmed(row.cell(given.column as usize).text), &cells);
            }
        }
    }

    fn named(&self, reference: Reference, name: &str) -> &[NamedRecord] {
        let mut key = String::new();
        write_key(reference, name, &mut key);
        self.records.get(&key).map(Vec::as_slice).unwrap_or_default()
    }

    /// Adds a person of whom a row says both name and e-mail address, one of them in the cell that names the person.
    fn add_person(&mut self, reference: Reference, entity: &Entity, text: &str, cells: &[DescribingCell<'_>]) {
        if !entity.is_person() {
            return;
        }
        let said = |is_said: &dyn Fn(&str) -> bool| cells.iter().find(|cell| is_said(cell.field.name));
        let key = said(&|field| entity.key.contains(&field)).map(|cell| cell.text);
        // The name to sign in with need not be the address of the mailbox.
        let (name, address) = match text.contains('@') {
            true => (said(&|field| field == "name").map(|cell| cell.text), Some(text)),
            false => (Some(text), None),
        };
        let addresses = || address.into_iter().chain(key);
        let Some(name) = name.filter(|_| addresses().next().is_some()) else { return };
        write_key(reference, name, &mut self.key);
        let known = match self.people.get_mut(&self.key) {
            Some(known) => known,
            None => self.people.entry(self.key.clone()).or_default(),
        };
        let is_among = |known: &[Box<str>], address: &str| known.iter().any(|known| is_same_text(known, address));
        let place = known.iter().position(|person| addresses().any(|address| is_among(person, address)));
        let place = place.unwrap_or_else(|| {
            known.push(Vec::new());
            known.len() - 1
        });
        for address in addresses() {
            if !is_among(&known[place], address) {
                known[place].push(address.into());
            }
        }
    }

    /// The people of that name, each by the e-mail addresses that rows say.
    pub(super) fn people(&self, reference: Reference, name: &str) -> &[Vec<Box<str>>] {
        if self.people.is_empty() {
            return &[];
        }
        let mut key = String::new();
        write_key(reference, name, &mut key);
        self.people.get(&key).map(Vec::as_slice).unwrap_or_default()
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
    ) -> Result<Vec<(&'static Field, &str)>, Problem> {
        let Some(entity) = schema::collection(reference.to) else { return Ok(Vec::new()) };
        let known = self.named(reference, name);
        if let Some((fact, cell)) = contradicted(known, entity, cells) {
            return Err(contradicts(entity, fact.row, &fact.text).at(Some(cell.column), cell.text));
        }
        // What contradicts the row is about another record of that name.
        let others = known.iter().filter(|known| known.is_of(entity, cells) && known.contradicted(cells).is_none());
        let mut rest: Vec<&Fact> = Vec::new();
        for fact in others.flat_map(|known| &known.facts) {
            if cells.iter().any(|cell| cell.field.name == fact.field.name) {
                continue;
            }
            match rest.iter_mut().find(|other| other.field.name == fact.field.name) {
                None => rest.push(fact),
                Some(other) if entity.is_told_apart_by(fact.field.name) && !other.agrees(&fact.text) => {
                    return Err(ambiguous(entity, name, [other, fact]).at(Some(column), name));
                }
                Some(other) if other.is_made_up && !fact.is_made_up => *other = fact,
                Some(_) => {}
            }
        }
        Ok(rest.into_iter().map(|fact| (fact.field, &*fact.text)).collect())
    }
}

impl DescribingCell<'_> {
    /// Whether a record of the account has something else there, or nothing. What a record is called and found by may be said
    /// in many ways, and so may days and amounts.
    pub(super) fn contradicts(&self, account: CatalogView<'_>, collection: &str, target: RecordRef) -> bool {
        let is_key = schema::collection(collection).is_some_and(|entity| entity.key.contains(&self.field.name));
        if self.is_made_up || is_key || self.field.name == "name" {
            return false;
        }
        let text = match self.field.kind {
            Kind::Integer { least } => {
                let cell = Cell { text: self.text, value: Value::Text, format: None };
                text::integer(cell, least).map_or(Cow::Borrowed(self.text), |number| Cow::Owned(number.to_string()))
            }
            Kind::Text(_) | Kind::Option(_) | Kind::Currency | Kind::Reference(_) => Cow::Borrowed(self.text),
            _ => return false,
        };
        account.says_otherwise(collection, target, self.field.name, &text)
    }
}

/// Adds cells to the description that they belong to, or as one of their own.
fn add(known: &mut Vec<NamedRecord>, entity: &Entity, cells: &[DescribingCell<'_>], row: u64) {
    let place = known.iter().position(|known| known.is_told_apart_as(entity, cells)).unwrap_or(known.len());
    if place == known.len() {
        known.push(NamedRecord::default());
    }
    let facts = &mut known[place].facts;
    for cell in cells {
        let fact = Fact { field: cell.field, text: cell.text.into(), row, is_made_up: cell.is_made_up };
        match facts.iter_mut().find(|known| known.field.name == cell.field.name) {
            None => facts.push(fact),
            Some(known) if known.is_made_up && !cell.is_made_up => *known = fact,
            Some(_) => {}
        }
    }
}

/// What the record that cells are about is said to be otherwise, and by which of them.
fn contradicted<'k, 'c, 'r>(
    known: &'k [NamedRecord],
    entity: &Entity,
    cells: &'c [DescribingCell<'r>],
) -> Option<(&'k Fact, &'c DescribingCell<'r>)> {
    known.iter().find(|known| known.is_told_apart_as(entity, cells))?.contradicted(cells)
}

impl NamedRecord {
    fn fact(&self, field: &Field) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.field.name == field.name)
    }

    /// Whether it says the same as these cells of what tells records apart, and no more.
    fn is_told_apart_as(&self, entity: &Entity, cells: &[DescribingCell<'_>]) -> bool {
        let said = self.facts.iter().filter(|fact| entity.is_told_apart_by(fact.field.name)).count();
        let mut apart = cells.iter().filter(|cell| entity.is_told_apart_by(cell.field.name));
        apart.clone().count() == said
            && apart.all(|cell| self.fact(cell.field).is_some_and(|fact| fact.agrees(cell.text)))
    }

    /// Whether it may be of the record that these cells describe: nothing that tells records apart differs.
    fn is_of(&self, entity: &Entity, cells: &[DescribingCell<'_>]) -> bool {
        let mut apart = cells.iter().filter(|cell| entity.is_told_apart_by(cell.field.name));
        apart.all(|cell| self.fact(cell.field).is_none_or(|fact| fact.agrees(cell.text)))
    }

    /// The first cell that says something else.
    fn contradicted<'c, 'r>(&self, cells: &'c [DescribingCell<'r>]) -> Option<(&Fact, &'c DescribingCell<'r>)> {
        let facts = cells.iter().filter_map(|cell| Some((self.fact(cell.field)?, cell)));
        let mut firm = facts.filter(|(fact, cell)| !fact.is_made_up && !cell.is_made_up);
        firm.find(|(fact, cell)| !fact.agrees(cell.text))
    }
}

impl Fact {
    /// Whether a text says the same, as far as texts tell: dates have many spellings, and so have ids beside names.
    fn agrees(&self, text: &str) -> bool {
        let number = |text: &str| text.parse::<f64>().ok();
        is_same_text(&self.text, text)
            || match self.field.kind {
                Kind::Date => true,
                Kind::Reference(_) => self.text.starts_with('#') || text.starts_with('#'),
                Kind::Integer { .. } | Kind::Money => number(&self.text).is_some_and(|said| number(text) == Some(said)),
                _ => false,
            }
    }
}

/// The cells of a row that describe the record named in `field`, apart from defaults.
pub(super) fn describing_cells<'r>(
    mapping: &Mapping,
    row: &'r Row,
    checked: &CheckedRow,
    field: usize,
) -> Vec<DescribingCell<'r>> {
    let reference = mapping.entity.fields[field].reference_to();
    let Some(entity) = reference.and_then(|reference| schema::collection(reference.to)) else { return Vec::new() };
    let cell = |related: &ParsedRelated| {
        let origin = checked.derived_cell(related.column).map(|cell| cell.origin);
        let text = text::trimmed(row.cell(related.column as usize).text);
        let is_mapped = matches!(origin, Some(DerivedOrigin::ValueMap | DerivedOrigin::Otherwise));
        let is_made_up = is_mapped && !entity.is_told_apart_by(related.related);
        (origin != Some(DerivedOrigin::Default) && !text.is_empty()).then_some(DescribingCell {
            field: entity.field(related.related)?,
            text,
            column: related.column,
            is_made_up,
        })
    };
    checked.related.iter().filter(|related| related.field == field).filter_map(cell).collect()
}

/// Records of one name, of a kind where the reference asks for one.
fn write_key(reference: Reference, name: &str, key: &mut String) {
    key.clear();
    key.push_str(reference.to);
    key.push('\u{1f}');
    key.push_str(reference.narrowed.map_or("", |(_, value)| value));
    key.push('\u{1f}');
    fold_name_into(name, key);
}

/// The problem of a row that says something else of a record than an earlier row, which says `known`.
pub(crate) fn contradicts(entity: &Entity, row: u64, known: &str) -> ValueError {
    ValueError::new(
        Code::RecordContradicted,
        format!("another value than in row {row}, which describes the same {}: `{known}`", entity.singular),
        "make the rows say the same, or leave the cell blank in one of them",
    )
}

fn ambiguous(entity: &Entity, name: &str, facts: [&Fact; 2]) -> ValueError {
    let field = facts[0].field.name.trim_end_matches("_id").replace('_', " ");
    let [one, other] = facts.map(|fact| format!("`{}` (row {})", fact.text, fact.row));
    ValueError::new(
        Code::NameAmbiguous,
        format!("rows describe several {} `{name}`: with the {field} {one} and with {other}", entity.name),
        format!("say in this row which {field} it has"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::plan::scenario::{Outcome, Scenario};

    fn account() -> Scenario {
        Scenario::new()
            .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
            .holds(
                "categories",
                json!([{"id": 1, "name": "Laptops", "type": "asset"},
                {"id": 2, "name": "Phones", "type": "asset"}]),
            )
            .holds("manufacturers", json!([{"id": 5, "name": "Acme"}]))
            .create_missing(CreateMissing::AllButPeople)
    }

    /// The products that a plan creates.
    fn products(outcome: &Outcome) -> Vec<String> {
        let steps = outcome.shown_steps();
        steps.into_iter().filter(|step| step.starts_with("products")).collect()
    }

    #[test]
    fn what_a_row_says_itself_counts_before_what_a_value_map_says_of_another() {
        let file = "[fields.\"product_id.category_id\"]\ncolumn = \"Kind\"\nvalues = { NB = \"Laptops\" }";
        for (first, second, category) in [("NB", "Phones", 2), ("Laptops", "Phones", 1), ("Phones", "NB", 2)] {
            // The first row says nothing of the product; the other two may be about another one each.
            let sheet = format!(
                "asset_id|product|manufacturer|Kind|status\nT-1|Zed|||Ready\nT-2|Zed|Acme|{first}|Ready\nT-3|Zed||{second}|Ready"
            );
            let made = products(&account().ruled_sheet("assets", &sheet, file).plan());
            let product = json!({"category_id": category, "manufacturer_id": 5, "name": "Zed"});
            assert_eq!(made.first(), Some(&format!("products: create {product}")), "{first} {second}");
        }
    }

    #[test]
    fn days_and_numbers_are_not_told_apart_by_their_notation() {
        let agree = |field: &str, one: &str, other: &str| {
            let field = schema::collection("products").unwrap().field(field).unwrap();
            Fact { field, text: one.into(), row: 2, is_made_up: false }.agrees(other)
        };
        assert!(agree("end_of_life_date", "2026-01-02", "02.01.2026"));
        assert!(agree("end_of_life_months", "36", "36.0") && !agree("end_of_life_months", "36", "48"));
        assert!(!agree("end_of_life_months", "three", "four"));
        assert!(!agree("name", "36", "36.0"));
    }
}
