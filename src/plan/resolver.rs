//! Resolves names in a row to record ids.
//!
//! Takes a row that passed its check and converts each value to the form in which it will be sent. A name that the
//! account does not have becomes [`Resolved::Missing`]; the planner decides whether to create it.

use std::cell::RefCell;
use std::collections::HashMap;

use rust_decimal::prelude::ToPrimitive;
use serde_json::{Number, Value as Json, json};

use crate::catalog::{
    Catalog, CatalogView, Contradiction, LookupResult, PlannedChange, RecordRef, RecordState, ReferenceSyntax,
};
use crate::check::{
    CheckedRow, Code, DerivedOrigin, ParsedField, ParsedRelated, ParsedValue, Problem, ValueError, text,
};
use crate::mapping::{Ids, Mapping};
use crate::schema::{self, Entity, Kind, Meaning, Reference, Wire, fold_name};
use crate::table::Row;
use crate::unicode::without_invisible;

/// User ids by e-mail address (lower case), as far as the activity log shows them.
pub(crate) type UserIds = HashMap<String, Option<i64>>;

/// A field's value in the form in which it will be sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Resolved {
    /// A literal value.
    Value(Json),
    /// A documented option, by position: create and update may spell it differently.
    Option(usize),
    /// A record of the account, or one that this run creates.
    Record(RecordRef, Reference),
    /// A name that the account does not have; the problem lists similar names.
    Missing { name: String, reference: Reference, problem: Problem },
    /// Clear the field.
    Clear,
}

/// A field and its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ResolvedField {
    /// Index into the entity's fields.
    pub field: usize,
    pub column: u32,
    pub value: Resolved,
}

/// Resolves names against the account in one of its states.
pub(crate) struct Resolver<'c> {
    pub catalog: CatalogView<'c>,
    pub users: &'c UserIds,
    pub unknown: &'c UnknownNames,
    /// Whether rows are only compared with the account: what they ask for is not done, and takes no record its name.
    pub is_compared: bool,
}

