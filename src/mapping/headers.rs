//! Matching header text to fields.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::exported::Exported;
use super::{Binding, Column, Fault, Ids, Ignored, OwnIds, ResultColumn, Stamp, To, Wish, Wishes};
use crate::schema::{self, Entity, Field, Kind, fold_header};
use crate::table::{CellRef, Row};

/// A header this similar to a known word is taken for a misspelling (1.0 is equal).
const MISSPELT: f64 = 0.84;

/// Headers of columns that hold secrets, folded; such a column is never read (project notes on real inputs).
const SECRETS: &[&str] =
    &["password", "passwort", "motdepasse", "initialpassword", "passcode", "pin", "pincode", "puk"];

/// Every header word of an entity, folded, with what it feeds.
#[derive(Debug)]
pub struct Words {
    entity: &'static Entity,
    by_word: HashMap<String, To>,
}

/// A header that is not known.
pub(super) enum Guess {
    Misspelt(String),
    NoSuchField { entity: &'static str, target: String, nearest: Option<String> },
    Unknown,
}

impl Guess {
    pub(super) fn fault(self, header: &str, at: CellRef) -> Fault {
        let header = header.to_owned();
        match self {
            Guess::Misspelt(field) => Fault::Misspelt { header, at, field },
            Guess::NoSuchField { entity, target, nearest } => Fault::NoSuchField { entity, header, target, nearest },
            Guess::Unknown => Fault::Unknown { header, at },
        }
    }
}

impl Words {
    pub fn new(entity: &'static Entity) -> Self {
        let mut words = Words { entity, by_word: HashMap::new() };
        words.learn_names();
        words.learn_synonyms();
        words.learn_related();
        words.learn_our_own();
        words.learn_read_only();
        words
    }

    /// What a header feeds, the user's wishes aside.
    pub fn get(&self, header: &str) -> Option<To> {
        if let Some(name) = custom_name(header) {
            return Some(To::Custom(name.to_owned()));
        }
        // Our own columns begin with an underscore, which folding drops: `_status` is not `status`.
        if let Some(own) = result_column(header) {
            return Some(own);
        }
        let folded = fold_header(header);
        if is_secret(&folded) {
            return Some(To::Ignored(Ignored::Secret));
        }
        self.by_word.get(&folded).cloned()
    }

    fn learn(&mut self, word: &str, to: To) {
        self.by_word.entry(fold_header(word)).or_insert(to);
    }

    fn learn_names(&mut self) {
        for (index, field) in self.sendable() {
            self.learn(field.name, To::Field { field: index, ids: ids_of(field.name, field.name) });
        }
    }

    /// A reference is also named without its `_id`, and with `_name`: exports put `product_name` beside `product_id`.
    fn learn_synonyms(&mut self) {
        for (index, field) in self.sendable() {
            let to = To::Field { field: index, ids: Ids::Marked };
            for word in field.also {
                self.learn(word, to.clone());
            }
            if let (Kind::Reference(_), Some(base)) = (field.kind, field.name.strip_suffix("_id")) {
                self.learn(base, to.clone());
                self.learn(&format!("{base}_name"), to);
            }
        }
    }

    fn learn_related(&mut self) {
        for (index, field) in self.sendable() {
            for related in field.related {
                for word in related.also {
                    self.learn(word, To::Related { field: index, related: related.field });
                }
            }
        }
    }

    fn learn_our_own(&mut self) {
        if self.entity.is_collection() {
            self.learn("id", To::Id(OwnIds::Doubtful));
            Stamp::ALL.into_iter().for_each(|stamp| self.learn(stamp.name(), To::Stamp(stamp)));
        }
    }

    fn learn_read_only(&mut self) {
        let read_only = self.entity.fields.iter().filter(|field| !field.is_written());
        for name in read_only.clone().map(|field| field.name).chain(Stamp::ALL.map(Stamp::name)) {
            self.learn(name, To::Ignored(Ignored::ReadOnly));
        }
        // Exports write the names of what a record refers to beside the ids.
        for field in read_only.filter(|field| field.reference_to().is_some() || !field.names.is_empty()) {
            let base = field.name.strip_suffix("_id").unwrap_or(field.name);
            self.learn(&format!("{base}_name"), To::Ignored(Ignored::ReadOnly));
        }
    }

    fn sendable(&self) -> impl Iterator<Item = (usize, &'static Field)> + use<> {
        self.entity.fields.iter().enumerate().filter(|(_, field)| field.is_written())
    }

