//! Which record a row is about: by its id, or else by its key.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::{Planner, SheetPlan, StepSink};
use crate::catalog::{KeyValue, LookupResult, RecordRef};
use crate::check::{CheckedRow, Code, ParsedId, Problem, RowAction, ValueError};
use crate::plan::diff;
use crate::plan::resolver::{Resolved, ResolvedField};
use crate::plan::step::WriteKind;
use crate::plan::target::{RowDelta, TargetRecord};
use crate::schema::{Entity, Kind};
use crate::table::Row;

impl<S: StepSink> Planner<'_, S> {
    /// The record that a row is about, by its id column or else by its key.
    pub(super) fn existing(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        delta: &RowDelta,
        target_record: Option<&TargetRecord<'_>>,
    ) -> Result<Option<RecordRef>, Problem> {
        let entity = sheet.mapping.entity;
        let collection = entity.name;
        if let Some(target_record) = target_record.filter(|_| !delta.edited.iter().any(|given| is_key(sheet, given))) {
            return Ok(Some(RecordRef::Known(target_record.id.number)));
        }
        let by_key = self.by_key(sheet, row, &delta.all());
        let Some(ParsedId { number: id, column, .. }) = checked.id else { return by_key };
        if self.catalog.record(collection, id).is_none() {
            let error = ValueError::new(
                Code::RecordMissing,
                format!("no record with id `#{id}` in {collection}"),
                "correct the id, or --ignore the column if it holds another system's ids",
            );
            return Err(error.at(Some(column), &id.to_string()));
        }
        match by_key {
            Ok(Some(target)) if target != RecordRef::Known(id) => {
                let error = ValueError::new(
                    Code::NameConflict,
                    format!(
                        "id and row disagree; the id is {}, the row describes {}",
                        self.catalog.describe(collection, RecordRef::Known(id)),
                        self.catalog.describe(collection, target)
                    ),
                    "correct the id, or --ignore the column if it holds another system's ids",
                );
                Err(error.at(Some(column), &id.to_string()))
            }
            Ok(None) | Err(_) if target_record.is_none() => {
                let error = ValueError::new(
                    Code::NameConflict,
                    format!(
                        "id and row disagree; the id is {}, the row describes another record",
                        self.catalog.describe(collection, RecordRef::Known(id))
                    ),
                    "pass --map 'HEADER=_id' if these are the account's own ids and the row is to change the key, \
                     or --ignore the column if it holds another system's ids",
                );
                Err(error.at(Some(column), &id.to_string()))
            }
            // The row has no key, or a new key for the record with that id.
            Ok(_) | Err(_) => Ok(Some(RecordRef::Known(id))),
        }
    }

    /// Drops the problem that a row is a duplicate of one above it, where it is the one that an earlier run was done with: then the
    /// other one has the problem.
    pub(super) fn drop_copied(&self, sheet: &SheetPlan<'_>, row: &Row, checked: &mut CheckedRow) {
        let Some(id) = checked.id.filter(|_| checked.earlier.is_some()) else { return };
        if self.locks.finished.is_of((sheet.mapping.entity.name, id.number), sheet.index, row.number) {
            checked.problems.retain(|problem| problem.code() != Code::DuplicateKey);
        }
    }

    /// The record with the row's key. A blank is no key (design rule 3): such a row is matched by the rest of the key
    /// where that is unique.
    fn by_key(&self, sheet: &SheetPlan<'_>, row: &Row, fields: &[ResolvedField]) -> Result<Option<RecordRef>, Problem> {
        let entity = sheet.mapping.entity;
        if fields.iter().any(|given| is_new_name(given) && is_key(sheet, given)) {
            return Ok(None);
        }
        let texts: Vec<(usize, String)> =
            fields.iter().filter_map(|given| Some((given.field, key_text(entity, given)?))).collect();
        let key: Vec<KeyValue<'_>> = sheet.match_on.iter().map(|name| key_value(sheet, name, fields, &texts)).collect();
        let without_blanks: Vec<KeyValue<'_>> =
            key.iter().map(|value| if value.is_blank() { KeyValue::Missing } else { *value }).collect();
        let find = |key: &[KeyValue<'_>]| self.catalog.match_record(entity.name, &sheet.match_on, key);
        let found = match find(&without_blanks) {
            LookupResult::None { .. } => return Ok(None),
            // Of the records of this run a blank is known to be one.
            LookupResult::One(RecordRef::Planned(_)) => find(&key),
            LookupResult::One(target) => LookupResult::One(target),
            LookupResult::Many(candidates) => match find(&key) {
                LookupResult::None { .. } => LookupResult::Many(candidates),
                narrowed => narrowed,
            },
        };
        let blank = sheet.match_on.iter().zip(&key).find(|(_, value)| value.is_blank()).map(|(field, _)| *field);
        self.chosen(sheet, row, fields, found, blank)
    }

    /// The record of those that were found; several are a problem. `blank` is a field of the key that the row leaves blank.
    pub(super) fn chosen(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        fields: &[ResolvedField],
        found: LookupResult,
        blank: Option<&str>,
    ) -> Result<Option<RecordRef>, Problem> {
        match found {
            LookupResult::None { .. } => Ok(None),
            LookupResult::One(target) if !self.allows_duplicates() => Ok(Some(target)),
            LookupResult::One(target) => Ok(self.first_free(sheet, row, &[target], fields)),
            LookupResult::Many(candidates) if self.allows_duplicates() => {
                let targets: Vec<RecordRef> = candidates.into_iter().map(|(target, _)| target).collect();
                Ok(self.first_free(sheet, row, &targets, fields))
            }
            LookupResult::Many(candidates) => {
                let shown: Vec<String> =
                    candidates.iter().take(4).map(|(_, description)| description.clone()).collect();
                let hint = match blank {
                    Some(field) => format!("fill in `{field}`, or add a column `_id` with the one you mean"),
                    None => {
                        String::from("add a column `_id` with the one you mean, or tell them apart with --match-on")
                    }
                };
                let message = format!("several records match: {}", shown.join("; "));
                Err(key_problem(sheet, row, ValueError::new(Code::RecordAmbiguous, message, hint)))
            }
        }
    }

    /// Of records with one key, which `--allow-duplicates` lets in, the one that no other row of the sheet is about
    /// and that needs the fewest changes. `None` if each has its row: the row is about a new one.
    fn first_free(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        candidates: &[RecordRef],
        fields: &[ResolvedField],
    ) -> Option<RecordRef> {
        let entity = sheet.mapping.entity;
        let differences = |id: i64| {
            let record = self.catalog.record(entity.name, id);
            let differs = |given: &&ResolvedField| {
                let field = &entity.fields[given.field];
                let wanted = self.json(entity, given, WriteKind::Update(id));
                let held = record.and_then(|record| record.get(field.name));
                field.update && wanted.is_none_or(|wanted| !diff::holds(field, &wanted, held))
            };
            fields.iter().filter(differs).count()
        };
        let free = candidates.iter().filter_map(|target| match target {
            RecordRef::Known(id) if !self.locks.is_taken((entity.name, *id), (sheet.index, row.number)) => Some(*id),
            RecordRef::Known(_) | RecordRef::Planned(_) => None,
        });
        free.min_by_key(|id| (differences(*id), *id)).map(RecordRef::Known)
    }

    /// Whether nothing in a row says which record it is about.
    pub(super) fn has_no_key(&self, sheet: &SheetPlan<'_>, checked: &CheckedRow, delta: &RowDelta) -> bool {
        let is_given = |given: &ResolvedField| is_key(sheet, given) && given.value != Resolved::Clear;
        checked.id.is_none() && !delta.all().iter().any(is_given)
    }

    pub(super) fn exists(
        &self,
        (sheet, row): (&SheetPlan<'_>, &Row),
        target: RecordRef,
        action: Option<RowAction>,
    ) -> Problem {
        let described = self.catalog.describe(sheet.mapping.entity.name, target);
        let error = ValueError::new(
            Code::RecordExists,
            format!("record already exists: {described}"),
            format!("leave the row out, or {} to update it", to_upsert(action)),
        );
        key_problem(sheet, row, error)
    }

    /// The problem of a row that is about a record which an earlier row creates, with that row's `step`. Nothing can be
    /// sent for a record that has no id yet; once it has one, the row adds to it.
    pub(super) fn duplicate_create(&self, sheet: &SheetPlan<'_>, row: &Row, step: u32) -> Problem {
        let earlier = self.locks.creator(step);
        let earlier = earlier.map(|earlier| self.locks.row_name(earlier, sheet.index));
        let earlier = earlier.as_deref().unwrap_or("an earlier row");
        let entity = sheet.mapping.entity;
        let hint = if entity.is_tagged() || entity.is_person() {
            "merge the two rows, or make them say the same and import the result with --only-failed once the first one is done"
        } else {
            "merge the two rows, make them say the same and import the result with --only-failed once the first one is \
             done, or pass --allow-duplicates if both are meant"
        };
        let message = format!("duplicate; {earlier} creates the same record");
        key_problem(sheet, row, ValueError::new(Code::DuplicateKey, message, hint))
    }

    /// The problem of a row of a backup that would change another record than the deleted one.
    pub(super) fn not_the_deleted(&self, sheet: &SheetPlan<'_>, row: &Row, id: i64) -> Problem {
        let described = self.catalog.describe(sheet.mapping.entity.name, RecordRef::Known(id));
        let error = ValueError::new(
            Code::RecordExists,
            format!("another record than the deleted one has this key: {described} (#{id})"),
            "undo the run that deleted it, or use --mode update to give the other record these values",
        );
        key_problem(sheet, row, error)
    }
}

/// Whether a row holds what a deleted record was, and that was not the one with this id.
pub(super) fn is_backup_of_other(sheet: &SheetPlan<'_>, row: &Row, id: i64) -> bool {
    let Some(column) = sheet.mapping.deleted_id_column() else { return false };
    let deleted = row.cell(column).text.trim();
    !deleted.is_empty() && deleted.parse() != Ok(id)
}

/// What makes a row create or update, as the record needs it. A cell goes before the flag.
pub(super) fn to_upsert(action: Option<RowAction>) -> &'static str {
    match action {
        Some(_) => "write `upsert` in `_action`",
        None => "use --mode upsert",
    }
}

