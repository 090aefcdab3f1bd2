//! Derived columns: values that a rule makes from the cells of a row.
//!
//! A derived column stands behind those of the sheet, and is filled before a row is checked. Everything that follows a
//! column to its field works as for columns of the sheet; what is found in it is reported at the cell that it came
//! from. `--default` is the rule that reads no cell.

use super::rule::{self, FieldRule, Otherwise, RuleOrigin, RuleSource, RuleValue, SkipCondition, SkipRule};
use super::template::JoinTemplate;
use super::{
    Column, ColumnTarget, HeaderAliases, Ids, Ignored, Mapping, MappingError, MappingOverride, MappingOverrides,
    MappingRuleError, MappingSource, RecordOrigin, headers, misspelt,
};
use crate::schema::{Entity, Field, HeaderText, Kind, fold_name, is_secret_header};
use crate::table::{Row, Value};

/// A column that a rule fills.
#[derive(Debug, Clone)]
pub(crate) struct DerivedColumn {
    /// Behind those of the sheet; from 0.
    pub column: usize,
    pub source: ValueSource,
    /// Other columns of the sheet that feed the same field. Where one of them has a value, the default does not count.
    pub rivals: Vec<usize>,
    pub values: Vec<MappedValue>,
    /// What becomes of a text that `values` does not list.
    pub otherwise: Unlisted,
    pub default: Option<DerivedValue>,
    /// Whether its cells are system ids.
    pub is_id: bool,
    /// The collection of its records, if a kind of them may stand in place of a name.
    pub kinds_of: Option<&'static Entity>,
    /// The rule with its source as it is in this sheet.
    pub rule: FieldRule,
}

/// The cells that a derived value comes from, by column.
#[derive(Debug, Clone)]
pub(crate) enum ValueSource {
    None,
    FirstOf(Vec<usize>),
    Join(JoinTemplate, Vec<usize>),
    /// The first columns, of that number, are those of which the first filled one counts; the others are joined.
    FirstOrJoin(usize, JoinTemplate, Vec<usize>),
}

/// A value that no cell holds.
#[derive(Debug, Clone)]
pub(crate) struct DerivedValue {
    /// Of a kind, the name of the record to create where the account has none of it.
    pub text: String,
    pub value: Value,
    /// Which kind of record it stands for, if it names none.
    pub record_kind: Option<&'static str>,
}

/// One line of a value map.
#[derive(Debug, Clone)]
pub(crate) struct MappedValue {
    pub from: String,
    /// As texts are compared.
    pub folded: String,
    pub to: DerivedValue,
}

/// As [`Otherwise`].
#[derive(Debug, Clone)]
pub(crate) enum Unlisted {
    Error,
    Keep,
    Value(DerivedValue),
}

/// Rows that are left out, by column.
#[derive(Debug, Clone)]
pub(crate) struct SkippedRows {
    pub columns: Vec<usize>,
    pub condition: SkipCondition,
    pub rule: SkipRule,
}

impl DerivedValue {
    pub(crate) fn text(text: &str) -> Self {
        let value = if text.trim().is_empty() { Value::Blank } else { Value::Text };
        Self { text: text.to_owned(), value, record_kind: None }
    }

    /// What a rule for `field` says; the rule was found to fit.
    fn of_rule(said: &RuleValue, field: Option<&Field>) -> Self {
        let record_kind = said.record_kind.as_ref().and_then(|kind| field?.record_kind(&kind.name));
        Self { record_kind, ..Self::text(&said.text) }
    }
}

impl SkippedRows {
    /// What such a row is, for its `_message`.
    pub(crate) fn text(&self) -> String {
        let headers: Vec<String> = self.rule.headers.iter().map(|header| format!("`{header}`")).collect();
        let is = match &self.condition {
            SkipCondition::Is(texts) => {
                let shown = |text: &String| match text.trim() {
                    "" => String::from("blank"),
                    _ => format!("`{text}`"),
                };
                texts.iter().map(shown).collect::<Vec<String>>().join(" or ")
            }
            SkipCondition::Blank => String::from("blank"),
            SkipCondition::Filled => String::from("filled"),
        };
        let verb = if headers.len() == 1 { "is" } else { "are" };
        format!("left out by the mapping: {} {verb} {is}", headers.join(" and "))
    }
}

