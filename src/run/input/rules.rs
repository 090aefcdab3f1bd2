//! `--default`, `--value` and `--skip-where`, and what the values of all rules are.

use super::MappedSheet;
use super::options::{DATE_FORMAT_HINT, MappingOptions, ParsedOptions};
use crate::check::date::DateFormat;
use crate::check::money::HeaderUnit;
use crate::check::{Rules, rule_value};
use crate::error::{Error, Result};
use crate::mapping::{
    ColumnFacts, ColumnTarget, DerivedValue, FieldRule, HeaderAliases, Mapping, MappingSource, RuleOrigin, RuleValue,
    SkipCondition, SkipRule, Unlisted, ValueSource, is_assignment, is_same_text, value_target,
};
use crate::schema::{Entity, Kind};
use crate::shell;
use crate::table::Value;

/// The rules of `--default` and `--value`.
///
/// # Errors
/// Where one does not say what it has to.
pub(super) fn flag_rules(options: &MappingOptions) -> Result<Vec<FieldRule>> {
    let defaults = options.defaults.iter().map(|text| default_rule(text));
    defaults.chain(options.values.iter().map(|text| value_rule(text))).collect()
}

/// The rules of `--skip-where`.
///
/// # Errors
/// Where one does not say what it has to.
pub(super) fn flag_skips(options: &MappingOptions) -> Result<Vec<SkipRule>> {
    let skip = |text: &String| {
        let (header, value) = text.rsplit_once('=').filter(|(header, _)| !header.trim().is_empty()).ok_or_else(|| {
            Error::usage(
                format!("{} does not say a value", shell::flag("--skip-where", text)),
                "write it as --skip-where 'Header=Value'; without a value it leaves out the rows where the cell is blank",
            )
        })?;
        let condition = match value.trim() {
            "" => SkipCondition::Blank,
            value => SkipCondition::Is(vec![value.to_owned()]),
        };
        Ok(SkipRule { headers: vec![header.trim().to_owned()], condition, origin: flag("--skip-where", text) })
    };
    options.skip_where.iter().map(skip).collect()
}

fn flag(name: &str, text: &str) -> RuleOrigin {
    RuleOrigin { source: MappingSource::CommandLine, place: shell::flag(name, text) }
}

fn default_rule(text: &str) -> Result<FieldRule> {
    let (field, value) = text.split_once('=').ok_or_else(|| {
        Error::usage(
            format!("{} does not say a value", shell::flag("--default", text)),
            "write it as --default 'field=VALUE', such as --default currency=EUR",
        )
    })?;
    let (field, value) = (field.trim(), value.trim());
    let default = Some(RuleValue::from(value));
    Ok(FieldRule { default, ..FieldRule::new(field, flag("--default", &format!("{field}={value}"))) })
}

fn value_rule(text: &str) -> Result<FieldRule> {
    let (field, map) = match text.strip_prefix("custom:").and_then(|rest| rest.split_once(':')) {
        Some((name, map)) => (format!("custom:{name}"), Some(map)),
        None => (text.split(':').next().unwrap_or_default().to_owned(), text.split_once(':').map(|(_, map)| map)),
    };
    let map = map.and_then(|map| map.split_once('=')).filter(|(from, _)| !from.trim().is_empty());
    let (from, to) = map.ok_or_else(|| {
        Error::usage(
            format!("{} does not say what means what", shell::flag("--value", text)),
            "write it as --value 'field:FROM=TO', such as --value 'status:managed=In use'",
        )
    })?;
    let values = vec![(from.trim().to_owned(), RuleValue::from(to.trim()))];
    Ok(FieldRule { values, ..FieldRule::new(field.trim(), flag("--value", text)) })
}

impl ParsedOptions<'_> {
    /// Reads the values of a mapping's rules as what their fields hold.
    ///
    /// # Errors
    /// Where a value is none for its field, or a default would give all rows the same key.
    pub(super) fn type_rules(&self, mapping: &mut Mapping) -> Result<()> {
        if let Some(Err(error)) = mapping.formats.date.as_deref().map(DateFormat::parse) {
            return Err(Error::usage(format!("`date` of the mapping's formats: {error}"), DATE_FORMAT_HINT));
        }
        let untyped = mapping.clone();
        for derived in &mut mapping.derived {
            let Some(column) = untyped.columns.iter().find(|column| column.index == derived.column) else { continue };
            let reader =
                ValueReader { mapping: &untyped, target: &column.target, rule: &derived.rule, rules: &self.rules };
            reader.validate_format()?;
            reader.validate_units(&derived.source)?;
            if let Some(default) = &mut derived.default {
                reader.validate_default()?;
                reader.read(default)?;
            }
            let mapped = derived.values.iter_mut().map(|value| &mut value.to);
            let other = match &mut derived.otherwise {
                Unlisted::Value(value) => Some(value),
                Unlisted::Error | Unlisted::Keep => None,
            };
            // A value may also mean that there is none.
            mapped.chain(other).filter(|value| value.value != Value::Blank).try_for_each(|value| reader.read(value))?;
        }
        Ok(())
    }

    /// A sheet, and behind it one for each kind of further records that its rows make.
    ///
    /// # Errors
    /// Where a value of a rule is none for its field.
    pub(super) fn with_further(&self, mut sheet: MappedSheet) -> Result<Vec<MappedSheet>> {
        let mut sheets = Vec::new();
        for mut mapping in std::mem::take(&mut sheet.mapping.further) {
            self.type_rules(&mut mapping)?;
            sheets.push(MappedSheet {
                name: sheet.name.clone(),
                header: sheet.header.clone(),
                layout: sheet.layout.clone(),
                match_on: mapping.entity.key.to_vec(),
                mapping,
                preset: None,
                remembered: None,
                doubt: None,
                facts: ColumnFacts::default(),
                remarks: Vec::new(),
                ..sheet
            });
        }
        sheets.push(sheet);
        Ok(sheets)
    }

    /// A flag has to concern one of the sheets, not each.
    pub(super) fn validate_flags(&self, entities: impl Iterator<Item = &'static Entity>) -> Result<()> {
        let entities: Vec<&'static Entity> = entities.collect();
        let is_known = |field: &str| {
            let takes = |entity: &&'static Entity| {
                is_assignment(entity, field) || value_target(HeaderAliases::of(entity), field, field).is_some()
            };
            entities.iter().any(takes)
        };
        let unknown = self.flag_rules.iter().find(|rule| !is_known(&rule.target));
        let (Some(FieldRule { target, origin, .. }), Some(entity)) = (unknown, entities.first()) else {
            return entities.iter().try_for_each(|entity| self.validate_consistency(entity));
        };
        Err(Error::usage(
            format!("{}: `{}` has no field `{target}`", origin.place, entity.name),
            format!("`tallyport schema {}` lists the fields", entity.name),
        ))
    }
}