/// Names that were not found, with similar names. Finding similar names scans a whole collection, so the result is
/// cached for the thousands of rows that may share a name.
#[derive(Debug, Default)]
pub(crate) struct UnknownNames(RefCell<HashMap<&'static str, NearestNames>>);

/// Similar names, by the name of a collection that was not found.
type NearestNames = HashMap<(Reference, Ids, RecordState, String), Vec<String>>;

impl UnknownNames {
    fn nearest(&self, reference: Reference, ids: Ids, state: RecordState, name: &str) -> Option<Vec<String>> {
        let known = self.0.borrow();
        // In most sheets every name is known.
        known.get(reference.to)?.get(&(reference, ids, state, name.to_owned())).cloned()
    }

    fn remember(&self, reference: Reference, ids: Ids, state: RecordState, name: &str, nearest: &[String]) {
        let mut known = self.0.borrow_mut();
        let names = known.entry(reference.to).or_default();
        names.insert((reference, ids, state, name.to_owned()), nearest.to_vec());
    }

    /// Forgets the names of a collection in which the plan now creates a record, or changes what one is called.
    pub(crate) fn forget(&self, collection: &str) {
        self.0.borrow_mut().remove(collection);
    }
}

impl Resolver<'_> {
    /// Resolves all values of a row, or reports the problems with its names. A reference may occur twice, by id and
    /// by name; [`merge_references`] combines them.
    pub(crate) fn resolve(
        &self,
        mapping: &Mapping,
        row: &Row,
        checked: &CheckedRow,
    ) -> (Vec<ResolvedField>, Vec<Problem>) {
        let mut fields: Vec<ResolvedField> = Vec::with_capacity(checked.values.len());
        let mut problems = Vec::new();
        for given in &checked.values {
            let field = &mapping.entity.fields[given.field];
            if field.kind == Kind::CustomFields && given.value != ParsedValue::Clear {
                continue;
            }
            match self.value(mapping, row, checked, given) {
                Ok(value) => fields.push(ResolvedField { field: given.field, column: given.column, value }),
                Err(problem) => problems.push(problem),
            }
        }
        (fields, problems)
    }

    fn value(
        &self,
        mapping: &Mapping,
        row: &Row,
        checked: &CheckedRow,
        given: &ParsedField,
    ) -> Result<Resolved, Problem> {
        let field = &mapping.entity.fields[given.field];
        let raw = row.cell(given.column as usize).text;
        let trimmed = text::trimmed(raw);
        Ok(match given.value {
            ParsedValue::Clear => Resolved::Clear,
            ParsedValue::Text if field.is_long_text => Resolved::Value(Json::from(trimmed)),
            ParsedValue::Text if checked.last_name_first.contains(&given.column) => {
                Resolved::Value(Json::from(person_name(trimmed)))
            }
            ParsedValue::Text => Resolved::Value(Json::from(without_invisible(trimmed))),
            ParsedValue::Integer(number) => Resolved::Value(Json::from(number)),
            ParsedValue::Amount(amount) => Resolved::Value(amount_json(amount)),
            ParsedValue::Date(date) => Resolved::Value(Json::from(date.to_string())),
            ParsedValue::Boolean(truth) => Resolved::Value(Json::from(truth)),
            ParsedValue::Currency(code) => Resolved::Value(Json::from(code)),
            ParsedValue::Option(position) => Resolved::Option(position),
            ParsedValue::UserEmail => {
                self.user(&without_invisible(trimmed)).map_err(|error| error.at(Some(given.column), raw))?
            }
            ParsedValue::Name(ids) => {
                let Some(reference) = field.reference_to() else {
                    return Ok(Resolved::Value(Json::from(without_invisible(trimmed))));
                };
                let described = description(mapping, row, checked, given.field);
                let found = match checked.record_kind(given.column) {
                    Some(kind) => self.record_kind(reference, kind, trimmed, &described),
                    None if names_person(reference) => {
                        let name = said_name(row, checked, given.field);
                        self.person(reference, trimmed, ids, (&described, name))
                    }
                    None => self.name(reference, trimmed, ids, &described),
                };
                let found = self.unless_changed(found, reference, (trimmed, ids), &described);
                let found = found.map_err(|error| error.at(Some(given.column), raw))?.fix(given.column, raw);
                match found {
                    Resolved::Missing { name, reference, problem }
                        if checked.last_name_first.contains(&given.column) =>
                    {
                        Resolved::Missing { name: person_name(&name), reference, problem }
                    }
                    found => found,
                }
            }
        })
    }

    fn user(&self, email: &str) -> Result<Resolved, ValueError> {
        match self.users.get(&email.to_lowercase()) {
            Some(Some(id)) => Ok(Resolved::Value(Json::from(*id))),
            _ => Err(ValueError::new(
                Code::NameNotFound,
                "unknown user; expected the e-mail address of a user who appears in the activity log",
                "use the user's id; the service has no list of users",
            )),
        }
    }

    /// Looks up a name in the collection that `reference` points to.
    fn name(
        &self,
        reference: Reference,
        name: &str,
        ids: Ids,
        description: &[(&str, &str)],
    ) -> Result<Resolved, ValueError> {
        let state = self.catalog.state();
        let found = match self.unknown.nearest(reference, ids, state, name) {
            Some(nearest) => LookupResult::None { nearest },
            None => {
                let syntax = naming(reference, ids);
                match self.catalog.find_described(reference.to, name, syntax, reference.narrowed, description) {
                    Ok(found) => found,
                    Err(contradiction) => return other_record(reference, name, &contradiction),
                }
            }
        };
        match found {
            LookupResult::One(target) => Ok(Resolved::Record(target, reference)),
            LookupResult::Many(candidates) => Err(ambiguous(reference.to, &candidates)),
            // An unknown id is not a name for a new record.
            LookupResult::None { .. } if is_id(name, ids) => Err(no_such_id(reference.to, name)),
            LookupResult::None { nearest } => {
                self.unknown.remember(reference, ids, state, name, &nearest);
                let problem = not_found(reference.to, name, &nearest).at(None, name);
                Ok(Resolved::Missing { name: without_invisible(name).into_owned(), reference, problem })
            }
        }
    }

    /// Looks up a person by what a cell says, and else by the address that the row says beside it: the name to sign in with
    /// need not be the address of the mailbox. Where the row has no address at all, the name beside it counts.
    fn person(
        &self,
        reference: Reference,
        text: &str,
        ids: Ids,
        (description, name): (&[(&str, &str)], Option<&str>),
    ) -> Result<Resolved, ValueError> {
        let email = description.iter().map(|(_, text)| *text).find(|said| text::email(said).is_ok());
        let is_address = text.contains('@');
        // An address tells who it is; that somebody has another one, too, says nothing against it.
        let found = self.name(reference, text, ids, if is_address { &[] } else { description })?;
        if !is_address && !matches!(found, Resolved::Missing { .. }) {
            return Ok(found);
        }
        let name = name.filter(|_| !is_address && email.is_none());
        let Some(other) = email.or(name).filter(|other| fold_name(other) != fold_name(text)) else { return Ok(found) };
        match (&found, self.name(reference, other, Ids::Marked, &[])?) {
            (_, Resolved::Missing { .. }) => Ok(found),
            (Resolved::Missing { .. }, beside) => Ok(beside),
            (Resolved::Record(one, _), Resolved::Record(two, _)) if *one != two => {
                let shown = |(target, address)| {
                    (target, format!("{} ({address})", self.catalog.describe(reference.to, target)))
                };
                let described = [(*one, text), (two, other)].map(shown);
                Err(ambiguous(reference.to, &described))
            }
            _ => Ok(found),
        }
    }

    /// The record that stands for a kind: of several the one of that name, or else that which most records have. Where
    /// there is none, `name` is that of the one to create.
    fn record_kind(
        &self,
        reference: Reference,
        kind: &'static str,
        name: &str,
        description: &[(&str, &str)],
    ) -> Result<Resolved, ValueError> {
        let contradicted = |contradiction| contradicted(reference.to, name, &contradiction);
        let candidates = self.catalog.of_kind(reference.to, (kind, name), description).map_err(contradicted)?;
        if let Some(best) = candidates.first() {
            return Ok(Resolved::Record(best.target, reference));
        }
        let kind_field = schema::collection(reference.to).and_then(|entity| entity.meaning(Meaning::RecordKind));
        let said = kind_field.map(|field| (field.name, kind));
        let found = self.catalog.find_described(
            reference.to,
            name,
            ReferenceSyntax::Marked,
            reference.narrowed,
            said.as_slice(),
        );
        match found {
            Err(contradiction) => Err(other_kind(reference.to, kind, name, &contradiction)),
            Ok(LookupResult::One(target)) => Ok(Resolved::Record(target, reference)),
            Ok(LookupResult::Many(candidates)) => Err(ambiguous(reference.to, &candidates)),
            Ok(LookupResult::None { .. }) => {
                let problem = no_such_kind(reference.to, kind, name).at(None, name);
                Ok(Resolved::Missing { name: name.to_owned(), reference, problem })
            }
        }
    }

    /// Looks up a name from a column that describes another record.
    pub(crate) fn related(&self, reference: Reference, name: &str) -> Result<Resolved, ValueError> {
        self.unless_changed(self.name(reference, name, Ids::Marked, &[]), reference, (name, Ids::Marked), &[])
    }

    /// Makes a problem of what is not found because an earlier row of the run changes the record: whether that one is meant
    /// all the same, or a new one, only the user knows. Where rows are only compared, it is the record of the account.
    fn unless_changed(
        &self,
        found: Result<Resolved, ValueError>,
        reference: Reference,
        (name, ids): (&str, Ids),
        description: &[(&str, &str)],
    ) -> Result<Resolved, ValueError> {
        let contradiction = match &found {
            Ok(Resolved::Missing { problem, .. }) => Some(&problem.error),
            Err(error) => Some(error),
            Ok(_) => None,
        };
        let contradiction = contradiction.filter(|error| error.code == Code::NameContradicted);
        if !(contradiction.is_some() || matches!(found, Ok(Resolved::Missing { .. }))) {
            return found;
        }
        let syntax = naming(reference, ids);
        let change = self.catalog.change_of_former(reference.to, name, syntax, reference.narrowed, description);
        match (contradiction, change) {
            (_, None) => found,
            (_, Some((target, _))) if self.is_compared => Ok(Resolved::Record(target, reference)),
            (Some(error), Some((_, change))) => Err(contradicted_by_run(reference.to, error, change)),
            (None, Some((_, change))) => Err(no_longer_found(reference.to, name, change)),
        }
    }
}