impl DerivedColumn {
    /// Whether it is the first filled one of its source's cells, as it is.
    pub(crate) fn only_copies(&self) -> bool {
        let changes = self.rule.invert || self.is_id || !self.rule.strip.is_empty() || !self.values.is_empty();
        matches!(self.source, ValueSource::FirstOf(_)) && !changes && self.rivals.is_empty()
    }

    /// The default, and whether cells may say something else: `any deployable status`, `` `Computers` where blank``.
    pub(super) fn default_text(&self) -> Option<String> {
        let default = self.default.as_ref()?;
        let value = match default.record_kind.zip(self.kinds_of) {
            Some((kind, collection)) => format!("any {kind} {}", collection.singular),
            None => format!("`{}`", default.text),
        };
        let is_only_value = self.source.columns().is_empty() && self.rivals.is_empty();
        Some(if is_only_value { value } else { format!("{value} where blank") })
    }
}

impl ValueSource {
    /// The columns, in the order in which they count.
    pub(crate) fn columns(&self) -> &[usize] {
        match self {
            ValueSource::None => &[],
            ValueSource::FirstOf(columns) | ValueSource::Join(_, columns) | ValueSource::FirstOrJoin(_, _, columns) => {
                columns
            }
        }
    }

    /// The text that the value is, and the columns in it, if `first` is the first filled one and no value by itself.
    pub(crate) fn joined(&self, first: Option<usize>) -> Option<(&JoinTemplate, &[usize])> {
        match self {
            ValueSource::None | ValueSource::FirstOf(_) => None,
            ValueSource::Join(template, columns) => Some((template, columns)),
            ValueSource::FirstOrJoin(count, template, columns) => {
                let (alone, parts) = columns.split_at(*count);
                first.is_some_and(|first| !alone.contains(&first)).then_some((template, parts))
            }
        }
    }
}

/// A rule and the columns that its source names.
pub(super) struct ResolvedRule {
    target: ColumnTarget,
    rule: FieldRule,
    columns: Vec<usize>,
}

/// Finds the columns of rules in a header row.
pub(super) struct RuleResolver<'r> {
    aliases: &'r HeaderAliases,
    entity: &'static Entity,
    header: &'r Row,
    overrides: &'r MappingOverrides,
    /// What rules may call each column that has a header.
    keys: Vec<(usize, Vec<String>)>,
}

impl<'r> RuleResolver<'r> {
    pub(super) fn new(
        aliases: &'r HeaderAliases,
        entity: &'static Entity,
        header: &'r Row,
        overrides: &'r MappingOverrides,
    ) -> Self {
        let headed = header.cells().enumerate().filter(|(_, cell)| !cell.is_blank());
        let keys = headed.map(|(index, cell)| (index, headers::header_keys(cell.text))).collect();
        Self { aliases, entity, header, overrides, keys }
    }
}

