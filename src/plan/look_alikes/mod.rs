//! Look-alike names: spellings that may mean one record, shown before each of them becomes a record of its own.
//!
//! Rows name records of other collections; [`NameTally`] counts these names, and [`NameTally::report`] groups those that
//! look alike, among themselves and with the names of the account. Nothing is merged: the user decides, and the decisions
//! are [`Aliases`](crate::check::Aliases).
//!
//! ```text
//! keys          the keys of a name: names with a key in common look alike
//! legal_forms   `Inc.`, `GmbH & Co. KG`
//! groups        names with a common key, and which of them is suggested
//! report        the groups as reports show and journals keep them
//! ```

mod groups;
mod keys;
mod legal_forms;
mod report;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};
use indexmap::map::Entry;
use indexmap::{IndexMap, IndexSet};

use super::resolver::is_id;
use crate::catalog::Catalog;
use crate::check::{Aliases, CheckedRow, RowAction, TextId, text};
use crate::error::Diagnostic;
use crate::mapping::{Ids, Mapping, RecordOrigin};
use crate::schema::{self, Entity, fold_name};
use crate::table::Row;
use crate::unicode::without_invisible;
use groups::{Candidate, find_groups};
pub use report::{AliasedName, LookAlikeGroup, LookAlikeName, LookAlikes};

/// The most different names of a collection that are compared: a column with more does not hold names.
const MOST_NAMES: usize = 20_000;

/// The most groups that are kept.
const MOST_GROUPS: usize = 1_000;

/// Longer texts are no names.
const LONGEST_NAME: usize = 200;

/// The names by which rows refer to records, counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct NameTally {
    /// By position among the sheets of the run; none of a sheet without rows so far.
    sheets: Vec<Option<SheetNames>>,
}

/// The names of one sheet.
#[derive(Debug, Clone)]
struct SheetNames {
    columns: Vec<NameColumn>,
    /// The sheet's own records, which it writes.
    own: Option<OwnNames>,
}

/// The names that a column says.
#[derive(Debug, Clone)]
struct NameColumn {
    /// From 0.
    column: u32,
    collection: &'static str,
    place: Place,
    /// As in the cells, with white space around them, in the order in which they first occur.
    typed: IndexMap<Box<str>, u64, DefaultHashBuilder>,
    /// For each slot, the remembered text that was counted last, and where in `typed` it is; empty before the first.
    positions: Vec<Option<(TextId, u32)>>,
    /// Those in whose place another name counts, with that name.
    renamed: HashMap<Box<str>, (Box<str>, u64)>,
    /// Whether there are more names than are kept.
    is_full: bool,
}

/// What the records of a sheet are called, where others may name them.
#[derive(Debug, Clone)]
struct OwnNames {
    column: usize,
    collection: &'static str,
    names: IndexSet<Box<str>, DefaultHashBuilder>,
}

/// Where a row says a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a column that refers to a record.
    Referred,
    /// In a column from which such a record is made, beside the row's own.
    Described,
}

/// The names of one collection, from all columns.
#[derive(Debug, Default)]
struct CollectionNames<'t> {
    typed: BTreeMap<&'t str, Cells>,
    /// Those in whose place another name counts, with that name.
    renamed: BTreeMap<&'t str, (&'t str, Cells)>,
    /// The names of records that sheets of the input write.
    own: BTreeSet<&'t str>,
    is_full: bool,
}

/// How many cells hold a name.
#[derive(Debug, Clone, Copy, Default)]
struct Cells {
    referred: u64,
    described: u64,
}

impl Cells {
    fn add(&mut self, place: Place, count: u64) {
        match place {
            Place::Referred => self.referred += count,
            Place::Described => self.described += count,
        }
    }

    /// A row that describes a record mostly refers to it, too.
    fn rows(self) -> u64 {
        self.referred.max(self.described)
    }
}

