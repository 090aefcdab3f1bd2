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

use std::collections::{BTreeMap, HashMap, HashSet};

use super::resolver::is_id;
use crate::catalog::Catalog;
use crate::check::{Aliases, CheckedRow, ParsedValue, RowAction, text};
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
    collections: BTreeMap<&'static str, CollectionNames>,
}

/// The names of one collection.
#[derive(Debug, Clone, Default)]
struct CollectionNames {
    /// As rows say them.
    typed: HashMap<Box<str>, Cells>,
    /// Those in whose place another name counts, with that name.
    renamed: HashMap<Box<str>, (Box<str>, Cells)>,
    /// The names of records that sheets of the input write.
    own: HashSet<Box<str>>,
    is_full: bool,
}

/// Where a row says a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a column that refers to a record.
    Referred,
    /// In a column from which such a record is made, beside the row's own.
    Described,
}

/// The cells that hold a name.
#[derive(Debug, Clone, Copy, Default)]
struct Cells {
    referred: u64,
    described: u64,
}

impl Cells {
    fn of(place: Place) -> Self {
        let mut cells = Self::default();
        cells.add(place);
        cells
    }

    fn add(&mut self, place: Place) {
        match place {
            Place::Referred => self.referred += 1,
            Place::Described => self.described += 1,
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
    /// Counts the names that a row says. `row` is the row as it counts, with decisions applied.
    pub(crate) fn observe(&mut self, mapping: &Mapping, row: &Row, checked: &CheckedRow) {
        if matches!(checked.action, Some(RowAction::Skip | RowAction::Delete)) {
            return;
        }
        let named = checked.values.iter().filter_map(|given| match given.value {
            ParsedValue::Name(ids) => Some((given.column, ids)),
            // The name of a record that the row describes beside its own.
            ParsedValue::Text => Some((given.column, Ids::Marked)),
            _ => None,
        });
        let related = checked.related.iter().map(|related| (related.column, Ids::Marked));
        for (column, ids) in named.chain(related) {
            let target = mapping.columns.iter().find(|known| known.index == column as usize);
            let Some(collection) = target.and_then(|known| mapping.named_collection(known)) else { continue };
            let name = text::trimmed(row.cell(column as usize).text);
            if is_covered(collection) && !is_id(name, ids) && !name.contains('@') {
                let renamed = checked.renamed.iter().find(|cell| cell.column == column);
                let place = if collection == mapping.entity.name { Place::Described } else { Place::Referred };
                self.add(collection, name, renamed.map(|cell| &*cell.from), place);
            }
        }
        if mapping.origin == RecordOrigin::Rows {
            self.observe_own(mapping, row);
        }
    }

    fn add(&mut self, collection: &'static str, name: &str, from: Option<&str>, place: Place) {
        let names = self.collections.entry(collection).or_default();
        match from {
            None => names.add(name, place),
            Some(from) => match names.renamed.get_mut(from) {
                Some((_, cells)) => cells.add(place),
                None => drop(names.renamed.insert(from.into(), (name.into(), Cells::of(place)))),
            },
        }
    }

    /// A record that the row itself writes is there for others to name.
    fn observe_own(&mut self, mapping: &Mapping, row: &Row) {
        let entity = mapping.entity;
        if !is_covered(entity.name) {
            return;
        }
        let column = entity.naming_field().and_then(|field| mapping.column_of(field.name));
        let name = column.map_or("", |column| text::trimmed(row.cell(column as usize).text));
        let own = &mut self.collections.entry(entity.name).or_default().own;
        if !name.is_empty() && name.len() <= LONGEST_NAME && own.len() < MOST_NAMES && !own.contains(name) {
            own.insert(without_invisible(name).as_ref().into());
        }
    }

    /// The names that look alike, among themselves and with those of the account where it is known.
    pub(crate) fn report(&self, account: Option<&Catalog>, aliases: &Aliases) -> LookAlikes {
        let mut report = LookAlikes::default();
        for (collection, names) in &self.collections {
            let Some(entity) = schema::collection(collection).filter(|_| names.is_named()) else { continue };
            let known: Vec<(i64, &str)> = account.into_iter().flat_map(|account| account.names(entity.name)).collect();
            report.groups.extend(find_groups(entity, names.candidates(&known, entity, aliases)));
            report.aliased.extend(names.aliased(collection));
            if names.is_full {
                report.limited.push((*collection).to_owned());
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
        for (collection, names) in &self.collections {
            let said = || account.names(collection).map(|(_, name)| name).chain(names.said());
            let mut renamed: Vec<(&str, &str)> =
                names.renamed.iter().map(|(name, (other, _))| (&**name, &**other)).collect();
            renamed.sort_unstable();
            let is_said: HashSet<String> = match renamed.is_empty() {
                true => HashSet::new(),
                false => said().map(|name| fold_name(name).into_owned()).collect(),
            };
            for (name, use_instead) in renamed {
                if is_id(use_instead, Ids::Marked) || is_said.contains(fold_name(use_instead).as_ref()) {
                    continue;
                }
                let place = aliases.find(collection, name).map(|decision| decision.place.clone()).unwrap_or_default();
                let (name, use_instead) = (name.to_owned(), use_instead.to_owned());
                let nearest = nearest(&use_instead, said());
                return Err(UnknownAlias { collection, name, use_instead, place, nearest });
            }
        }
        Ok(())
    }
}

impl CollectionNames {
    fn add(&mut self, name: &str, place: Place) {
        if let Some(cells) = self.typed.get_mut(name) {
            cells.add(place);
        } else if self.typed.len() == MOST_NAMES {
            self.is_full = true;
        } else if !name.is_empty() && name.len() <= LONGEST_NAME {
            self.typed.insert(name.into(), Cells::of(place));
        }
    }

    /// Whether a row names one of its records.
    fn is_named(&self) -> bool {
        !self.typed.is_empty() || !self.renamed.is_empty()
    }

    /// The names that the input says by itself.
    fn said(&self) -> impl Iterator<Item = &str> {
        self.typed.keys().chain(&self.own).map(|name| &**name)
    }

    fn aliased<'a>(&'a self, collection: &'a str) -> impl Iterator<Item = AliasedName> {
        let mut aliased: Vec<AliasedName> = (self.renamed.iter())
            .map(|(name, (use_instead, cells))| AliasedName {
                collection: collection.to_owned(),
                name: (**name).to_owned(),
                use_instead: (**use_instead).to_owned(),
                rows: cells.rows(),
            })
            .collect();
        aliased.sort_by(|one, other| one.name.cmp(&other.name));
        aliased.into_iter()
    }

    /// The names to compare, one for each record that they would be. Without any that still has to become a record there
    /// is nothing to decide.
    fn candidates(&self, known: &[(i64, &str)], entity: &'static Entity, aliases: &Aliases) -> Vec<Candidate> {
        let settled: HashSet<&str> = aliases.settled(entity.name).collect();
        let renamed = self.renamed.values().map(|(name, cells)| (name, *cells));
        let all = self.typed.iter().map(|(name, cells)| (name, *cells)).chain(renamed);
        let mut said: Vec<(&str, u64)> = all.map(|(name, cells)| (&**name, cells.rows())).collect();
        said.sort_unstable();
        let mut candidates: BTreeMap<String, Candidate> = BTreeMap::new();
        for (name, rows) in said {
            let clean = without_invisible(name);
            let candidate = candidates.entry(fold_name(name).into_owned()).or_default();
            candidate.say(&clean, rows);
        }
        let mut add_known = |name: &str, record: Option<i64>| {
            candidates.entry(fold_name(name).into_owned()).or_default().know(name, record);
        };
        known.iter().for_each(|(id, name)| add_known(name, Some(*id)));
        let mut own: Vec<&str> = self.own.iter().map(|name| &**name).collect();
        own.sort_unstable();
        own.into_iter().for_each(|name| add_known(name, None));
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