impl RuleResolver<'_> {
    /// The rules that concern the entity. Errors are added to `errors`.
    pub(super) fn resolve(&self, errors: &mut Vec<MappingError>) -> Vec<ResolvedRule> {
        let wanted: Vec<FieldRule> = self.rules().filter(|rule| !self.is_overridden(rule)).collect();
        let (merged, unknown) = rule::merge(self.aliases, &wanted);
        for rule in unknown {
            // What flags say may concern another sheet.
            if rule.origin.source != MappingSource::CommandLine || rule.source.is_some() {
                errors.push(MappingRuleError::no_such_field(self.aliases, self.entity, &rule).into());
            }
        }
        errors.extend(rule::rivals(self.aliases, &wanted).map(|(rule, other)| {
            let (place, field, other) = (rule.origin.place.clone(), rule.target.clone(), other.origin.place.clone());
            MappingError::from(MappingRuleError::Twice { place, field, other })
        }));
        let resolved = merged.into_iter().filter_map(|(target, rule)| match self.with_columns(target, rule) {
            Ok(resolved) => Some(resolved),
            Err(found) => {
                errors.extend(found);
                None
            }
        });
        resolved.collect()
    }

    /// Those given, and at last those that the schema knows of. What a preset says of columns that the sheet lacks does
    /// not count.
    fn rules(&self) -> impl Iterator<Item = FieldRule> + '_ {
        let is_idle = |rule: &FieldRule| {
            let reads = |source: &RuleSource| source.headers().iter().any(|header| !self.columns_of(header).is_empty());
            let is_preset = rule.origin.source == MappingSource::Preset && rule.default.is_none();
            is_preset && rule.source.as_ref().is_some_and(|source| !reads(source))
        };
        let given = self.overrides.rules.iter().filter(move |rule| !is_idle(rule));
        given.cloned().chain(self.joined_names())
    }

    /// First and last name, where no column has the whole name.
    fn joined_names(&self) -> Option<FieldRule> {
        let (field, parts) = self.entity.fields.iter().find_map(|field| Some((field, field.joined_from?)))?;
        let has_whole = self.header.cells().any(|cell| {
            matches!(headers::plain_target(self.aliases, cell.text, self.overrides), Some(ColumnTarget::Field { field: fed, .. })
                if self.entity.fields[fed].name == field.name)
        });
        let header_of = |words: &&[&str]| {
            let is_word =
                |text: &str| words.iter().any(|word| HeaderText::parse(text).word == crate::schema::fold_header(word));
            self.header.cells().map(|cell| cell.text.trim()).find(|text| !self.is_ignored(text) && is_word(text))
        };
        let names: Option<Vec<&str>> = parts.iter().map(header_of).collect();
        let names = names.filter(|_| !has_whole)?;
        let template: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
        let origin = RuleOrigin { source: MappingSource::Schema, place: String::from("first and last name") };
        let source = JoinTemplate::parse(&template.join(" ")).ok().map(RuleSource::Join)?;
        Some(FieldRule { source: Some(source), ..FieldRule::new(field.name, origin) })
    }

    /// The parts of a name that another column has whole are known, and not needed.
    pub(super) fn supersede_parts(&self, mapping: &mut Mapping) {
        let parts =
            self.entity.fields.iter().filter(|field| mapping.feeds(field.name)).filter_map(|field| field.joined_from);
        let words: Vec<String> =
            parts.flatten().copied().flatten().map(|word| crate::schema::fold_header(word)).collect();
        for column in
            mapping.columns.iter_mut().filter(|column| column.target == ColumnTarget::Ignored(Ignored::Unknown))
        {
            if words.contains(&HeaderText::parse(&column.header).word) {
                column.target = ColumnTarget::Ignored(Ignored::Superseded);
            }
        }
    }

    fn is_ignored(&self, header: &str) -> bool {
        headers::override_for(header, self.overrides).is_some_and(|entry| entry.target.trim().is_empty())
    }

    /// Whether a plain `Header=field` of more weight feeds the field.
    fn is_overridden(&self, rule: &FieldRule) -> bool {
        let Some(target) = headers::value_target(self.aliases, "", &rule.target) else { return false };
        self.stronger(rule).any(|entry| {
            let fed = headers::apply_override(self.aliases, &entry.header, entry).ok();
            fed.is_some_and(|fed| headers::feeds_same(&fed, &target)) && !self.columns_of(&entry.header).is_empty()
        })
    }

    /// The plain mappings of more weight than the rule.
    fn stronger(&self, rule: &FieldRule) -> impl Iterator<Item = &MappingOverride> {
        let weight = rule.origin.source.weight();
        self.overrides.map.iter().filter(move |entry| entry.source.weight() > weight)
    }

    /// The columns with that header, the exact one first. What a result put in front is another column: `_status` is not `Status`.
    fn columns_of(&self, header: &str) -> Vec<usize> {
        let folded = HeaderText::parse(header).whole;
        let (mut exact, mut alike) = (Vec::new(), Vec::new());
        for (index, keys) in &self.keys {
            let text = self.header.cell(*index).text;
            if text.trim() == header.trim() {
                exact.push(*index);
            } else if keys.contains(&folded) && headers::result_column(text).is_none() {
                alike.push(*index);
            }
        }
        exact.extend(alike);
        exact
    }

    /// The column that a rule reads, unless what weighs more ignores it. As in their mapping file, a column that the user
    /// ignores by a flag stays a part of what they join and choose from.
    fn column_of(&self, header: &str, rule: &FieldRule) -> Option<usize> {
        let column = *self.columns_of(header).first()?;
        let text = self.header.cell(column).text;
        let is_users = rule.origin.source.weight() > MappingSource::Preset.weight();
        let is_part = is_users && rule.source.as_ref().is_some_and(RuleSource::has_parts);
        let is_ignored = !is_part
            && self.stronger(rule).any(|entry| {
                entry.target.trim().is_empty()
                    && headers::header_keys(text).contains(&HeaderText::parse(&entry.header).whole)
            });
        (!is_ignored).then_some(column)
    }

    fn with_columns(&self, target: ColumnTarget, mut rule: FieldRule) -> Result<ResolvedRule, Vec<MappingError>> {
        rule.fits(self.entity, &target)?;
        let Some(source) = rule.source.clone().map(|source| self.left_of(source, &rule)) else {
            return Ok(ResolvedRule { target, rule, columns: Vec::new() });
        };
        rule.source = Some(source.clone());
        let found: Vec<(&str, Option<usize>)> =
            source.headers().into_iter().map(|header| (header, self.column_of(header, &rule))).collect();
        let place = || rule.origin.place.clone();
        let read = found.iter().filter_map(|(_, column)| *column);
        if let Some(header) = self.secret_header(read) {
            return Err(vec![MappingRuleError::Secret { place: place(), header }.into()]);
        }
        let missing: Vec<&str> =
            found.iter().filter(|(_, column)| column.is_none()).map(|(header, _)| *header).collect();
        let columns: Vec<usize> = found.iter().filter_map(|(_, column)| *column).collect();
        let is_joined = matches!(source, RuleSource::Join(_) | RuleSource::FirstOrJoin(..));
        let needs_all = is_joined || rule.origin.source == MappingSource::CommandLine;
        let is_usable = if needs_all { missing.is_empty() } else { !columns.is_empty() };
        if is_usable {
            // What a file has of the columns of other files is all there is.
            if let RuleSource::FirstOf(_) = source {
                let headers = columns.iter().map(|column| self.header.cell(*column).text.trim().to_owned());
                rule.source = Some(RuleSource::FirstOf(headers.collect()));
            }
            return Ok(ResolvedRule { target, rule, columns });
        }
        let is_optional = rule.origin.source == MappingSource::Preset || rule.default.is_some();
        if is_optional && rule.origin.source != MappingSource::CommandLine {
            rule.source = None;
            return Ok(ResolvedRule { target, rule, columns: Vec::new() });
        }
        Err(missing.into_iter().map(|header| self.no_such_column(place(), header).into()).collect())
    }

    /// The header of the first of the columns that looks like passwords, whatever a rule calls it.
    fn secret_header(&self, columns: impl IntoIterator<Item = usize>) -> Option<String> {
        let mut headers = columns.into_iter().map(|column| self.header.cell(column).text.trim());
        headers.find(|header| is_secret_header(header)).map(str::to_owned)
    }

    /// What the sheet leaves of a source that can do without some of its columns.
    fn left_of(&self, source: RuleSource, rule: &FieldRule) -> RuleSource {
        let RuleSource::FirstOrJoin(headers, template) = source else { return source };
        let is_there = |header: &str| self.column_of(header, rule).is_some();
        let alone: Vec<String> = headers.iter().filter(|header| is_there(header)).cloned().collect();
        let has_parts = template.headers().all(is_there);
        match (alone.is_empty(), has_parts) {
            (true, true) => RuleSource::Join(template),
            (true, false) => RuleSource::FirstOrJoin(headers, template),
            (false, true) => RuleSource::FirstOrJoin(alone, template),
            (false, false) => RuleSource::FirstOf(alone),
        }
    }

    fn no_such_column(&self, place: String, header: &str) -> MappingRuleError {
        let known: Vec<String> = self.header.cells().map(|cell| cell.text.trim().to_owned()).collect();
        let nearest = headers::likeliest(header, &known).filter(|nearest| misspelt::is_misspelt(nearest, header));
        MappingRuleError::NoSuchColumn { place, header: header.to_owned(), nearest: nearest.map(str::to_owned) }
    }

    /// The rows to leave out.
    pub(super) fn skips(&self, errors: &mut Vec<MappingError>) -> Vec<SkippedRows> {
        let mut skips = Vec::new();
        for rule in &self.overrides.skips {
            let columns = rule.headers.iter().map(|header| self.columns_of(header).first().copied());
            match columns.collect::<Option<Vec<usize>>>() {
                Some(columns) => {
                    if let Some(header) = self.secret_header(columns.iter().copied()) {
                        let place = rule.origin.place.clone();
                        errors.push(MappingRuleError::Secret { place, header }.into());
                        continue;
                    }
                    skips.push(SkippedRows { columns, condition: rule.condition.clone(), rule: rule.clone() });
                }
                None if rule.origin.source == MappingSource::Preset => {}
                None => {
                    let missing = rule.headers.iter().filter(|header| self.columns_of(header).is_empty());
                    errors.extend(missing.map(|header| self.no_such_column(rule.origin.place.clone(), header).into()));
                }
            }
        }
        skips
    }
}