impl Resolved {
    /// Sets the position of a missing name's problem.
    fn fix(mut self, column: u32, raw: &str) -> Self {
        if let Resolved::Missing { problem, .. } = &mut self {
            problem.column = Some(column);
            problem.found = raw.into();
        }
        self
    }
}

/// How to read the cells of a reference. A cell for an asset holds its tag or its system id (field notes).
pub(crate) fn naming(reference: Reference, ids: Ids) -> ReferenceSyntax {
    match ids {
        _ if tag_field(reference).is_some() => ReferenceSyntax::TagOrId,
        Ids::Bare => ReferenceSyntax::Bare,
        Ids::Marked => ReferenceSyntax::Marked,
    }
}

/// Whether a cell can only be a system id: `#12`, or `12` in a column of ids.
pub(super) fn is_id(name: &str, ids: Ids) -> bool {
    let digits = name.strip_prefix('#').or((ids == Ids::Bare).then_some(name));
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The cells of a row that describe the record named in `field`. In an edited export, columns of what the service only
/// reports describe the record that was named before the edit. What a rule makes up fills a new record and never excludes
/// one of the account: a category derived from an operating system says nothing of how the account groups its products.
/// A value map still tells makers and numbers, which it spells otherwise.
fn description<'r>(
    mapping: &Mapping,
    row: &'r Row,
    checked: &CheckedRow,
    field: usize,
) -> Vec<(&'static str, &'r str)> {
    // What the schema does not list tells no record from another: it is there for one that is made.
    let narrows = |name: &str| mapping.entity.fields[field].related.iter().any(|known| known.field == name);
    let referenced = mapping.entity.fields[field].reference_to().and_then(|reference| schema::collection(reference.to));
    let is_made_up = |related: &ParsedRelated| match checked.derived_cell(related.column).map(|cell| cell.origin) {
        None | Some(DerivedOrigin::Cells | DerivedOrigin::Unlisted | DerivedOrigin::PartlyCleared) => false,
        Some(DerivedOrigin::ValueMap | DerivedOrigin::Otherwise) => {
            !referenced.is_some_and(|entity| entity.is_told_apart_by(related.related))
        }
        Some(DerivedOrigin::Default) => true,
    };
    let related = checked.related.iter().filter(|related| related.field == field && narrows(related.related));
    let related = related.filter(|related| !is_reported(mapping, checked, related.column) && !is_made_up(related));
    related.map(|related| (related.related, text::trimmed(row.cell(related.column as usize).text))).collect()
}

