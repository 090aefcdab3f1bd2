//! Further records of a row: records of other collections (`[also.COLLECTION]`), and who holds the record
//! (`assigned_to`).
//!
//! Each kind of them is mapped like a sheet of its own whose columns are all derived, so that everything that follows
//! treats its records like rows. A row that says nothing of such a record makes none.

use jiff::civil::Date;

use super::derived::{DerivedValue, ResolvedRule, RuleResolver};
use super::rule::{FieldRule, FurtherRecords, RuleOrigin, RuleSource, TextFormats};
use super::{
    Column, ColumnTarget, HeaderAliases, Ids, Ignored, Mapping, MappingError, MappingOverride, MappingOverrides,
    MappingRuleError, MappingSource, SkippedRows,
};
use crate::schema::{ASSIGNED_TO, Entity, Field};
use crate::table::Row;

/// Where the records of a mapping come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum RecordOrigin {
    /// Every row is one.
    #[default]
    Rows,
    /// Rows describe them beside their own record; many rows may describe the same one.
    Described,
    /// Rows say who holds their own record, which is what the action moves.
    Assignment,
}

impl RecordOrigin {
    pub(crate) fn is_further(self) -> bool {
        self != RecordOrigin::Rows
    }
}

/// Moves what says who holds a record from an entity's rules to rules of the action that checks it out. `today` is the
/// day of the check-out where a row says none.
pub(crate) fn split_assignment(
    entity: &'static Entity,
    map: &mut Vec<MappingOverride>,
    rules: &mut Vec<FieldRule>,
    today: Date,
) -> Option<FurtherRecords> {
    let action = entity.assigned_by()?;
    let is_assignment = |target: &str| assignment_field(entity, action, target).is_some();
    let (mut moved, rest): (Vec<FieldRule>, Vec<FieldRule>) =
        std::mem::take(rules).into_iter().partition(|rule| is_assignment(&rule.target));
    *rules = rest;
    let (plain, rest): (Vec<MappingOverride>, Vec<MappingOverride>) =
        std::mem::take(map).into_iter().partition(|entry| is_assignment(&entry.target));
    *map = rest;
    moved.extend(plain.into_iter().map(plain_rule));
    // What weighs more comes first; of equal weight, rules before plain lines.
    moved.sort_by_key(|rule| std::cmp::Reverse(rule.origin.source.weight()));
    for rule in &mut moved {
        if let Some(field) = assignment_field(entity, action, &rule.target) {
            rule.target = field;
        }
    }
    let origin = moved.first()?.origin.clone();
    Some(FurtherRecords { entity: action, rules: moved, origin, day: Some(today) })
}

/// Whether a target says who holds an entity's records, or when they got them.
pub(crate) fn is_assignment(entity: &'static Entity, target: &str) -> bool {
    entity.assigned_by().is_some_and(|action| assignment_field(entity, action, target).is_some())
}

/// The field of the check-out that a target of the entity means: `employee_id` for `assigned_to`, `employee_id.email` for
/// `assigned_to.email`, `checkout_date` for itself.
fn assignment_field(entity: &Entity, action: &'static Entity, target: &str) -> Option<String> {
    let target = target.trim();
    let holder = action.holders().next()?;
    let is_item = |name: &str| action.item().is_some_and(|(item, _)| item.name == name);
    match target.strip_prefix(ASSIGNED_TO) {
        Some("") => Some(holder.name.to_owned()),
        Some(rest) => rest.strip_prefix('.').map(|field| format!("{}.{field}", holder.name)),
        None => {
            let is_own = entity.field(target).is_some_and(Field::is_written) || is_item(target);
            let field =
                action.field(target).filter(|field| !is_own && !action.holders().any(|it| it.name == field.name));
            field.map(|field| field.name.to_owned())
        }
    }
}

/// The name of a check-out's field among those of what it moves: the reverse of [`assignment_field`].
pub(super) fn shown_assignment(action: &Entity, field: &str) -> String {
    let holder = action.holders().next().map_or("", |holder| holder.name);
    match field.strip_prefix(holder) {
        Some(rest) if rest.is_empty() || rest.starts_with('.') => format!("{ASSIGNED_TO}{rest}"),
        _ => field.to_owned(),
    }
}

/// Tells the columns that nothing uses and that seem to say who holds the records.
pub(super) fn tell_holders(entity: &'static Entity, columns: &mut [Column]) {
    let Some(action) = entity.assigned_by() else { return };
    let unknown = ColumnTarget::Ignored(Ignored::Unknown);
    if columns.iter().all(|column| column.target != unknown) {
        return;
    }
    let aliases = HeaderAliases::of(action);
    let is_holder = |field: usize| action.holders().any(|holder| holder.name == action.fields[field].name);
    for column in columns.iter_mut().filter(|column| column.target == unknown) {
        let target = aliases.get(&column.header);
        if matches!(target, Some(ColumnTarget::Field { field, .. }) if is_holder(field)) {
            column.target = ColumnTarget::Ignored(Ignored::Holder);
        }
    }
}

fn plain_rule(entry: MappingOverride) -> FieldRule {
    let place = match entry.source {
        MappingSource::CommandLine => super::map_flag(&entry.header, &entry.target),
        _ => format!("`{}` = `{}`", entry.header, entry.target),
    };
    let source =
        RuleSource::of_flag(&entry.header).unwrap_or_else(|| RuleSource::Column(entry.header.trim().to_owned()));
    let origin = RuleOrigin { source: entry.source, place };
    FieldRule { source: Some(source), ..FieldRule::new(entry.target.trim(), origin) }
}