fn is_key(sheet: &SheetPlan<'_>, given: &ResolvedField) -> bool {
    sheet.match_on.contains(&sheet.mapping.entity.fields[given.field].name)
}

/// Whether a value is the name of a record that the account does not have, so that no record can refer to it.
fn is_new_name(given: &ResolvedField) -> bool {
    matches!(given.value, Resolved::Missing { .. })
}

/// A key field's value as text, if it is one.
fn key_text(entity: &Entity, given: &ResolvedField) -> Option<String> {
    match &given.value {
        Resolved::Value(Json::String(text)) => Some(text.clone()),
        Resolved::Value(other) => Some(other.to_string()),
        Resolved::Option(position) => match entity.fields[given.field].kind {
            Kind::Option(choices) => choices.create.get(*position).map(|text| (*text).to_owned()),
            _ => None,
        },
        _ => None,
    }
}

fn key_value<'t>(
    sheet: &SheetPlan<'_>,
    name: &str,
    fields: &[ResolvedField],
    texts: &'t [(usize, String)],
) -> KeyValue<'t> {
    let Some(index) = sheet.mapping.entity.field_index(name) else { return KeyValue::Missing };
    if let Some((_, text)) = texts.iter().find(|(field, _)| *field == index) {
        return KeyValue::Text(text);
    }
    match fields.iter().find(|given| given.field == index).map(|given| &given.value) {
        Some(Resolved::Record(target, _)) => KeyValue::Reference(*target),
        // The sheet has the column and the cell is empty: only a record without a value there matches.
        _ if sheet.mapping.feeds(name) => KeyValue::Text(""),
        _ => KeyValue::Missing,
    }
}

/// A problem at the first key column.
pub(super) fn key_problem(sheet: &SheetPlan<'_>, row: &Row, error: ValueError) -> Problem {
    let column = sheet.match_on.first().and_then(|name| sheet.mapping.column_of(name));
    let found = column.map_or("", |column| row.cell(column as usize).text);
    error.at(column, found)
}

pub(super) fn no_such_record(sheet: &SheetPlan<'_>, row: &Row, hint: impl Into<Cow<'static, str>>) -> Problem {
    let message = format!("record not found in {}", sheet.mapping.entity.name);
    key_problem(sheet, row, ValueError::new(Code::RecordMissing, message, hint))
}

pub(super) fn key_missing(sheet: &SheetPlan<'_>, row: &Row) -> Problem {
    let message = match sheet.match_on.first() {
        Some(name) => format!("missing key; expected a value for `{name}`, or the record's id in a column `_id`"),
        None => String::from("missing key; expected the record's id in a column `_id`"),
    };
    key_problem(sheet, row, ValueError::new(Code::KeyMissing, message, "identify the record, or leave the row out"))
}