/// A decision for a name that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: `{name}` in {collection} is to be `{use_instead}`, which is neither in the account nor in the file")]
pub(crate) struct UnknownAlias {
    collection: &'static str,
    name: String,
    use_instead: String,
    place: String,
    nearest: Option<String>,
}

impl Diagnostic for UnknownAlias {
    fn hint(&self) -> Option<String> {
        let create = format!("create it first, for example in a {} sheet", self.collection);
        Some(match &self.nearest {
            Some(nearest) => format!("did you mean `{nearest}`? Or {create}"),
            None => format!("use a name that is there, or {create}"),
        })
    }
}

impl NameTally {
    /// Counts the names that a row of a sheet says. `row` is the row as it counts, with decisions applied.
    pub(crate) fn observe(&mut self, sheet: usize, mapping: &Mapping, row: &Row, checked: &CheckedRow) {
        if matches!(checked.action, Some(RowAction::Skip | RowAction::Delete)) {
            return;
        }
        if self.sheets.len() <= sheet {
            self.sheets.resize_with(sheet + 1, || None);
        }
        self.sheets[sheet].get_or_insert_with(|| SheetNames::new(mapping)).observe(row, checked);
    }

    /// Adds what was counted of the rows that follow. The same comes out as if they had been counted here, as long as they
    /// have no more names than are kept.
    pub(crate) fn merge(&mut self, other: NameTally) {
        let sheets = self.sheets.len().max(other.sheets.len());
        self.sheets.resize_with(sheets, || None);
        for (sheet, other) in self.sheets.iter_mut().zip(other.sheets) {
            match (sheet, other) {
                (Some(sheet), Some(other)) => sheet.merge(other),
                (sheet @ None, other) => *sheet = other,
                (Some(_), None) => {}
            }
        }
    }

    /// The names of every collection that is referred to, in alphabetical order.
    fn collections(&self) -> BTreeMap<&'static str, CollectionNames<'_>> {
        let mut collections: BTreeMap<&'static str, CollectionNames<'_>> = BTreeMap::new();
        for column in self.sheets.iter().flatten().flat_map(|sheet| &sheet.columns) {
            collections.entry(column.collection).or_default().take(column);
        }
        for own in self.sheets.iter().flatten().filter_map(|sheet| sheet.own.as_ref()) {
            if let Some(names) = collections.get_mut(own.collection) {
                names.own.extend(own.names.iter().map(|name| &**name));
            }
        }
        collections.retain(|_, names| !names.typed.is_empty() || !names.renamed.is_empty());
        collections
    }

    /// The names that look alike, among themselves and with those of the account where it is known.
    pub(crate) fn report(&self, account: Option<&Catalog>, aliases: &Aliases) -> LookAlikes {
        let mut report = LookAlikes::default();
        for (collection, names) in self.collections() {
            let Some(entity) = schema::collection(collection) else { continue };
            let known: Vec<(i64, &str)> = account.into_iter().flat_map(|account| account.names(entity.name)).collect();
            report.groups.extend(find_groups(entity, names.candidates(&known, entity, aliases)));
            report.aliased.extend(names.aliased(collection));
            if names.is_full {
                report.limited.push(collection.to_owned());
            }
        }
        report.hidden = report.groups.len().saturating_sub(MOST_GROUPS) as u64;
        report.groups.truncate(MOST_GROUPS);
        report
    }

    /// Finds a decision in use for a name that is neither in the account nor said by the input itself.
    ///
    /// # Errors
    /// With the first of them.
    pub(crate) fn validate_aliases(&self, account: &Catalog, aliases: &Aliases) -> Result<(), UnknownAlias> {
        for (collection, names) in self.collections().into_iter().filter(|(_, names)| !names.renamed.is_empty()) {
            let said = || account.names(collection).map(|(_, name)| name).chain(names.said());
            let is_said: HashSet<String> = said().map(|name| fold_name(name).into_owned()).collect();
            for (name, (use_instead, _)) in &names.renamed {
                let folded = fold_name(use_instead);
                let is_itself = fold_name(name) == folded;
                if is_itself || is_id(use_instead, Ids::Marked) || is_said.contains(folded.as_ref()) {
                    continue;
                }
                let place = aliases.find(collection, name).map(|decision| decision.place.clone()).unwrap_or_default();
                let (name, use_instead) = ((*name).to_owned(), (*use_instead).to_owned());
                let nearest = nearest(&use_instead, said());
                return Err(UnknownAlias { collection, name, use_instead, place, nearest });
            }
        }
        Ok(())
    }
}