impl FieldRule {
    fn fits(&self, entity: &'static Entity, target: &ColumnTarget) -> Result<(), Vec<MappingError>> {
        let kind = headers::target_field(entity, target).map(|field: &Field| field.kind);
        let wrong = |verb, kinds| {
            let (place, field) = (self.origin.place.clone(), self.target.clone());
            Err(vec![MappingRuleError::WrongKind { place, verb, kinds, field }.into()])
        };
        if self.invert && kind != Some(Kind::Boolean) {
            return wrong("invert", "fields with yes or no");
        }
        if self.format.is_some() && kind != Some(Kind::Date) {
            return wrong("format", "dates");
        }
        self.kinds_fit(entity, target).map_err(|error| vec![error.into()])
    }

    /// Whether the kinds that it says are kinds of what its field refers to.
    fn kinds_fit(&self, entity: &'static Entity, target: &ColumnTarget) -> Result<(), MappingRuleError> {
        let field = headers::target_field(entity, target);
        for kind in self.said_values().filter_map(|value| value.record_kind.as_ref()) {
            let place = kind.place.clone();
            let Some((collection, kinds)) = field.and_then(Field::record_kinds) else {
                let with = entity.fields.iter().filter(|field| field.is_written() && field.record_kinds().is_some());
                let fields_with = with.map(|field| field.name).collect();
                return Err(MappingRuleError::NoKinds { place, field: self.target.clone(), fields_with });
            };
            if field.and_then(|field| field.record_kind(&kind.name)).is_none() {
                return Err(MappingRuleError::NoSuchKind { place, collection: collection.name, kinds });
            }
        }
        Ok(())
    }
}

