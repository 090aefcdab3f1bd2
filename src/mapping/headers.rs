//! Matches header text to fields.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use super::exported::ExportedSheet;
use super::{
    Column, ColumnTarget, IdOwnership, Ids, Ignored, MappingError, MappingOverride, MappingOverrides, MappingSource,
    ResultColumn, TimestampColumn, misspelt,
};
use crate::schema::{self, Entity, Field, HeaderText, Kind, Meaning, fold_header, is_secret_header};
use crate::table::{CellRef, Row};

/// What is longer, in bytes, is no header, whatever its words are.
const LONGEST_READ: usize = 1_000;

/// All known headers of an entity, folded, with their targets.
#[derive(Debug)]
pub(crate) struct HeaderAliases {
    entity: &'static Entity,
    by_alias: HashMap<String, ColumnTarget>,
}

/// What a header says, whatever its sheet contains.
enum HeaderReading {
    /// It is no word for a field.
    Target(ColumnTarget),
    Words {
        text: HeaderText,
        /// The word before a currency without brackets: `Cost in EUR`.
        before_currency: Option<String>,
    },
    TooLong,
}

thread_local! {
    /// What was read, because the same few texts are compared with the words of every entity.
    static READINGS: RefCell<HashMap<String, Rc<HeaderReading>>> = RefCell::default();
}

/// The readings that are remembered.
const MOST_READINGS: usize = 1_024;

impl HeaderReading {
    fn of(header: &str) -> Rc<Self> {
        if let Some(known) = READINGS.with_borrow(|readings| readings.get(header).cloned()) {
            return known;
        }
        let reading = Rc::new(Self::new(header));
        READINGS.with_borrow_mut(|readings| {
            if readings.len() < MOST_READINGS && !matches!(*reading, Self::TooLong) {
                readings.insert(header.to_owned(), Rc::clone(&reading));
            }
        });
        reading
    }

    fn new(header: &str) -> Self {
        if is_secret_header(&header[..header.floor_char_boundary(LONGEST_READ)]) {
            return Self::Target(ColumnTarget::Ignored(Ignored::Secret));
        }
        if header.len() > LONGEST_READ {
            return Self::TooLong;
        }
        if let Some(name) = custom_name(header) {
            return Self::Target(ColumnTarget::Custom(name.to_owned()));
        }
        // Our own columns begin with an underscore, which folding drops: `_status` is not `status`.
        if let Some(own) = result_column(header) {
            return Self::Target(own);
        }
        let before_currency = HeaderText::with_currency_behind(header).map(|text| text.word);
        Self::Words { text: HeaderText::parse(header), before_currency }
    }
}

/// A header that could not be mapped.
pub(super) enum UnknownHeader {
    Misspelt(String),
    Qualified {
        field: String,
        qualifier: String,
    },
    NoSuchField {
        entity: &'static str,
        target: String,
        nearest: Option<String>,
    },
    /// How many, of an action that moves all.
    Quantity {
        opposite: &'static str,
    },
    Secret,
    Unknown,
}

impl UnknownHeader {
    pub(super) fn is_secret(&self) -> bool {
        matches!(self, UnknownHeader::Secret)
    }

    /// Whether leaving the column out changes nothing of what the others say.
    pub(super) fn can_be_left_out(&self) -> bool {
        !matches!(self, UnknownHeader::Secret | UnknownHeader::Quantity { .. })
    }

    pub(super) fn into_error(self, header: &str, at: CellRef) -> MappingError {
        let header = header.to_owned();
        match self {
            UnknownHeader::Misspelt(field) => MappingError::Misspelt { header, at, field },
            UnknownHeader::Qualified { field, qualifier } => MappingError::Qualified { header, at, field, qualifier },
            UnknownHeader::NoSuchField { entity, target, nearest } => {
                MappingError::NoSuchField { entity, header, target, nearest }
            }
            UnknownHeader::Quantity { opposite } => MappingError::Quantity { header, at, opposite },
            UnknownHeader::Secret => MappingError::Secret { header, at },
            UnknownHeader::Unknown => MappingError::Unknown { header, at },
        }
    }
}

