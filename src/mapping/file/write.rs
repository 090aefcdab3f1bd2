//! Writes the mapping in use, as a file that gives the same mapping when it is read.

use toml::{Table, Value};

use crate::mapping::headers::target_text;
use crate::mapping::rule::{FieldRule, Otherwise, RuleSource, SkipCondition, SkipRule};
use crate::mapping::{ColumnTarget, IdOwnership, Ignored, Mapping};

/// The text of a mapping file.
#[derive(Debug, Default)]
pub(crate) struct MappingText {
    tables: Table,
}

impl MappingText {
    /// Adds a mapping in use.
    pub(crate) fn add(&mut self, mapping: &Mapping) {
        let known = self.tables.remove(mapping.entity.name);
        let mut table = known.and_then(|known| known.as_table().cloned()).unwrap_or_default();
        for column in mapping.sheet_columns() {
            // A column that only rules read is named by them.
            if matches!(column.target, ColumnTarget::Result(_) | ColumnTarget::Ignored(Ignored::Source)) {
                continue;
            }
            let target = match column.target {
                // `_id` would vouch for them.
                ColumnTarget::Id(IdOwnership::Unverified) => String::from("id"),
                // An empty text ignores the column.
                _ => target_text(mapping.entity, &column.target).unwrap_or_default(),
            };
            table.insert(column.header.clone(), Value::String(target));
        }
        for derived in &mapping.derived {
            let target = mapping.columns.iter().find(|column| column.index == derived.column);
            let Some(target) = target.and_then(|column| target_text(mapping.entity, &column.target)) else { continue };
            let (group, name) = match target.strip_prefix("custom:") {
                Some(name) => ("custom", name),
                None => ("fields", target.as_str()),
            };
            let rules = table.entry(group).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(rules) = rules {
                rules.insert(name.to_owned(), Value::Table(rule_table(&derived.rule)));
            }
        }
        let skips: Vec<Value> = mapping.skips.iter().map(|skip| Value::Table(skip_table(&skip.rule))).collect();
        if !skips.is_empty() {
            table.insert(String::from("skip"), Value::Array(skips));
        }
        self.tables.insert(mapping.entity.name.to_owned(), Value::Table(table));
    }

    /// The file's text.
    pub(crate) fn to_text(&self) -> String {
        format!("# Which column feeds which field. `tallyport import FILE --mapping THIS` uses it.\n\n{}", self.tables)
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn list(texts: &[String]) -> Value {
    Value::Array(texts.iter().map(|entry| text(entry)).collect())
}

fn rule_table(rule: &FieldRule) -> Table {
    let source = rule.source.as_ref().map(|source| match source {
        RuleSource::Column(header) => ("column", text(header)),
        RuleSource::FirstOf(headers) => ("first_of", list(headers)),
        RuleSource::Join(template) => ("join", Value::String(template.to_string())),
    });
    let strip = rule.strip.iter().map(|strip| strip.name().to_owned()).collect::<Vec<String>>();
    let values: Table = rule.values.iter().map(|(from, to)| (from.clone(), text(to))).collect();
    let otherwise = rule.otherwise.as_ref().map(|otherwise| match otherwise {
        Otherwise::Error => "error",
        Otherwise::Keep => "keep",
        Otherwise::Value(value) => value,
    });
    let verbs = [
        source,
        (!strip.is_empty()).then(|| ("strip", list(&strip))),
        rule.format.as_deref().map(|format| ("format", text(format))),
        rule.invert.then_some(("invert", Value::Boolean(true))),
        otherwise.map(|value| ("otherwise", text(value))),
        rule.default.as_deref().map(|default| ("default", text(default))),
        (!values.is_empty()).then(|| ("values", Value::Table(values))),
    ];
    verbs.into_iter().flatten().map(|(verb, value)| (verb.to_owned(), value)).collect()
}

fn skip_table(skip: &SkipRule) -> Table {
    let condition = match &skip.condition {
        SkipCondition::Is(texts) => ("is", list(texts)),
        SkipCondition::Blank => ("blank", Value::Boolean(true)),
        SkipCondition::Filled => ("filled", Value::Boolean(true)),
    };
    [("column", list(&skip.headers)), condition].map(|(key, value)| (key.to_owned(), value)).into_iter().collect()
}