/// Whether an edited export shows in a column what only the service sets.
pub(super) fn is_reported(mapping: &Mapping, checked: &CheckedRow, column: u32) -> bool {
    let reported = mapping.header(column).and_then(|header| mapping.entity.field(header));
    checked.id.is_some() && reported.is_some_and(|field| !field.is_written())
}

/// Whether a reference is to people.
fn names_person(reference: Reference) -> bool {
    schema::collection(reference.to).is_some_and(Entity::is_person)
}

/// The name that the cells of a row say of whom `field` names.
fn said_name<'r>(row: &'r Row, checked: &CheckedRow, field: usize) -> Option<&'r str> {
    let is_name = |related: &&ParsedRelated| {
        related.field == field && related.related == "name" && !checked.is_default(related.column)
    };
    let related = checked.related.iter().find(is_name)?;
    Some(text::trimmed(row.cell(related.column as usize).text)).filter(|name| !name.is_empty())
}

/// Combines references given both by id and by name; reports a problem if they disagree.
pub(crate) fn merge_references(
    given: Vec<ResolvedField>,
    row: &Row,
    problems: &mut Vec<Problem>,
) -> Vec<ResolvedField> {
    let mut fields = Vec::with_capacity(given.len());
    given.into_iter().for_each(|new| merge(&mut fields, new, row, problems));
    fields
}