impl ResolvedRule {
    /// A rule that reads no column.
    pub(super) fn new(target: ColumnTarget, rule: FieldRule) -> Self {
        Self { target, rule, columns: Vec::new() }
    }

    /// Whether the rule reads the column.
    pub(super) fn reads(&self, column: usize) -> bool {
        self.columns.contains(&column)
    }
}

/// The options with those `--map` entries as rules that name several columns and no header: `A|B=field`.
pub(super) fn with_flag_rules(header: &Row, overrides: &MappingOverrides) -> MappingOverrides {
    let is_header = |text: &str| {
        let folded = HeaderText::parse(text).whole;
        // Folded, `{Serial number}` is the header in it.
        let is_alike = |cell: &str| !text.contains('{') && headers::header_keys(cell).contains(&folded);
        header.cells().any(|cell| cell.text.trim() == text.trim() || is_alike(cell.text))
    };
    let as_rule = |entry: &MappingOverride| {
        let is_flag = entry.source == MappingSource::CommandLine && !entry.target.trim().is_empty();
        let source = RuleSource::of_flag(&entry.header).filter(|_| is_flag && !is_header(&entry.header))?;
        let place = super::map_flag(&entry.header, &entry.target);
        let origin = RuleOrigin { source: entry.source, place };
        Some(FieldRule { source: Some(source), ..FieldRule::new(entry.target.trim(), origin) })
    };
    let flags: Vec<FieldRule> = overrides.map.iter().filter_map(as_rule).collect();
    let mut overrides = overrides.clone();
    overrides.map.retain(|entry| as_rule(entry).is_none());
    let is_flag = |rule: &FieldRule| rule.origin.source == MappingSource::CommandLine;
    let end = overrides.rules.iter().position(|rule| !is_flag(rule)).unwrap_or(overrides.rules.len());
    overrides.rules.splice(end..end, flags);
    overrides
}