/// The mappings of the further records that the columns of a sheet can make. Errors are added to `errors`.
pub(super) fn mappings(
    header: &Row,
    overrides: &MappingOverrides,
    skips: &[SkippedRows],
    errors: &mut Vec<MappingError>,
) -> Vec<Mapping> {
    let mapped = overrides.further.iter().filter_map(|records| mapping(records, header, skips, errors));
    mapped.map(|mapping| Mapping { formats: overrides.formats.clone(), ..mapping }).collect()
}

fn mapping(
    records: &FurtherRecords,
    header: &Row,
    skips: &[SkippedRows],
    errors: &mut Vec<MappingError>,
) -> Option<Mapping> {
    let entity = records.entity;
    let aliases = HeaderAliases::of(entity);
    let overrides = MappingOverrides { rules: records.rules.clone(), ..MappingOverrides::default() };
    let resolver = RuleResolver::new(aliases, entity, header, &overrides);
    let mut found = Vec::new();
    let rules = resolver.resolve(&mut found);
    let columns = header.cells().enumerate().filter(|(_, cell)| !cell.is_blank()).map(|(index, cell)| Column {
        index,
        header: cell.text.trim().to_owned(),
        target: ColumnTarget::Ignored(Ignored::Source),
        source: MappingSource::Schema,
    });
    let origin = if entity.is_action() { RecordOrigin::Assignment } else { RecordOrigin::Described };
    let mut mapping = Mapping {
        entity,
        origin,
        header_row: header.number,
        width: header.len(),
        columns: columns.collect(),
        derived: Vec::new(),
        skips: skips.to_vec(),
        formats: TextFormats::default(),
        absent: Vec::new(),
        further: Vec::new(),
        repeats_custom_fields: false,
    };
    for rule in rules {
        found.extend(mapping.add_rule(rule, header.len()).map(MappingError::from));
    }
    if let Some(today) = records.day {
        found.extend(mapping.set_day(today, header.len()).map(MappingError::from));
    }
    mapping.find_repeated_custom_fields();
    let is_missing = found.is_empty() && !mapping.describes_something();
    errors.extend(found.into_iter().map(|error| match error {
        MappingError::Rule(error) if origin == RecordOrigin::Assignment => error.of_assignment(entity).into(),
        error => error,
    }));
    if is_missing && records.origin.source != MappingSource::Preset {
        let (place, name) = (records.origin.place.clone(), entity.name);
        errors.push(
            MappingRuleError::SaysNoRecord { place, entity: name, field: mapping.identifying().to_owned() }.into(),
        );
    }
    (!is_missing).then_some(mapping)
}

impl Mapping {
    /// Sets the day of check-outs whose row says none.
    fn set_day(&mut self, today: Date, width: usize) -> Option<MappingRuleError> {
        let day = self.entity.action_date()?.name;
        let column = self.column_of(day).map(|column| column as usize);
        if let Some(derived) = self.derived.iter_mut().find(|derived| Some(derived.column) == column) {
            derived.default.get_or_insert_with(|| DerivedValue::text(&today.to_string()));
            return None;
        }
        let origin = RuleOrigin { source: MappingSource::Schema, place: String::from("today") };
        let rule = FieldRule { default: Some(today.to_string().into()), ..FieldRule::new(day, origin) };
        let target = ColumnTarget::Field { field: self.entity.field_index(day)?, ids: Ids::Marked };
        self.add_rule(ResolvedRule::new(target, rule), width)
    }

    /// Whether a column of the sheet can say which further record a row describes.
    fn describes_something(&self) -> bool {
        let has_source =
            |column: u32| self.derived_at(column as usize).is_some_and(|it| !it.source.columns().is_empty());
        self.identifying_columns().any(has_source)
    }

    /// The columns without which a row says nothing of a further record.
    pub(crate) fn identifying_columns(&self) -> impl Iterator<Item = u32> + '_ {
        let holders = self.entity.holders().map(|field| field.name);
        let keys = self.entity.key.iter().copied();
        holders.chain(keys).filter_map(|field| self.column_of(field))
    }

    fn identifying(&self) -> &'static str {
        match self.origin {
            RecordOrigin::Assignment => ASSIGNED_TO,
            RecordOrigin::Rows | RecordOrigin::Described => self.entity.key.first().copied().unwrap_or("name"),
        }
    }

    /// The field that the row's own record fills: what a check-out moves.
    pub(crate) fn linked_field(&self) -> Option<usize> {
        let item = self.entity.item().filter(|_| self.origin == RecordOrigin::Assignment);
        item.and_then(|(field, _)| self.entity.field_index(field.name))
    }

    /// What a mapping calls a field of the records: `assigned_to`, `employees.name`.
    pub(crate) fn shown_target(&self, target: &str) -> String {
        match self.origin {
            RecordOrigin::Rows => target.to_owned(),
            RecordOrigin::Described => format!("{}.{target}", self.entity.name),
            RecordOrigin::Assignment => shown_assignment(self.entity, target),
        }
    }

    /// Whether rules read the column.
    pub(super) fn reads(&self, column: usize) -> bool {
        self.derived.iter().any(|derived| derived.source.columns().contains(&column))
    }
}