/// Adds a field. A name and an id must refer to the same record: another system's id must not win silently.
fn merge(fields: &mut Vec<ResolvedField>, new: ResolvedField, row: &Row, problems: &mut Vec<Problem>) {
    let Some(old) = fields.iter_mut().find(|old| old.field == new.field) else {
        fields.push(new);
        return;
    };
    // A cell with a value overrides one that clears the field.
    if old.value == new.value || new.value == Resolved::Clear {
        return;
    }
    if old.value == Resolved::Clear {
        *old = new;
        return;
    }
    problems.push(conflicting_references(new.column, row));
}

/// The problem of a name and an id that refer to different records.
pub(crate) fn conflicting_references(column: u32, row: &Row) -> Problem {
    let error = ValueError::new(
        Code::NameConflict,
        "name and id are different records",
        "correct one of the two cells, or --ignore the column of ids",
    );
    error.at(Some(column), row.cell(column as usize).text)
}

/// A whole amount as an integer, as the guide requires; a fraction as a number.
fn amount_json(amount: rust_decimal::Decimal) -> Json {
    match amount.to_i64() {
        Some(whole) if amount.fract().is_zero() => Json::from(whole),
        _ => amount.to_f64().and_then(Number::from_f64).map_or(Json::Null, Json::Number),
    }
}

fn not_found(collection: &str, name: &str, nearest: &[String]) -> ValueError {
    let message = format!("`{name}` not found in {collection}");
    let hint = match nearest {
        [] => format!("correct the name, or create it with --create-missing={collection}"),
        near => {
            let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
            format!("did you mean {}? Or create it with --create-missing={collection}", or_list(&near))
        }
    };
    ValueError::new(Code::NameNotFound, message, hint)
}

/// A name that an earlier row of the run takes from the only record that has it.
fn no_longer_found(collection: &str, name: &str, change: &PlannedChange) -> ValueError {
    let new = change.value.as_str().unwrap_or_default();
    ValueError::new(
        Code::RecordContradicted,
        format!(
            "`{name}` not found in {collection}; row {} of the sheet of {collection} changes it to `{new}`",
            change.row
        ),
        format!(
            "write `{new}` if that record is meant; for another one called `{name}`, import the sheet of {collection} \
             first, then this one"
        ),
    )
}

/// A name that is not found any more because another row of an earlier run changed or deleted its record.
pub(crate) fn contradicted_before(collection: &str, name: &str) -> ValueError {
    ValueError::new(
        Code::RecordContradicted,
        format!(
            "`{name}` not found in {collection}; another row of the earlier run changed or deleted what is named here"
        ),
        "name the record that is meant, or empty `_status` of this row to create a new one",
    )
}

/// What is said of a record fits it only before an earlier row of the run.
fn contradicted_by_run(collection: &str, error: &ValueError, change: &PlannedChange) -> ValueError {
    let message = format!("{}, as row {} of the sheet of {collection} changes it", error.message, change.row);
    let hint = format!(
        "make the two sheets say the same; for another record, import the sheet of {collection} first, then this one"
    );
    ValueError::new(Code::RecordContradicted, message, hint)
}