impl HeaderAliases {
    /// The words of an entity, which are put together once: what a sheet contains is told by comparing it with every entity.
    pub(crate) fn of(entity: &'static Entity) -> &'static Self {
        static KNOWN: Mutex<BTreeMap<&'static str, &'static HeaderAliases>> = Mutex::new(BTreeMap::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(entity.name).or_insert_with(|| Box::leak(Box::new(Self::new(entity))))
    }

    fn new(entity: &'static Entity) -> Self {
        let mut aliases = HeaderAliases { entity, by_alias: HashMap::new() };
        aliases.add_names();
        aliases.add_synonyms();
        aliases.add_related();
        aliases.add_our_own();
        aliases.add_read_only();
        aliases
    }

    /// The target of a header, without the user's overrides, whatever its brackets say.
    pub(crate) fn get(&self, header: &str) -> Option<ColumnTarget> {
        self.find(header).map(|(target, _)| target)
    }

    /// Whether a header feeds a field, or names the record.
    pub(crate) fn feeds(&self, header: &str) -> bool {
        !matches!(self.get(header), None | Some(ColumnTarget::Ignored(_) | ColumnTarget::Timestamp(_)))
    }

    /// The target of a header, and the qualifier that makes it doubtful, if it has one.
    fn find(&self, header: &str) -> Option<(ColumnTarget, Option<String>)> {
        let reading = HeaderReading::of(header);
        let (text, before_currency) = match &*reading {
            HeaderReading::Target(target) => return Some((target.clone(), None)),
            HeaderReading::Words { text, before_currency } => (text, before_currency),
            HeaderReading::TooLong => return None,
        };
        let one_word = text.qualifier.as_ref().and_then(|_| self.by_alias.get(&text.letters));
        if let Some(target) = one_word {
            return Some((target.clone(), None));
        }
        if let Some(target) = self.by_alias.get(&text.word) {
            let is_doubtful = match target_field(self.entity, target) {
                Some(field) => !text.fits(field),
                None => !matches!(target, ColumnTarget::Ignored(_)),
            };
            return Some((target.clone(), text.qualifier.clone().filter(|_| is_doubtful)));
        }
        let target = self.by_alias.get(before_currency.as_ref()?)?;
        target_field(self.entity, target).filter(|field| field.kind == Kind::Money).map(|_| (target.clone(), None))
    }

    fn add(&mut self, word: &str, to: ColumnTarget) {
        self.by_alias.entry(fold_header(word)).or_insert(to);
    }

    fn add_names(&mut self) {
        for (index, field) in self.sendable() {
            self.add(field.name, ColumnTarget::Field { field: index, ids: ids_of(field.name, field.name) });
        }
    }

    /// A reference is also known without `_id`, and with `_name`: exports put `product_name` next to `product_id`.
    fn add_synonyms(&mut self) {
        for (index, field) in self.sendable() {
            let to = ColumnTarget::Field { field: index, ids: Ids::Marked };
            for word in field.also {
                self.add(word, to.clone());
            }
            if let (Kind::Reference(_), Some(base)) = (field.kind, field.name.strip_suffix("_id")) {
                self.add(base, to.clone());
                self.add(&format!("{base}_name"), to);
            }
        }
    }

    fn add_related(&mut self) {
        for (index, field) in self.sendable() {
            for related in field.related {
                for word in related.also {
                    self.add(word, ColumnTarget::Related { field: index, related: related.field });
                }
            }
        }
    }

    fn add_our_own(&mut self) {
        if self.entity.is_collection() {
            self.add("id", ColumnTarget::Id(IdOwnership::Unverified));
            TimestampColumn::ALL.into_iter().for_each(|stamp| self.add(stamp.name(), ColumnTarget::Timestamp(stamp)));
        }
    }

    fn add_read_only(&mut self) {
        let read_only = self.entity.fields.iter().filter(|field| !field.is_written());
        for name in read_only.clone().map(|field| field.name).chain(TimestampColumn::ALL.map(TimestampColumn::name)) {
            self.add(name, ColumnTarget::Ignored(Ignored::ReadOnly));
        }
        // Exports write the names of referenced records next to the ids.
        for field in read_only.filter(|field| field.reference_to().is_some() || !field.names.is_empty()) {
            let base = field.name.strip_suffix("_id").unwrap_or(field.name);
            self.add(&format!("{base}_name"), ColumnTarget::Ignored(Ignored::ReadOnly));
        }
    }

    fn sendable(&self) -> impl Iterator<Item = (usize, &'static Field)> + use<> {
        self.entity.fields.iter().enumerate().filter(|(_, field)| field.is_written())
    }

    /// The field whose name or alias is closest to the header, if it is close enough to be a typo.
    pub(super) fn nearest(&self, header: &str) -> Option<String> {
        let folded = fold_header(header);
        // Short words are similar to everything.
        if folded.chars().count() < 4 {
            return None;
        }
        self.by_alias
            .iter()
            .filter_map(|(word, to)| Some((misspelt::similarity(word, &folded)?, self.field_name(to)?)))
            .max_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(one.1)))
            .map(|(_, name)| name.to_owned())
    }

