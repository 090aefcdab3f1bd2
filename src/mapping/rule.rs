//! Rules: how a field's value is made from the cells of a row, as flags and mapping files say it.

use jiff::civil::Date;

use super::strip::Strip;
use super::template::JoinTemplate;
use super::{ColumnTarget, HeaderAliases, MappingSource, headers};
use crate::schema::Entity;

/// How a field is filled. Without a source it refines what fills the field anyway.
#[derive(Debug, Clone)]
pub(crate) struct FieldRule {
    /// What it feeds, as typed: `status_id`, `custom:OS`.
    pub target: String,
    pub source: Option<RuleSource>,
    pub strip: Vec<Strip>,
    /// What a cell's text means instead.
    pub values: Vec<(String, RuleValue)>,
    /// What becomes of other texts than those of `values`.
    pub otherwise: Option<Otherwise>,
    /// Where the row has no value, or the sheet no such column.
    pub default: Option<RuleValue>,
    /// How text dates are written.
    pub format: Option<String>,
    /// Whether yes means no.
    pub invert: bool,
    pub origin: RuleOrigin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RuleSource {
    Column(String),
    /// The first that is not blank.
    FirstOf(Vec<String>),
    Join(JoinTemplate),
    /// The first that is not blank, and a text of several where all of them are.
    FirstOrJoin(Vec<String>, JoinTemplate),
}

/// What becomes of a text that a value map does not list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Otherwise {
    Error,
    Keep,
    Value(RuleValue),
}

/// A value that a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleValue {
    /// The value; of a kind, the name of the record to create where the account has none of it.
    pub text: String,
    pub record_kind: Option<RecordKind>,
}

/// A kind of record instead of a name: any record of that kind will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordKind {
    /// As typed: `deployable`.
    pub name: String,
    /// Where it stands, for messages: `mapping.toml, line 3`.
    pub place: String,
}

/// How texts write dates and amounts, where a flag or a mapping file says it of all columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TextFormats {
    /// As `--date-format` takes it.
    pub date: Option<String>,
    /// The decimal mark.
    pub decimal: Option<char>,
}

/// Where a rule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleOrigin {
    pub source: MappingSource,
    /// For messages: a flag as typed, or `mapping.toml, line 3`.
    pub place: String,
}

/// Rows that are left out.
#[derive(Debug, Clone)]
pub(crate) struct SkipRule {
    /// The columns that all must fit.
    pub headers: Vec<String>,
    pub condition: SkipCondition,
    pub origin: RuleOrigin,
}

/// Records of another collection that are made from the same rows.
#[derive(Debug, Clone)]
pub(crate) struct FurtherRecords {
    pub entity: &'static Entity,
    pub rules: Vec<FieldRule>,
    pub origin: RuleOrigin,
    /// Of check-outs: their day, where a row says none.
    pub day: Option<Date>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SkipCondition {
    /// The cell has one of these texts; compared like names.
    Is(Vec<String>),
    Blank,
    Filled,
}

impl From<String> for RuleValue {
    fn from(text: String) -> Self {
        Self { text, record_kind: None }
    }
}

impl From<&str> for RuleValue {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl TextFormats {
    /// With what formats of less weight add.
    pub(crate) fn or(self, below: &TextFormats) -> Self {
        Self { date: self.date.or_else(|| below.date.clone()), decimal: self.decimal.or(below.decimal) }
    }
}

impl FurtherRecords {
    /// Adds rules of less weight to those of the same collection.
    pub(crate) fn add_to(self, all: &mut Vec<FurtherRecords>) {
        match all.iter_mut().find(|known| known.entity.name == self.entity.name) {
            Some(known) => known.rules.extend(self.rules),
            None => all.push(self),
        }
    }
}

impl RuleSource {
    /// The source that the left side of `--map` names: `A|B`, or a template. None for a plain header.
    pub(crate) fn of_flag(text: &str) -> Option<RuleSource> {
        if let Ok(template) = JoinTemplate::parse(text) {
            return Some(RuleSource::Join(template));
        }
        text.contains('|')
            .then(|| RuleSource::FirstOf(text.split('|').map(|header| header.trim().to_owned()).collect()))
    }

    /// The headers it reads.
    pub(crate) fn headers(&self) -> Vec<&str> {
        match self {
            RuleSource::Column(header) => vec![header],
            RuleSource::FirstOf(headers) => headers.iter().map(String::as_str).collect(),
            RuleSource::Join(template) => template.headers().collect(),
            RuleSource::FirstOrJoin(headers, template) => {
                headers.iter().map(String::as_str).chain(template.headers()).collect()
            }
        }
    }

    /// Whether a value may come from several columns, or from a column and a text.
    pub(super) fn has_parts(&self) -> bool {
        match self {
            RuleSource::Column(_) => false,
            RuleSource::FirstOf(headers) => headers.len() > 1,
            RuleSource::Join(_) | RuleSource::FirstOrJoin(..) => true,
        }
    }

    /// The same source with other headers.
    pub(crate) fn with_headers(&self, other: impl Fn(&str) -> String) -> Self {
        let each = |headers: &[String]| headers.iter().map(|header| other(header)).collect();
        match self {
            RuleSource::Column(header) => RuleSource::Column(other(header)),
            RuleSource::FirstOf(headers) => RuleSource::FirstOf(each(headers)),
            RuleSource::Join(template) => RuleSource::Join(template.with_headers(other)),
            RuleSource::FirstOrJoin(headers, template) => {
                RuleSource::FirstOrJoin(each(headers), template.with_headers(&other))
            }
        }
    }