/// A record of that name that the account does not have: another one, which may be created, if its key differs.
fn other_record(reference: Reference, name: &str, contradiction: &Contradiction) -> Result<Resolved, ValueError> {
    let error = contradicted(reference.to, name, contradiction);
    if !contradiction.tells_apart {
        return Err(error);
    }
    Ok(Resolved::Missing { name: without_invisible(name).into_owned(), reference, problem: error.at(None, name) })
}

fn contradicted(collection: &str, name: &str, contradiction: &Contradiction) -> ValueError {
    let Contradiction { candidates, field, text, tells_apart } = contradiction;
    let shown = candidates.iter().take(4).map(String::as_str).collect::<Vec<_>>().join("; ");
    let hint = match tells_apart {
        true => format!("correct one of the two cells, or create the other one with --create-missing={collection}"),
        false => format!("correct one of the two cells, or --ignore the column with the {field}"),
    };
    let message = format!("no `{name}` in {collection} has the {field} `{text}`; there is {shown}");
    ValueError::new(Code::NameContradicted, message, hint)
}

/// The account has no record of the kind, but one of the name that a new one would get.
fn other_kind(collection: &str, kind: &str, name: &str, contradiction: &Contradiction) -> ValueError {
    let shown = contradiction.candidates.join("; ");
    ValueError::new(
        Code::NameContradicted,
        format!("no {kind} {} to use for `{name}`; there is {shown}", singular(collection)),
        format!("name one of the account's {collection} in the mapping, or another name for the one to create"),
    )
}

fn no_such_kind(collection: &str, kind: &str, name: &str) -> ValueError {
    ValueError::new(
        Code::NameNotFound,
        format!("the account has no {kind} {}", singular(collection)),
        format!(
            "create `{name}` with --create-missing={collection}, or name one of the account's {collection} in the mapping"
        ),
    )
}

fn singular(collection: &str) -> &str {
    schema::collection(collection).map_or(collection, |entity| entity.singular)
}

/// A name that a column of such names has last name first.
fn person_name(cell: &str) -> String {
    let name = without_invisible(cell);
    schema::first_name_first(&name).unwrap_or_else(|| name.into_owned())
}

fn no_such_id(collection: &str, id: &str) -> ValueError {
    let message = format!("`{id}` not found in {collection}");
    ValueError::new(Code::NameNotFound, message, "correct the id, or write the name in a column headed by a name")
}

fn ambiguous(collection: &str, candidates: &[(RecordRef, String)]) -> ValueError {
    let shown: Vec<String> = candidates.iter().take(4).map(|(_, description)| description.clone()).collect();
    ValueError::new(
        Code::NameAmbiguous,
        format!("several {collection} match: {}", shown.join("; ")),
        "write the id of the one you mean, such as `#12`",
    )
}

/// Joins as `a`, `b` or `c`.
pub(crate) fn or_list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// The value sent for a record: its id, or the tag that an asset has by then. `None` if only an earlier step will provide it.
pub(crate) fn wire_value(catalog: &Catalog, target: RecordRef, reference: Reference) -> Option<Json> {
    match (reference.wire, target) {
        (Wire::Id, RecordRef::Known(id)) => Some(json!(id)),
        (Wire::Id, RecordRef::Planned(_)) => None,
        (Wire::Tag, _) => catalog.as_planned().value(reference.to, target, tag_field(reference)?).cloned(),
    }
}

/// The earlier step that gives a record the tag by which it is sent.
pub(crate) fn tagging_step(catalog: &Catalog, target: RecordRef, reference: Reference) -> Option<u32> {
    let tag = tag_field(reference).filter(|_| reference.wire == Wire::Tag)?;
    catalog.planned_change(reference.to, target, tag).map(|change| change.step)
}

/// The field with the tag of the records that `reference` points to, if they have one.
fn tag_field(reference: Reference) -> Option<&'static str> {
    Some(schema::collection(reference.to)?.meaning(Meaning::Tag)?.name)
}

#[cfg(test)]
mod tests;