    /// What a header of quantities is, if the entity moves only whole check-outs.
    fn quantity(&self, header: &str) -> Option<UnknownHeader> {
        let quantity = self.entity.whole_quantity()?;
        let words: Vec<String> = quantity.also.iter().copied().chain([quantity.name]).map(fold_header).collect();
        let says_how_many = |text: &str| words.contains(&fold_header(text));
        // `Qty returned` is one, too.
        let mut parts = header.split(|char: char| !char.is_alphanumeric()).chain([header]);
        let opposite = self.entity.opposite()?.name;
        parts.any(says_how_many).then_some(UnknownHeader::Quantity { opposite })
    }

    fn field_name(&self, to: &ColumnTarget) -> Option<&'static str> {
        match to {
            ColumnTarget::Field { field, .. } => Some(self.entity.fields[*field].name),
            _ => None,
        }
    }
}

/// The field that a column feeds, be it one of the record that it names.
pub(super) fn target_field(entity: &'static Entity, target: &ColumnTarget) -> Option<&'static Field> {
    match target {
        ColumnTarget::Field { field, .. } => Some(&entity.fields[*field]),
        ColumnTarget::Related { field, related } => {
            schema::collection(entity.fields[*field].reference_to()?.to)?.field(related)
        }
        _ => None,
    }
}

/// Whether the cells of a column are system ids even without `#`. A column of tags is not: `8.0` is one tag and `8` another.
pub(crate) fn holds_system_ids(entity: &'static Entity, target: &ColumnTarget) -> bool {
    let ColumnTarget::Field { field, ids: Ids::Bare } = target else { return false };
    let referenced = entity.fields[*field].reference_to().and_then(|reference| schema::collection(reference.to));
    referenced.is_some_and(|collection| collection.meaning(Meaning::Tag).is_none())
}

/// What a target is called in `--map`.
pub(super) fn target_text(entity: &Entity, to: &ColumnTarget) -> Option<String> {
    match to {
        ColumnTarget::Field { field, .. } => Some(entity.fields[*field].name.to_owned()),
        ColumnTarget::Related { field, related } => Some(format!("{}.{related}", entity.fields[*field].name)),
        ColumnTarget::Custom(name) => Some(format!("custom:{name}")),
        ColumnTarget::Id(_) => Some(String::from("_id")),
        ColumnTarget::Action => Some(String::from("_action")),
        ColumnTarget::Timestamp(stamp) => Some(stamp.name().to_owned()),
        ColumnTarget::Result(_) | ColumnTarget::Ignored(_) => None,
    }
}

/// The target of a header and what decided it, or the error with the most likely field.
pub(super) fn target(
    aliases: &HeaderAliases,
    header: &str,
    exported: Option<&ExportedSheet<'_>>,
    overrides: &MappingOverrides,
) -> Result<(ColumnTarget, MappingSource), UnknownHeader> {
    if let Some(entry) = override_for(header, overrides) {
        if !entry.target.trim().is_empty() && is_secret_header(header) {
            return Err(UnknownHeader::Secret);
        }
        return Ok((apply_override(aliases, header, entry)?, entry.source));
    }
    let is_there = |field: &str| exported.is_some_and(|exported| exported.has_own_column(aliases.entity, field));
    let found = match aliases.find(header) {
        Some((target, None)) => return Ok((target, MappingSource::Schema)),
        Some((target, Some(qualifier))) => {
            let field = target_text(aliases.entity, &target).unwrap_or_default();
            (!is_there(&field)).then_some(UnknownHeader::Qualified { field, qualifier })
        }
        None => aliases
            .quantity(header)
            .or_else(|| aliases.nearest(header).filter(|field| !is_there(field)).map(UnknownHeader::Misspelt)),
    };
    match found {
        Some(unknown) => Err(unknown),
        None if overrides.strict => Err(UnknownHeader::Unknown),
        None => Ok((ColumnTarget::Ignored(Ignored::Unknown), MappingSource::Schema)),
    }
}

pub(super) fn override_for<'w>(header: &str, overrides: &'w MappingOverrides) -> Option<&'w MappingOverride> {
    let exact = overrides.map.iter().find(|entry| entry.header.trim() == header.trim());
    exact.or_else(|| {
        let keys = header_keys(header);
        // Folded, the `_id` of our results is the `ID` of another tool.
        let is_own = |header: &str| result_column(header).is_some();
        let is_alike = |entry: &&MappingOverride, key: &String| {
            HeaderText::parse(&entry.header).whole == *key && is_own(&entry.header) == is_own(header)
        };
        keys.iter().find_map(|key| overrides.map.iter().find(|entry| is_alike(entry, key)))
    })
}

