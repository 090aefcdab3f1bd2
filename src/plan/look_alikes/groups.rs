//! Groups names that have a key in common.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::keys::keys;
use super::report::{LookAlikeGroup, LookAlikeName};
use crate::schema::Entity;

/// A name that would be one record, in all spellings that mean the same anyway.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidate {
    folded: String,
    /// Each spelling in rows, and in how many.
    spellings: Vec<(String, u64)>,
    /// The record of the account that has the name, and how it is spelled there.
    record: Option<(i64, String)>,
    /// Whether such a record exists, or a sheet of the input makes it on purpose.
    pub(super) is_known: bool,
    /// As a sheet of the input spells it that writes such a record.
    own: Option<String>,
}

impl Candidate {
    pub(super) fn folded_as(self, folded: String) -> Self {
        Self { folded, ..self }
    }

    /// Counts a spelling in rows.
    pub(super) fn say(&mut self, name: &str, rows: u64) {
        match self.spellings.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += rows,
            None => self.spellings.push((name.to_owned(), rows)),
        }
    }

    /// A record of that name exists in the account, or a sheet writes it.
    pub(super) fn know(&mut self, name: &str, record: Option<i64>) {
        self.is_known = true;
        match record {
            Some(id) if self.record.is_none() => self.record = Some((id, name.to_owned())),
            Some(_) => {}
            None => self.own = Some(name.to_owned()),
        }
    }

    fn rows(&self) -> u64 {
        self.spellings.iter().map(|(_, rows)| rows).sum()
    }

    /// The spelling to suggest: that of the record, or else the commonest, which is rather written in both cases.
    fn best_spelling(&self) -> &str {
        let is_mixed = |name: &str| name.contains(char::is_lowercase) && name.contains(char::is_uppercase);
        let common = self.spellings.iter().max_by_key(|(name, rows)| (*rows, is_mixed(name), Reverse(name.clone())));
        let known = self.record.as_ref().map(|(_, name)| name).or(self.own.as_ref());
        known.or(common.map(|(name, _)| name)).map_or("", String::as_str)
    }

    /// Its lines in a group: the spellings of rows, the commonest first, or the record alone where no row names it.
    fn names(&self) -> impl Iterator<Item = LookAlikeName> {
        let record = self.record.as_ref().map(|(id, _)| *id);
        let mut spellings = self.spellings.clone();
        spellings.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        if spellings.is_empty() {
            spellings.push((self.best_spelling().to_owned(), 0));
        }
        spellings.into_iter().map(move |(name, rows)| LookAlikeName { name, rows, record })
    }
}

/// The groups of two names and more, of which at least one would become a record. Keys are shared transitively.
pub(super) fn find_groups(entity: &'static Entity, candidates: Vec<Candidate>) -> Vec<LookAlikeGroup> {
    let mut links = Links((0..candidates.len()).collect());
    let mut first_with: HashMap<String, usize> = HashMap::new();
    for (index, candidate) in candidates.iter().enumerate() {
        for key in keys(entity, &candidate.folded) {
            match first_with.get(&key) {
                Some(first) => links.join(*first, index),
                None => drop(first_with.insert(key, index)),
            }
        }
    }
    let mut members: BTreeMap<usize, Vec<Candidate>> = BTreeMap::new();
    for (index, candidate) in candidates.into_iter().enumerate() {
        members.entry(links.root(index)).or_default().push(candidate);
    }
    let is_open = |group: &&Vec<Candidate>| group.len() > 1 && group.iter().any(|candidate| !candidate.is_known);
    let groups = members.into_values().filter(|group| is_open(&group));
    let mut groups: Vec<LookAlikeGroup> = groups.map(|group| group_of(entity, group)).collect();
    groups.sort_by(|one, other| other.rows().cmp(&one.rows()).then_with(|| one.suggestion.cmp(&other.suggestion)));
    groups
}

/// The names of a group, the suggested one first.
fn group_of(entity: &Entity, mut members: Vec<Candidate>) -> LookAlikeGroup {
    let rank = |candidate: &Candidate| {
        let shortest = Reverse(candidate.folded.chars().count());
        let id = candidate.record.as_ref().map(|(id, _)| Reverse(*id));
        (candidate.record.is_some(), candidate.is_known, candidate.rows(), shortest, id)
    };
    members.sort_by(|one, other| rank(other).cmp(&rank(one)).then_with(|| one.folded.cmp(&other.folded)));
    LookAlikeGroup {
        collection: entity.name.to_owned(),
        suggestion: members.first().map_or("", Candidate::best_spelling).to_owned(),
        names: members.iter().flat_map(Candidate::names).collect(),
    }
}

/// Disjoint sets: each name's link leads to another one of its group, that of the first to itself.
struct Links(Vec<usize>);

impl Links {
    fn root(&mut self, mut index: usize) -> usize {
        while self.0[index] != index {
            // Halves the path, so that the next walk is shorter.
            self.0[index] = self.0[self.0[index]];
            index = self.0[index];
        }
        index
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[one.max(other)] = one.min(other);
    }
}