impl ParsedOptions<'_> {
    /// Two flags must not say different things of one field: the second would count for nothing.
    fn validate_consistency(&self, entity: &'static Entity) -> Result<()> {
        let aliases = HeaderAliases::of(entity);
        let target = |rule: &FieldRule| value_target(aliases, "", &rule.target);
        let is_same_field = |first: &FieldRule, second: &FieldRule| {
            first.target == second.target || target(first).is_some_and(|first| target(second) == Some(first))
        };
        for (index, second) in self.flag_rules.iter().enumerate() {
            let contradicts = |first: &&FieldRule| says_otherwise(first, second) && is_same_field(first, second);
            if let Some(first) = self.flag_rules[..index].iter().find(contradicts) {
                let (first, second) = (&first.origin.place, &second.origin.place);
                let message = format!("`{first}` and `{second}` contradict each other");
                return Err(Error::usage(message, "leave out one of them"));
            }
        }
        Ok(())
    }
}

/// Whether one gives another default, or another meaning to a text, if both are about one field.
fn says_otherwise(first: &FieldRule, second: &FieldRule) -> bool {
    let defaults = first.default.as_ref().zip(second.default.as_ref());
    let is_other_meaning = |(from, to): &(String, RuleValue)| {
        let alike = second.values.iter().find(|(known, _)| is_same_text(known, from));
        alike.is_some_and(|(_, other)| !is_same_text(&to.text, &other.text))
    };
    defaults.is_some_and(|(one, other)| !is_same_text(&one.text, &other.text))
        || first.values.iter().any(is_other_meaning)
}

/// Reads the values of one rule.
struct ValueReader<'r> {
    mapping: &'r Mapping,
    target: &'r ColumnTarget,
    rule: &'r FieldRule,
    rules: &'r Rules,
}

impl ValueReader<'_> {
    fn read(&self, value: &mut DerivedValue) -> Result<()> {
        let (text, typed) = rule_value(self.mapping, self.target, &value.text, self.rules).map_err(|error| {
            let hint = error.hint.clone().unwrap_or_else(|| "write a value of the field".into());
            let place = &self.rule.origin.place;
            // A flag holds one value; of a rule in a file it must be said which.
            let whose =
                if self.is_flag() { String::new() } else { format!("`{}` for {}: ", value.text, self.rule.target) };
            Error::usage(format!("{place}: {whose}{}", error.message), hint)
        })?;
        *value = DerivedValue { text, value: typed, ..*value };
        Ok(())
    }

    fn is_flag(&self) -> bool {
        self.rule.origin.source == MappingSource::CommandLine
    }

    fn validate_default(&self) -> Result<()> {
        let entity = self.mapping.entity;
        let is_key = matches!(self.target, ColumnTarget::Field { field, .. }
            if entity.key.first() == Some(&entity.fields[*field].name));
        if !is_key {
            return Ok(());
        }
        let (place, field) = (&self.rule.origin.place, &self.rule.target);
        let what = if self.is_flag() { String::new() } else { format!(": the default of {field}") };
        Err(Error::usage(
            format!("{place}{what} would give several rows the same key"),
            format!("fill in the column; `{field}` tells the records of {} apart", entity.name),
        ))
    }

    fn validate_format(&self) -> Result<()> {
        let format = self.rule.format.as_deref().map(DateFormat::parse).transpose();
        format.map(drop).map_err(|error| Error::usage(format!("{}: {error}", self.rule.origin.place), DATE_FORMAT_HINT))
    }

    /// Amounts of columns with different units cannot stand in one.
    fn validate_units(&self, source: &ValueSource) -> Result<()> {
        let is_amount = matches!(self.target, ColumnTarget::Field { field, .. }
            if self.mapping.entity.fields[*field].kind == Kind::Money);
        let headers = source.columns().iter().filter_map(|column| self.mapping.header(*column as u32));
        let units: Vec<HeaderUnit> = headers.map(HeaderUnit::of).collect();
        if !is_amount || units.windows(2).all(|pair| pair[0] == pair[1]) {
            return Ok(());
        }
        Err(Error::usage(
            format!(
                "{}: the columns of {} have different units or currencies",
                self.rule.origin.place, self.rule.target
            ),
            "read one of them, and ignore the others",
        ))
    }
}