/// Flags that say different things of one column.
pub(super) fn contradictions(aliases: &HeaderAliases, header: &Row, overrides: &MappingOverrides) -> Vec<MappingError> {
    let is_flag = |entry: &&MappingOverride| entry.source == MappingSource::CommandLine;
    let texts: Vec<&str> = header.cells().map(|cell| cell.text.trim()).filter(|text| !text.is_empty()).collect();
    let contradiction = |text: &&str| {
        let first = override_for(text, overrides).filter(is_flag)?;
        let whole = HeaderText::parse(&first.header).whole;
        // One that is spelled like another column means that one.
        let is_meant = |entry: &&MappingOverride| {
            let wanted = entry.header.trim();
            wanted == first.header.trim() || (HeaderText::parse(wanted).whole == whole && !texts.contains(&wanted))
        };
        let target = |entry: &MappingOverride| apply_override(aliases, text, entry).ok();
        let mut rivals = overrides.map.iter().filter(is_flag).filter(is_meant);
        let second = rivals.find(|entry| target(entry) != target(first))?;
        Some(MappingError::Contradiction { first: flag_text(first), second: flag_text(second) })
    };
    texts.iter().filter_map(contradiction).collect()
}

/// As it was typed, or could have been.
fn flag_text(entry: &MappingOverride) -> String {
    match entry.target.trim() {
        "" => format!("--ignore '{}'", entry.header),
        target => format!("--map '{}={target}'", entry.header),
    }
}

/// What `--map` and mapping files may call a header, folded: all it says, or all but its currency.
pub(crate) fn header_keys(header: &str) -> Vec<String> {
    let text = HeaderText::parse(header);
    let has_currency = text.has_currency();
    let mut keys = vec![text.whole];
    if has_currency && !keys.contains(&text.word) {
        keys.push(text.word);
    }
    keys
}

/// The header that most resembles a field's name or one of its other words; a long text resembles none.
pub(super) fn likeliest<'h>(field: &str, headers: &'h [String]) -> Option<&'h str> {
    const LONGEST: usize = 200;
    let named = schema::importable().flat_map(|entity| entity.fields).filter(|known| known.name == field);
    let words = named.flat_map(|known| known.also.iter().copied()).chain([field]);
    let wanted: Vec<String> = words.map(fold_header).collect();
    let alikeness = |header: &str| {
        let folded = fold_header(header);
        wanted.iter().map(|word| strsim::jaro_winkler(&folded, word)).fold(0.0, f64::max)
    };
    let short = headers.iter().rev().filter(|header| header.len() <= LONGEST);
    let alike = short.map(|header| (alikeness(header), header));
    let best = alike.max_by(|one, other| one.0.total_cmp(&other.0));
    best.map(|(_, header)| header.as_str())
}

pub(super) fn apply_override(
    aliases: &HeaderAliases,
    header: &str,
    entry: &MappingOverride,
) -> Result<ColumnTarget, UnknownHeader> {
    let target = entry.target.trim();
    if target.is_empty() {
        // A password column that the user ignores must not be copied to journal and result either.
        let why = if is_secret_header(header) { Ignored::Secret } else { Ignored::OnRequest };
        return Ok(ColumnTarget::Ignored(why));
    }
    if let Some(name) = custom_name(target) {
        return Ok(ColumnTarget::Custom(name.to_owned()));
    }
    match target {
        "_id" | "id" => return Ok(ColumnTarget::Id(override_id_ownership(entry))),
        "_action" => return Ok(ColumnTarget::Action),
        _ => {}
    }
    if let Some(stamp) = TimestampColumn::ALL.into_iter().find(|stamp| stamp.name() == target) {
        return Ok(ColumnTarget::Timestamp(stamp));
    }
    if let Some((field, related)) = target.split_once('.')
        && let Some(to) = related_target(aliases.entity, field, related)
    {
        return Ok(to);
    }
    match aliases.by_alias.get(&fold_header(target)) {
        Some(ColumnTarget::Field { field, .. }) => {
            let field_name = aliases.entity.fields[*field].name;
            Ok(ColumnTarget::Field { field: *field, ids: ids_of(field_name, &entry.header) })
        }
        Some(to @ ColumnTarget::Related { .. }) => Ok(to.clone()),
        _ => Err(aliases.quantity(target).unwrap_or_else(|| UnknownHeader::NoSuchField {
            entity: aliases.entity.name,
            target: target.to_owned(),
            nearest: aliases.nearest(target),
        })),
    }
}