    /// The field whose name or synonym is closest to the header, if it is close enough to be a slip.
    fn nearest(&self, header: &str) -> Option<String> {
        let folded = fold_header(header);
        // Short words are close to everything.
        if folded.chars().count() < 4 {
            return None;
        }
        self.by_word
            .iter()
            .filter_map(|(word, to)| {
                self.field_name(to).map(|name| (strsim::normalized_damerau_levenshtein(word, &folded), name))
            })
            .filter(|(similarity, _)| *similarity >= MISSPELT)
            .max_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(one.1)))
            .map(|(_, name)| name.to_owned())
    }

    fn field_name(&self, to: &To) -> Option<&'static str> {
        match to {
            To::Field { field, .. } => Some(self.entity.fields[*field].name),
            _ => None,
        }
    }
}

/// What a header feeds, or a guess at what was meant.
pub(super) fn target(
    words: &Words,
    header: &str,
    exported: Option<&Exported<'_>>,
    wishes: &Wishes,
) -> Result<To, Guess> {
    if let Some(wish) = wish_for(header, wishes) {
        return wished(words, header, wish);
    }
    if let Some(to) = words.get(header) {
        return Ok(to);
    }
    let is_there = |field: &String| exported.is_some_and(|exported| exported.has_own_column(words.entity, field));
    match words.nearest(header).filter(|field| !is_there(field)) {
        Some(field) => Err(Guess::Misspelt(field)),
        None if wishes.strict => Err(Guess::Unknown),
        None => Ok(To::Ignored(Ignored::Unknown)),
    }
}

pub(super) fn wish_for<'w>(header: &str, wishes: &'w Wishes) -> Option<&'w Wish> {
    let folded = fold_header(header);
    let exact = wishes.map.iter().find(|wish| wish.header.trim() == header.trim());
    exact.or_else(|| wishes.map.iter().find(|wish| fold_header(&wish.header) == folded))
}

fn wished(words: &Words, header: &str, wish: &Wish) -> Result<To, Guess> {
    let target = wish.target.trim();
    if target.is_empty() {
        // Whoever wants a column of passwords ignored does not want it copied into journal and result either.
        let why = if is_secret(&fold_header(header)) { Ignored::Secret } else { Ignored::Asked };
        return Ok(To::Ignored(why));
    }
    if let Some(name) = custom_name(target) {
        return Ok(To::Custom(name.to_owned()));
    }
    match target {
        "_id" | "id" => return Ok(To::Id(said_ids(wish))),
        "_action" => return Ok(To::Action),
        _ => {}
    }
    if let Some(stamp) = Stamp::ALL.into_iter().find(|stamp| stamp.name() == target) {
        return Ok(To::Stamp(stamp));
    }
    if let Some((field, related)) = target.split_once('.')
        && let Some(to) = related_target(words.entity, field, related)
    {
        return Ok(to);
    }
    match words.by_word.get(&fold_header(target)) {
        Some(To::Field { field, .. }) => {
            let field_name = words.entity.fields[*field].name;
            Ok(To::Field { field: *field, ids: ids_of(field_name, &wish.header) })
        }
        Some(to @ To::Related { .. }) => Ok(to.clone()),
        _ => Err(Guess::NoSuchField {
            entity: words.entity.name,
            target: target.to_owned(),
            nearest: words.nearest(target),
        }),
    }
}

/// Only a column headed by a reference's own name, such as `product_id`, holds bare ids.
fn ids_of(field: &str, header: &str) -> Ids {
    let is_own_name = field.ends_with("_id") && fold_header(header) == fold_header(field);
    if is_own_name { Ids::Bare } else { Ids::Marked }
}

/// `product_id.category_id`: a field of the record a reference names.
fn related_target(entity: &'static Entity, field: &str, related: &str) -> Option<To> {
    let index = entity.field_index(field)?;
    let known = entity.fields[index].related.iter().find(|known| known.field == related)?;
    Some(To::Related { field: index, related: known.field })
}

/// The wishes from the command line whose header is not there.
pub(super) fn unmet_wishes(header: &Row, wishes: &Wishes) -> Vec<Fault> {
    let headers: Vec<String> = header.cells().map(|cell| fold_header(cell.text)).collect();
    wishes
        .map
        .iter()
        .filter(|wish| wish.binding == Binding::Strict && !headers.contains(&fold_header(&wish.header)))
        .map(|wish| Fault::NoSuchHeader { header: wish.header.clone() })
        .collect()
}

