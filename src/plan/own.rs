//! The record that a row's id names, where the row is surely about it.
//!
//! An `id` column stands in the exports of any system, and another system's `12` must not overwrite our `#12`. So an id
//! counts where the user or an earlier result vouches for it, where the row says when the record was made and that is
//! true to the millisecond, or where its key says nothing else than the record does. Such a row is compared with its
//! record cell by cell: what it shows as the record holds it has not been edited ([`super::held`]).

use super::moment::Moment;
use super::{diff, held};
use crate::api::custom_fields;
use crate::catalog::{Catalog, Record};
use crate::check::{CheckedRow, Code, GivenId, ValueError};
use crate::mapping::{Column, Mapping, OwnIds, Stamp, To};
use crate::plan::resolver::ResolvedField;
use crate::table::Row;

/// A row's own record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own<'c> {
    pub(super) id: GivenId,
    pub(super) record: &'c Record,
    /// When the record was last changed before the sheet was exported. None where the row does not say, or says it of
    /// another system's record.
    pub(super) version: Option<Moment>,
}

/// What a row's moments say of the record of its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Birth {
    Same,
    NotTold,
    Another,
}

impl<'c> Own<'c> {
    /// The record of the row's id; none where the account lacks it, or where the row may be about another system's.
    /// `agrees` says whether the row's key is the record's.
    pub(super) fn of(
        mapping: &Mapping,
        row: &Row,
        checked: &CheckedRow,
        catalog: &'c Catalog,
        agrees: impl FnOnce(&Record) -> bool,
    ) -> Option<Self> {
        let id = checked.id?;
        let record = catalog.record(mapping.entity.name, id.number)?;
        let birth = birth(mapping, row, record);
        if id.own == OwnIds::Doubtful && birth != Birth::Same && !agrees(record) {
            return None;
        }
        let version = shown(mapping, row, Stamp::Updated).filter(|_| birth != Birth::Another);
        Some(Self { id, record, version })
    }

    /// When the service changed the record after the sheet was exported, if it did.
    pub(super) fn changed_since(&self) -> Option<Moment> {
        let changed = Moment::held(self.record.get(Stamp::Updated.name()))?;
        self.version.filter(|version| changed.is_after(*version)).map(|_| changed)
    }

    /// The references that some cell shows as the record holds them.
    pub(super) fn shown_references(&self, mapping: &Mapping, row: &Row, catalog: &Catalog) -> Vec<usize> {
        let reference = |column: &Column| match column.to {
            To::Field { field, .. } => mapping.entity.fields[field].reference_to().map(|_| field),
            _ => None,
        };
        let shown = mapping.columns.iter().filter_map(|column| Some((reference(column)?, column.index as u32)));
        shown.filter(|(_, column)| self.shows(mapping, row, *column, catalog)).map(|(field, _)| field).collect()
    }

    /// Whether a cell shows what the record holds in the field, or custom field, that its column feeds.
    pub(super) fn shows(&self, mapping: &Mapping, row: &Row, column: u32, catalog: &Catalog) -> bool {
        let cell = row.cell(column as usize);
        let Some(known) = mapping.columns.iter().find(|known| known.index == column as usize) else { return false };
        match &known.to {
            To::Field { field, ids } => {
                let field = &mapping.entity.fields[*field];
                let held = self.record.get(field.name);
                held::shows(cell, (field, *ids), held, catalog)
            }
            To::Custom(name) => self.shows_custom(cell, name),
            // What the service says of a referred record, under the name that it came by: it is never written.
            To::Related { .. } => self.record.contains_key(known.header.as_str()),
            _ => false,
        }
    }

    fn shows_custom(&self, cell: crate::table::Cell<'_>, name: &str) -> bool {
        let Some(fields) = self.record.get("custom_fields") else { return false };
        let pairs = custom_fields(fields);
        let held = diff::position_of(name, &pairs).map(|position| &pairs[position].1);
        !cell.is_blank() && held.is_some_and(|held| held::is_same_text(cell.text, held))
    }
}

/// Whether a record was changed after a moment, as far as it is known.
pub(super) fn changed_after(record: &Record, moment: Moment) -> bool {
    Moment::held(record.get(Stamp::Updated.name())).is_some_and(|changed| changed.is_after(moment))
}

/// Says that a name is taken for an old one.
pub(super) fn note_old_name(note: &mut String, header: Option<&str>, name: &str, called: &str) {
    let header = header.unwrap_or_default();
    add_note(
        note,
        &format!(
            "`{header}` changes nothing: `{name}` seems to be what `{called}` was called when the sheet was exported"
        ),
    );
}

/// Says that an id is taken for an old one.
pub(super) fn note_id_left_behind(note: &mut String, header: &str) {
    add_note(note, &format!("`{header}` changes nothing: the name beside it is what the record holds by now"));
}

fn add_note(note: &mut String, more: &str) {
    if !note.is_empty() {
        note.push_str("; ");
    }
    note.push_str(more);
}

/// A name that the account lacks, beside an id that it has.
pub(super) fn unknown_name_beside_id(collection: &str, name: &str, told_by_id: &str, id: i64) -> ValueError {
    ValueError::new(
        Code::NameNotFound,
        format!("`{name}` not found in {collection}; the id beside it is {told_by_id} (#{id})"),
        format!(
            "write that name if it was renamed since the export, or correct it; for a new record empty the id beside it \
             and pass --create-missing={collection}"
        ),
    )
}

/// When a row says that its record was made, against when it was.
fn birth(mapping: &Mapping, row: &Row, record: &Record) -> Birth {
    let told = |stamp: Stamp| Some((shown(mapping, row, stamp)?, Moment::held(record.get(stamp.name()))?));
    match (told(Stamp::Created), told(Stamp::Updated)) {
        (Some((shown, held)), _) if shown.is_same(held) => Birth::Same,
        (Some(_), _) => Birth::Another,
        (None, Some((shown, held))) if shown.is_same(held) => Birth::Same,
        (None, _) => Birth::NotTold,
    }
}

fn shown(mapping: &Mapping, row: &Row, stamp: Stamp) -> Option<Moment> {
    Moment::shown(row.cell(mapping.stamp_column(stamp)? as usize))
}

/// A row's values, told apart by what its record holds.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What is to be written, as far as it differs.
    pub(super) edited: Vec<ResolvedField>,
    /// What the record holds already.
    pub(super) as_held: Vec<ResolvedField>,
    /// The references that some cell shows as the record holds them, found in the account or not.
    pub(super) shown: Vec<usize>,
}

impl Told {
    /// A row that is about no record, or about one that only its key names.
    pub(super) fn all_new(fields: Vec<ResolvedField>) -> Self {
        Self { edited: fields, ..Self::default() }
    }

    /// Every value of the row, each field once: what is edited goes before what stands beside it.
    pub(super) fn all(&self) -> Vec<ResolvedField> {
        let mut all = self.edited.clone();
        for held in &self.as_held {
            if !all.iter().any(|given| given.field == held.field) {
                all.push(held.clone());
            }
        }
        all
    }
}