/// Takes the columns that rules with a source feed away from what feeds the same fields otherwise, and says what the
/// others are for that rules read.
pub(super) fn supersede(columns: &mut [Column], rules: &[ResolvedRule], skips: &[SkippedRows], further: &[Mapping]) {
    for column in columns.iter_mut() {
        let is_read_too = further.iter().any(|mapping| mapping.reads(column.index));
        let reads = is_read_too || rules.iter().any(|rule| rule.reads(column.index));
        let is_fed =
            rules.iter().any(|rule| !rule.columns.is_empty() && headers::feeds_same(&rule.target, &column.target));
        column.target = match column.target {
            _ if is_fed && reads => {
                // Whoever ignores a column stays its source; of this one the rule says all there is.
                column.source = MappingSource::Schema;
                ColumnTarget::Ignored(Ignored::Source)
            }
            _ if is_fed => ColumnTarget::Ignored(Ignored::Superseded),
            ColumnTarget::Ignored(Ignored::Unknown | Ignored::ReadOnly | Ignored::OnRequest) if reads => {
                ColumnTarget::Ignored(Ignored::Source)
            }
            ColumnTarget::Ignored(Ignored::Unknown | Ignored::Source)
                if skips.iter().any(|skip| skip.columns.contains(&column.index)) =>
            {
                ColumnTarget::Ignored(Ignored::Filter)
            }
            _ => continue,
        };
    }
}

impl Mapping {
    /// Adds a column for a rule behind the sheet's columns, of which there are `width`. A rule without a source reads
    /// what feeds its field anyway.
    pub(super) fn add_rule(&mut self, resolved: ResolvedRule, width: usize) -> Option<MappingRuleError> {
        let ResolvedRule { mut target, mut rule, columns: mut read } = resolved;
        let feeders = |columns: &[Column], target: &ColumnTarget| -> Vec<usize> {
            columns
                .iter()
                .filter(|column| headers::feeds_same(&column.target, target))
                .map(|column| column.index)
                .collect()
        };
        if read.is_empty() && rule.needs_source() {
            let is_name = |column: &&mut Column| matches!(column.target, ColumnTarget::Field { ids: Ids::Marked, .. });
            let mut fed: Vec<&mut Column> =
                self.columns.iter_mut().filter(|column| headers::feeds_same(&column.target, &target)).collect();
            fed.sort_by_key(|column| !is_name(column));
            if let Some(column) = fed.into_iter().next() {
                target = std::mem::replace(&mut column.target, ColumnTarget::Ignored(Ignored::Source));
                column.source = MappingSource::Schema;
                read = vec![column.index];
                rule.source = Some(RuleSource::Column(column.header.clone()));
            } else if rule.default.is_none() {
                let is_needed = rule.origin.source != MappingSource::Preset;
                return is_needed
                    .then_some(MappingRuleError::NoColumn { place: rule.origin.place, field: rule.target });
            }
        } else if read.is_empty() && rule.default.is_none() {
            return None;
        }
        if let (true, [source]) = (rule.only_names_column(), read.as_slice())
            && self.map_directly(*source, &target, rule.origin.source)
        {
            return None;
        }
        let rivals = feeders(&self.columns, &target);
        let column = self.columns.last().map_or(0, |last| last.index + 1).max(width);
        let header = rule.source.as_ref().map_or_else(|| rule.default_header(), RuleSource::flag_text);
        let is_id = headers::holds_system_ids(self.entity, &target);
        let fed = headers::target_field(self.entity, &target);
        self.columns.push(Column { index: column, header, target, source: rule.origin.source });
        let source = match &rule.source {
            _ if read.is_empty() => ValueSource::None,
            Some(RuleSource::Join(template)) => ValueSource::Join(template.clone(), read),
            Some(RuleSource::FirstOrJoin(headers, template)) => {
                ValueSource::FirstOrJoin(headers.len(), template.clone(), read)
            }
            _ => ValueSource::FirstOf(read),
        };
        let value = |said: &RuleValue| DerivedValue::of_rule(said, fed);
        let values = rule
            .values
            .iter()
            .map(|(from, to)| MappedValue { from: from.clone(), folded: fold_name(from).into_owned(), to: value(to) })
            .collect();
        let otherwise = match &rule.otherwise {
            Some(Otherwise::Error) => Unlisted::Error,
            Some(Otherwise::Value(said)) => Unlisted::Value(value(said)),
            Some(Otherwise::Keep) | None => Unlisted::Keep,
        };
        let default = rule.default.as_ref().map(value);
        let kinds_of = fed.and_then(Field::record_kinds).map(|(collection, _)| collection);
        self.derived.push(DerivedColumn { column, source, rivals, values, otherwise, default, is_id, kinds_of, rule });
        None
    }