/// Two columns that feed one field: a name beside an id is fine, the field's own name outranks a synonym, all else
/// is the user's to settle.
pub(super) fn settle_rivals(entity: &'static Entity, row: u64, columns: &mut [Column], wishes: &Wishes) -> Vec<Fault> {
    let mut faults = Vec::new();
    for later in 1..columns.len() {
        for earlier in 0..later {
            let Some(fed) = fed_by_both(entity, &columns[earlier].to, &columns[later].to) else { continue };
            let [first, second] = [earlier, later].map(|at| rank(&columns[at], fed, wishes));
            match first.cmp(&second) {
                Ordering::Greater => columns[later].to = To::Ignored(Ignored::Outranked),
                Ordering::Less => columns[earlier].to = To::Ignored(Ignored::Outranked),
                Ordering::Equal => faults.push(Fault::Twice {
                    first: columns[earlier].header.clone(),
                    second: columns[later].header.clone(),
                    at: CellRef { row, column: columns[later].index as u32 },
                    field: fed.to_owned(),
                }),
            }
        }
    }
    faults
}

/// The field, own or custom, that two columns both feed.
fn fed_by_both<'t>(entity: &'static Entity, one: &'t To, other: &To) -> Option<&'t str>
where
    'static: 't,
{
    match (one, other) {
        (To::Field { field, ids }, To::Field { field: rival, ids: rival_ids }) if field == rival => {
            let field = &entity.fields[*field];
            let is_name_beside_id = matches!(field.kind, Kind::Reference(_)) && ids != rival_ids;
            (!is_name_beside_id).then_some(field.name)
        }
        (To::Custom(name), To::Custom(rival)) if name == rival => Some(name),
        (To::Id(own), To::Id(rival)) if own == rival => Some("_id"),
        (To::Action, To::Action) => Some("_action"),
        _ => None,
    }
}

/// How strongly a column claims a field: the user's word before the field's own name before a synonym.
fn rank(column: &Column, field: &str, wishes: &Wishes) -> u8 {
    match wish_for(&column.header, wishes) {
        Some(_) => 2,
        None => u8::from(column.header == field || is_own_name(column, field)),
    }
}

/// Whether a column mapped to the id holds this account's ids. A saved mapping repeats what was told from the header;
/// only the command line is somebody's word.
fn said_ids(wish: &Wish) -> OwnIds {
    match wish.binding {
        Binding::Strict => OwnIds::Certain,
        Binding::Loose if wish.header.trim() == "_id" => OwnIds::Certain,
        Binding::Loose => OwnIds::Doubtful,
    }
}

/// A column that describes a referenced record stands in for the reference where nothing else names it: a checkout
/// sheet that says only `email` still names the employee.
pub(super) fn promote_finders(entity: &'static Entity, columns: &mut [Column]) {
    for position in 0..columns.len() {
        let To::Related { field, related } = columns[position].to else { continue };
        let named = columns.iter().any(|column| matches!(column.to, To::Field { field: fed, .. } if fed == field));
        if !named && finds(&entity.fields[field], related) {
            columns[position].to = To::Field { field, ids: Ids::Marked };
        }
    }
}

fn finds(field: &Field, related: &str) -> bool {
    let referenced = field.reference_to().and_then(|reference| schema::collection(reference.to));
    let known = field.related.iter().find(|known| known.field == related);
    referenced.zip(known).is_some_and(|(referenced, known)| known.finds(referenced))
}

/// Our own columns begin with an underscore, which folding drops: `id` is not `_id`, as a result has both.
fn is_own_name(column: &Column, name: &str) -> bool {
    !name.starts_with('_') && fold_header(&column.header) == fold_header(name)
}

/// The name in `custom:NAME`.
fn custom_name(header: &str) -> Option<&str> {
    let (prefix, name) = header.trim().split_once(':')?;
    let name = name.trim();
    (prefix.trim().eq_ignore_ascii_case("custom") && !name.is_empty()).then_some(name)
}

fn result_column(header: &str) -> Option<To> {
    match header.trim().to_ascii_lowercase().as_str() {
        "_id" => Some(To::Id(OwnIds::Certain)),
        "_action" => Some(To::Action),
        "_status" => Some(To::Result(ResultColumn::Status)),
        "_message" => Some(To::Result(ResultColumn::Message)),
        // Of a record that is gone: see the backup of a delete.
        "_deleted_id" => Some(To::Ignored(Ignored::ReadOnly)),
        _ => None,
    }
}

fn is_secret(folded: &str) -> bool {
    SECRETS.contains(&folded) || folded.ends_with("password") || folded.ends_with("passwort")
}