    /// As `--map` writes it.
    pub(crate) fn flag_text(&self) -> String {
        match self {
            RuleSource::Column(header) => header.clone(),
            RuleSource::FirstOf(headers) => headers.join("|"),
            RuleSource::Join(template) => template.to_string(),
            RuleSource::FirstOrJoin(headers, template) => format!("{}|{template}", headers.join("|")),
        }
    }
}

impl FieldRule {
    /// A rule that does nothing yet.
    pub(crate) fn new(target: impl Into<String>, origin: RuleOrigin) -> Self {
        Self {
            target: target.into(),
            source: None,
            strip: Vec::new(),
            values: Vec::new(),
            otherwise: None,
            default: None,
            format: None,
            invert: false,
            origin,
        }
    }

    /// Whether it changes what cells say, so that it needs a column to read.
    pub(crate) fn needs_source(&self) -> bool {
        !self.strip.is_empty() || !self.values.is_empty() || self.format.is_some() || self.invert
    }

    /// Whether all it says is which column to read.
    pub(super) fn only_names_column(&self) -> bool {
        matches!(self.source, Some(RuleSource::Column(_))) && !self.needs_source() && self.default.is_none()
    }

    /// The values that it says, whatever for.
    pub(super) fn said_values(&self) -> impl Iterator<Item = &RuleValue> {
        let other = self.otherwise.as_ref().and_then(|otherwise| match otherwise {
            Otherwise::Value(value) => Some(value),
            Otherwise::Error | Otherwise::Keep => None,
        });
        self.values.iter().map(|(_, value)| value).chain(other).chain(&self.default)
    }

    /// Takes what a rule of less weight adds. A rule with a source replaces those below it.
    fn refine(&mut self, below: FieldRule) {
        if self.source.is_some() {
            return;
        }
        if below.source.is_some() {
            self.source = below.source;
            self.origin = below.origin;
        }
        if self.strip.is_empty() {
            self.strip = below.strip;
        }
        for (from, to) in below.values {
            if !self.values.iter().any(|(known, _)| is_same_text(known, &from)) {
                self.values.push((from, to));
            }
        }
        self.otherwise = self.otherwise.take().or(below.otherwise);
        self.default = self.default.take().or(below.default);
        self.format = self.format.take().or(below.format);
        self.invert |= below.invert;
    }

    /// The verbs in use, as the mapping shows them.
    pub(crate) fn verbs(&self) -> Vec<&'static str> {
        let source = self.source.as_ref().and_then(|source| match source {
            RuleSource::Column(_) => None,
            RuleSource::FirstOf(_) | RuleSource::FirstOrJoin(..) => Some("first_of"),
            RuleSource::Join(_) => Some("join"),
        });
        let used = [
            (!self.strip.is_empty(), "strip"),
            (!self.values.is_empty(), "values"),
            (self.format.is_some(), "format"),
            (self.invert, "invert"),
            (self.default.is_some(), "default"),
        ];
        source.into_iter().chain(used.into_iter().filter(|(is_used, _)| *is_used).map(|(_, verb)| verb)).collect()
    }
}

/// Whether two texts are the same for a value map: case and white space do not matter.
pub(crate) fn is_same_text(one: &str, other: &str) -> bool {
    crate::schema::fold_name(one) == crate::schema::fold_name(other)
}

/// One rule per target, from rules in the order of their weight. Those whose field the entity lacks are told apart.
pub(super) fn merge(aliases: &HeaderAliases, rules: &[FieldRule]) -> (Vec<(ColumnTarget, FieldRule)>, Vec<FieldRule>) {
    let (mut merged, mut unknown): (Vec<(ColumnTarget, FieldRule)>, Vec<FieldRule>) = (Vec::new(), Vec::new());
    for rule in rules {
        let header = match (&rule.source, rule.values.is_empty()) {
            (None, _) => rule.target.as_str(),
            (Some(RuleSource::Column(header)), true) => header.as_str(),
            _ => "",
        };
        match headers::value_target(aliases, header, &rule.target) {
            None => unknown.push(rule.clone()),
            Some(target) => match merged.iter_mut().find(|(known, _)| headers::feeds_same(known, &target)) {
                Some((known, above)) => {
                    if above.source.is_none() && rule.source.is_some() {
                        *known = target;
                    }
                    above.refine(rule.clone());
                }
                None => merged.push((target, rule.clone())),
            },
        }
    }
    (merged, unknown)
}

/// Rules of the same weight that say different sources for one field, each with the one before it.
pub(super) fn rivals<'r>(
    aliases: &HeaderAliases,
    rules: &'r [FieldRule],
) -> impl Iterator<Item = (&'r FieldRule, &'r FieldRule)> {
    let target = |rule: &FieldRule| headers::value_target(aliases, "", &rule.target);
    let sources: Vec<(&'r FieldRule, ColumnTarget)> =
        rules.iter().filter(|rule| rule.source.is_some()).filter_map(|rule| Some((rule, target(rule)?))).collect();
    (0..sources.len()).filter_map(move |index| {
        let (rule, fed) = &sources[index];
        let is_rival = |(other, target): &&(&FieldRule, ColumnTarget)| {
            other.origin.source == rule.origin.source && headers::feeds_same(target, fed)
        };
        sources[..index].iter().find(is_rival).map(|(other, _)| (*rule, *other))
    })
}