impl SheetNames {
    fn new(mapping: &Mapping) -> Self {
        let columns = mapping.columns.iter().filter_map(|column| {
            let collection = mapping.named_collection(column).filter(|collection| is_covered(collection))?;
            let is_own = mapping.origin == RecordOrigin::Described && collection == mapping.entity.name;
            let place = if is_own { Place::Described } else { Place::Referred };
            Some(NameColumn::new(column.index as u32, collection, place))
        });
        let naming = mapping.entity.naming_field().and_then(|field| mapping.column_of(field.name));
        let is_listed = mapping.origin == RecordOrigin::Rows && is_covered(mapping.entity.name);
        let own = naming.filter(|_| is_listed).map(|column| OwnNames {
            column: column as usize,
            collection: mapping.entity.name,
            names: IndexSet::default(),
        });
        Self { columns: columns.collect(), own }
    }

    fn merge(&mut self, other: SheetNames) {
        for (column, other) in self.columns.iter_mut().zip(other.columns) {
            column.is_full |= other.is_full;
            for (name, count) in other.typed {
                column.add_typed(name, count);
            }
            for (name, (use_instead, count)) in other.renamed {
                column.renamed.entry(name).or_insert((use_instead, 0)).1 += count;
            }
        }
        if let (Some(own), Some(other)) = (&mut self.own, other.own) {
            other.names.into_iter().for_each(|name| own.add(&name));
        }
    }

    fn observe(&mut self, row: &Row, checked: &CheckedRow) {
        let mut recurring = checked.recurring.iter().peekable();
        for names in &mut self.columns {
            // Both are in the order of the columns.
            while recurring.next_if(|cell| cell.column < names.column).is_some() {}
            let id = recurring.next_if(|cell| cell.column == names.column).map(|cell| cell.text);
            // Millions of rows say few names: what was a name once is one again.
            if checked.renamed.is_empty() && id.is_some_and(|id| names.count_known(id)) {
                continue;
            }
            let text = row.cell(names.column as usize).text;
            if checked.renamed.is_empty() && names.count_again(text, id) {
                continue;
            }
            let Some(ids) = checked.names_record(names.column) else { continue };
            let name = text::trimmed(text);
            if !name.is_empty() && !is_id(name, ids) && !name.contains('@') {
                let renamed = checked.renamed.iter().find(|cell| cell.column == names.column);
                names.add(text, renamed.map(|cell| &*cell.from));
            }
        }
        if let Some(own) = &mut self.own {
            own.add(text::trimmed(row.cell(own.column).text));
        }
    }
}

impl NameColumn {
    fn new(column: u32, collection: &'static str, place: Place) -> Self {
        let (typed, positions, renamed) = (IndexMap::default(), Vec::new(), HashMap::new());
        Self { column, collection, place, typed, positions, renamed, is_full: false }
    }

    /// Counts a cell whose text has been counted with this id.
    fn count_known(&mut self, id: TextId) -> bool {
        match self.positions.get(id.slot()) {
            Some(Some((known, position))) if *known == id => {
                self.typed[*position as usize] += 1;
                true
            }
            _ => false,
        }
    }

    /// Counts a cell whose text is a name that is known already.
    fn count_again(&mut self, text: &str, id: Option<TextId>) -> bool {
        if text.is_empty() {
            return false;
        }
        let Some(position) = self.typed.get_index_of(text) else { return false };
        self.typed[position] += 1;
        if let Some(id) = id {
            self.positions.resize(TextId::SLOTS, None);
            self.positions[id.slot()] = Some((id, position as u32));
        }
        true
    }