/// What a value for `field` feeds that is read like one below `header`: a field by name or header word, a field of a
/// referenced record, or a custom field. None if the entity has no such field.
pub(crate) fn value_target(aliases: &HeaderAliases, header: &str, field: &str) -> Option<ColumnTarget> {
    let entry =
        MappingOverride { header: header.to_owned(), target: field.to_owned(), source: MappingSource::CommandLine };
    let target = apply_override(aliases, header, &entry).ok()?;
    let takes_values =
        matches!(target, ColumnTarget::Field { .. } | ColumnTarget::Related { .. } | ColumnTarget::Custom(_));
    takes_values.then_some(target)
}

/// Whether two columns feed the same field, be it by name or by id.
pub(super) fn feeds_same(one: &ColumnTarget, other: &ColumnTarget) -> bool {
    match (one, other) {
        (ColumnTarget::Field { field, .. }, ColumnTarget::Field { field: rival, .. }) => field == rival,
        (ColumnTarget::Ignored(_), _) => false,
        _ => one == other,
    }
}

/// What a header feeds by a plain mapping or the schema, if it is in no doubt.
pub(super) fn plain_target(
    aliases: &HeaderAliases,
    header: &str,
    overrides: &MappingOverrides,
) -> Option<ColumnTarget> {
    target(aliases, header, None, overrides).ok().map(|(target, _)| target)
}

/// Only a column headed by a reference's own name, such as `product_id`, contains bare ids.
fn ids_of(field: &str, header: &str) -> Ids {
    let is_own_name = field.ends_with("_id") && fold_header(header) == fold_header(field);
    if is_own_name { Ids::Bare } else { Ids::Marked }
}

/// `product_id.category_id`: a field of the record a reference names.
fn related_target(entity: &'static Entity, field: &str, related: &str) -> Option<ColumnTarget> {
    let index = entity.field_index(field)?;
    let field = &entity.fields[index];
    if let Some(known) = field.related.iter().find(|known| known.field == related) {
        return Some(ColumnTarget::Related { field: index, related: known.field });
    }
    // Any other field of the record can be said, too: it is there where the record is made.
    let referenced = schema::collection(field.reference_to()?.to)?;
    let known = referenced.created_fields().find(|known| known.name == related)?;
    Some(ColumnTarget::Related { field: index, related: known.name })
}

/// Overrides from the command line whose header does not exist.
pub(super) fn missing_headers(header: &Row, overrides: &MappingOverrides) -> Vec<MappingError> {
    let headers: Vec<String> = header.cells().flat_map(|cell| header_keys(cell.text)).collect();
    overrides
        .map
        .iter()
        .filter(|entry| entry.source == MappingSource::CommandLine)
        .filter(|entry| !headers.contains(&HeaderText::parse(&entry.header).whole))
        .map(|entry| MappingError::NoSuchHeader { header: entry.header.clone() })
        .collect()
}

/// Resolves columns that feed the same field: a name next to an id is fine, the field's own name takes precedence
/// over an alias, everything else is an error, one for each field.
pub(super) fn resolve_duplicates(
    entity: &'static Entity,
    row: u64,
    columns: &mut [Column],
    overrides: &MappingOverrides,
) -> Vec<MappingError> {
    let mut fed: HashMap<(u8, String), Vec<usize>> = HashMap::new();
    for (position, column) in columns.iter().enumerate() {
        if let Some(key) = fed_key(entity, &column.target) {
            fed.entry(key).or_default().push(position);
        }
    }
    let mut errors = Vec::new();
    for ((_, name), rivals) in fed.into_iter().filter(|(_, rivals)| rivals.len() > 1) {
        let ranks: Vec<u8> = rivals.iter().map(|position| rank(&columns[*position], &name, overrides)).collect();
        let best = ranks.iter().max();
        let (winners, losers): (Vec<_>, Vec<_>) = rivals.iter().zip(&ranks).partition(|(_, rank)| Some(*rank) == best);
        for (position, _) in losers {
            columns[*position].target = ColumnTarget::Ignored(Ignored::Superseded);
        }
        // What a preset's file has beside its own columns is no question.
        if overrides.is_lenient && winners.len() > 1 && best < Some(&2) {
            for (position, _) in winners {
                columns[*position].target = ColumnTarget::Ignored(Ignored::Unknown);
            }
        } else if let [(first, _), (second, _), rest @ ..] = winners.as_slice() {
            errors.push(MappingError::Twice {
                first: columns[**first].header.clone(),
                second: columns[**second].header.clone(),
                more: rest.len(),
                at: CellRef { row, column: columns[**second].index as u32 },
                field: name,
            });
        }
    }
    errors.sort_by_key(|error| match error {
        MappingError::Twice { at, .. } => *at,
        _ => CellRef { row, column: 0 },
    });
    errors
}