    /// Makes a column of the sheet feed a field itself, so that its cells need not be copied. False if it feeds something
    /// else already, and for further records, which have derived columns only.
    fn map_directly(&mut self, column: usize, target: &ColumnTarget, source: MappingSource) -> bool {
        let is_free =
            |known: &&mut Column| known.index == column && known.target == ColumnTarget::Ignored(Ignored::Source);
        let Some(free) = self.columns.iter_mut().filter(|_| self.origin == RecordOrigin::Rows).find(is_free) else {
            return false;
        };
        (free.target, free.source) = (target.clone(), source);
        true
    }

    /// The derived column with that number.
    pub(crate) fn derived_at(&self, column: usize) -> Option<&DerivedColumn> {
        self.derived.iter().find(|derived| derived.column == column)
    }

    /// Whether the value of a column only stands in for one that the row lacks: a rule took it from another cell than that of
    /// the first column that it names, or from a column that says another field as well, such as the serial number that is
    /// also the tag. `source` is the column of the cell.
    pub(crate) fn stands_in(&self, column: u32, source: u32) -> bool {
        let (column, source) = (column as usize, source as usize);
        let is_said_by_it = |other: &Column| {
            other.index != column
                && matches!(other.target, ColumnTarget::Field { .. })
                && match self.derived_at(other.index).map(|derived| &derived.source) {
                    None => other.index == source,
                    Some(ValueSource::FirstOf(columns) | ValueSource::FirstOrJoin(_, _, columns)) => {
                        columns.first() == Some(&source)
                    }
                    Some(ValueSource::None | ValueSource::Join(..)) => false,
                }
        };
        match self.derived_at(column).map(|derived| &derived.source) {
            Some(ValueSource::None | ValueSource::Join(..)) => false,
            Some(ValueSource::FirstOf(columns) | ValueSource::FirstOrJoin(_, _, columns))
                if columns.first() != Some(&source) =>
            {
                true
            }
            Some(ValueSource::FirstOf(_) | ValueSource::FirstOrJoin(..)) | None => {
                self.columns.iter().any(is_said_by_it)
            }
        }
    }

    /// Whether the value of one field may come from the column that says another: a tag from the serial number.
    pub(crate) fn may_take(&self, field: &str, from: &str) -> bool {
        let (Some(column), Some(source)) = (self.column_of(field), self.sheet_column_of(from)) else { return false };
        let source = source as usize;
        match self.derived_at(column as usize).map(|derived| &derived.source) {
            None => column as usize == source,
            Some(of) => matches!(of, ValueSource::FirstOf(columns) if columns.contains(&source)),
        }
    }

    /// Whether a column is derived, and so not in the sheet.
    pub(crate) fn is_derived(&self, column: usize) -> bool {
        self.derived_at(column).is_some()
    }

    /// The columns that the sheet itself has.
    pub(crate) fn sheet_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !self.is_derived(column.index))
    }

    /// The column of the sheet that a column is or comes from; others may count where it is blank. A default stands in no
    /// cell.
    pub(super) fn first_source(&self, column: usize) -> Option<usize> {
        match self.derived_at(column) {
            Some(derived) => derived.source.columns().first().copied(),
            None => Some(column),
        }
    }

    /// The column of the sheet that feeds a field, be it by a rule; from 0.
    pub(crate) fn sheet_column_of(&self, field: &str) -> Option<u32> {
        self.first_source(self.column_of(field)? as usize).map(|column| column as u32)
    }

    /// The fields and custom fields, as `--map` writes them, each with every column of the sheet that feeds it, be it by a
    /// rule.
    pub(crate) fn field_columns(&self) -> impl Iterator<Item = (String, u32)> {
        let of_column = |column: &Column| {
            let name = match &column.target {
                ColumnTarget::Field { field, .. } => self.entity.fields.get(*field)?.name.to_owned(),
                ColumnTarget::Custom(name) => format!("custom:{name}"),
                _ => return None,
            };
            let sources = self.derived_at(column.index).map(|derived| derived.source.columns().to_vec());
            let sources = sources.unwrap_or_else(|| vec![column.index]).into_iter();
            Some(sources.map(move |source| (name.clone(), source as u32)))
        };
        self.columns.iter().filter_map(of_column).flatten()
    }
}

impl FieldRule {
    /// What stands for the header of a value that no cell holds.
    fn default_header(&self) -> String {
        match self.origin.source {
            MappingSource::CommandLine => format!("--default {}", self.target),
            _ => format!("default of {}", self.target),
        }
    }
}