    /// Counts a name; `from` is what the row says, if that is another name.
    fn add(&mut self, name: &str, from: Option<&str>) {
        if let Some(from) = from {
            match self.renamed.get_mut(from) {
                Some((_, count)) => *count += 1,
                None => drop(self.renamed.insert(from.into(), (name.into(), 1))),
            }
        } else if !self.count_again(name, None) && name.len() <= LONGEST_NAME {
            self.add_typed(name.into(), 1);
        }
    }

    /// Adds cells with a name, the first of which comes behind all so far.
    fn add_typed(&mut self, name: Box<str>, cells: u64) {
        let has_room = self.typed.len() < MOST_NAMES;
        match self.typed.entry(name) {
            Entry::Occupied(mut count) => *count.get_mut() += cells,
            Entry::Vacant(count) if has_room => *count.insert(0) += cells,
            Entry::Vacant(_) => self.is_full = true,
        }
    }
}

impl OwnNames {
    fn add(&mut self, name: &str) {
        let is_new = !name.is_empty() && name.len() <= LONGEST_NAME && !self.names.contains(name);
        if is_new && self.names.len() < MOST_NAMES {
            self.names.insert(name.into());
        }
    }
}

impl<'t> CollectionNames<'t> {
    fn take(&mut self, column: &'t NameColumn) {
        for (name, count) in &column.typed {
            self.typed.entry(text::trimmed(name)).or_default().add(column.place, *count);
        }
        for (name, (use_instead, count)) in &column.renamed {
            self.renamed.entry(name).or_insert((use_instead, Cells::default())).1.add(column.place, *count);
        }
        self.is_full |= column.is_full;
    }

    /// The names that the input says by itself.
    fn said(&self) -> impl Iterator<Item = &'t str> {
        self.typed.keys().chain(&self.own).copied()
    }

    fn aliased(&self, collection: &str) -> Vec<AliasedName> {
        let aliased = self.renamed.iter().map(|(name, (use_instead, cells))| AliasedName {
            collection: collection.to_owned(),
            name: (*name).to_owned(),
            use_instead: (*use_instead).to_owned(),
            rows: cells.rows(),
        });
        aliased.collect()
    }

    /// The names to compare, one for each record that they would be. Without any that still has to become a record there
    /// is nothing to decide.
    fn candidates(&self, known: &[(i64, &str)], entity: &'static Entity, aliases: &Aliases) -> Vec<Candidate> {
        let settled: HashSet<&str> = aliases.settled(entity.name).collect();
        let said = self.typed.iter().map(|(name, cells)| (*name, *cells));
        let said = said.chain(self.renamed.values().map(|(name, cells)| (*name, *cells)));
        let mut candidates: BTreeMap<String, Candidate> = BTreeMap::new();
        for (name, cells) in said {
            let candidate = candidates.entry(fold_name(name).into_owned()).or_default();
            candidate.say(&without_invisible(name), cells.rows());
        }
        let mut add_known = |name: &str, record: Option<i64>| {
            candidates.entry(fold_name(name).into_owned()).or_default().know(name, record);
        };
        known.iter().for_each(|(id, name)| add_known(name, Some(*id)));
        self.own.iter().for_each(|name| add_known(name, None));
        if candidates.values().all(|candidate| candidate.is_known) {
            return Vec::new();
        }
        let open = candidates.into_iter().filter(|(folded, _)| !settled.contains(folded.as_str()));
        open.map(|(folded, candidate)| candidate.folded_as(folded)).collect()
    }
}

/// Whether look-alike names of the collection are looked for. A tag is no name: `LAP-1` and `LAP1` are two laptops.
fn is_covered(collection: &str) -> bool {
    let entity = schema::collection(collection);
    entity.is_some_and(|entity| entity.is_collection() && !entity.is_tagged())
}

fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    crate::catalog::nearest_names(name, names, 1).first().map(|name| (*name).to_owned())
}