/// What a column feeds, such that two columns with the same key are rivals: the name of the field, custom field or own
/// column, and what tells the id of a record from its name.
fn fed_key(entity: &'static Entity, target: &ColumnTarget) -> Option<(u8, String)> {
    match target {
        ColumnTarget::Field { field, ids } => {
            let field = &entity.fields[*field];
            let is_name = matches!(field.kind, Kind::Reference(_)) && *ids == Ids::Marked;
            Some((u8::from(is_name), field.name.to_owned()))
        }
        ColumnTarget::Custom(name) => Some((2, name.clone())),
        ColumnTarget::Id(ownership) => Some((3 + u8::from(*ownership == IdOwnership::Verified), String::from("_id"))),
        ColumnTarget::Action => Some((5, String::from("_action"))),
        _ => None,
    }
}

/// Precedence of a column for a field: the user's override, then the field's own name, then aliases.
fn rank(column: &Column, field: &str, overrides: &MappingOverrides) -> u8 {
    match override_for(&column.header, overrides) {
        Some(_) => 2,
        None => u8::from(column.header == field || is_own_name(column, field)),
    }
}

/// Whether a column mapped to the id contains this account's ids. A saved mapping repeats what the header said; only
/// the command line vouches for the ids.
fn override_id_ownership(entry: &MappingOverride) -> IdOwnership {
    match entry.source {
        MappingSource::CommandLine => IdOwnership::Verified,
        // The command line said so when the mapping was made.
        MappingSource::Remembered if entry.target.trim() == "_id" => IdOwnership::Verified,
        _ if entry.header.trim() == "_id" => IdOwnership::Verified,
        _ => IdOwnership::Unverified,
    }
}

/// Maps a describing column to the reference itself if no other column names it: a check-out sheet with only `email`
/// still names the employee.
pub(super) fn promote_identifying(entity: &'static Entity, columns: &mut [Column]) {
    for position in 0..columns.len() {
        let ColumnTarget::Related { field, related } = columns[position].target else { continue };
        let named = columns
            .iter()
            .any(|column| matches!(column.target, ColumnTarget::Field { field: fed, .. } if fed == field));
        if !named && finds(&entity.fields[field], related) {
            columns[position].target = ColumnTarget::Field { field, ids: Ids::Marked };
        }
    }
}

fn finds(field: &Field, related: &str) -> bool {
    let referenced = field.reference_to().and_then(|reference| schema::collection(reference.to));
    let known = field.related.iter().find(|known| known.field == related);
    referenced.zip(known).is_some_and(|(referenced, known)| known.finds(referenced))
}

/// Our own columns begin with an underscore, which folding drops: `id` is not `_id`, and a result has both.
fn is_own_name(column: &Column, name: &str) -> bool {
    !name.starts_with('_') && fold_header(&column.header) == fold_header(name)
}

/// The name in `custom:NAME`.
fn custom_name(header: &str) -> Option<&str> {
    let (prefix, name) = header.trim().split_once(':')?;
    let name = name.trim();
    (prefix.trim().eq_ignore_ascii_case("custom") && !name.is_empty()).then_some(name)
}

/// The id of a deleted record, in the backup of a delete.
pub(crate) const DELETED_ID: &str = "_deleted_id";

pub(super) fn result_column(header: &str) -> Option<ColumnTarget> {
    match header.trim().to_ascii_lowercase().as_str() {
        "_id" => Some(ColumnTarget::Id(IdOwnership::Verified)),
        "_action" => Some(ColumnTarget::Action),
        "_status" => Some(ColumnTarget::Result(ResultColumn::Status)),
        "_message" => Some(ColumnTarget::Result(ResultColumn::Message)),
        DELETED_ID => Some(ColumnTarget::Ignored(Ignored::ReadOnly)),
        _ => None,
    }
}
