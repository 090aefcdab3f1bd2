//! Writes the mapping in use, as a file that gives the same mapping when it is read.

use toml::{Table, Value};

use crate::mapping::headers::target_text;
use crate::mapping::rule::{FieldRule, Otherwise, RuleSource, RuleValue, SkipCondition, SkipRule, TextFormats};
use crate::mapping::template::JoinTemplate;
use crate::mapping::{ColumnTarget, IdOwnership, Ignored, Mapping, MappingSource, RecordOrigin};
use crate::schema::Entity;

/// The text of a mapping file.
#[derive(Debug, Default)]
pub(crate) struct MappingText {
    /// What the sheets hold.
    entities: Vec<&'static str>,
    /// The presets that the mappings were made with.
    presets: Vec<String>,
    tables: Table,
}

impl MappingText {
    /// Adds a mapping in use.
    pub(crate) fn add(&mut self, mapping: &Mapping) {
        self.entities.push(mapping.entity.name);
        let known = self.tables.remove(mapping.entity.name);
        let mut table = known.and_then(|known| known.as_table().cloned()).unwrap_or_default();
        for column in mapping.sheet_columns() {
            // A column that only rules read is named by them, and means something else as well unless it is ignored.
            let is_named =
                column.target == ColumnTarget::Ignored(Ignored::Source) && column.source == MappingSource::Schema;
            if is_named || matches!(column.target, ColumnTarget::Result(_)) {
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
        for (target, rule) in rules(mapping) {
            let (group, name) = match target.strip_prefix("custom:") {
                Some(name) => ("custom", name),
                None => ("fields", target.as_str()),
            };
            insert(&mut table, &[group, name], rule);
        }
        let skips: Vec<Value> = mapping.skips.iter().map(|skip| Value::Table(skip_table(&skip.rule))).collect();
        if !skips.is_empty() {
            table.insert(String::from("skip"), Value::Array(skips));
        }
        if mapping.formats != TextFormats::default() {
            insert(&mut table, &["formats"], formats_table(&mapping.formats));
        }
        self.tables.insert(mapping.entity.name.to_owned(), Value::Table(table));
    }

    /// Says that a preset is part of the mappings.
    pub(crate) fn add_preset(&mut self, name: &str) {
        if !self.presets.iter().any(|known| known == name) {
            self.presets.push(name.to_owned());
        }
    }

    /// Adds the mapping of further records that the rows of an entity make.
    pub(crate) fn add_further(&mut self, entity: &Entity, mapping: &Mapping) {
        for (target, rule) in rules(mapping) {
            let (own, of) = (entity.name, mapping.entity.name);
            match (mapping.origin, target.strip_prefix("custom:")) {
                (RecordOrigin::Described, Some(name)) => {
                    insert(&mut self.tables, &[own, "also", of, "custom", name], rule);
                }
                (RecordOrigin::Described, None) => insert(&mut self.tables, &[own, "also", of, &target], rule),
                (RecordOrigin::Assignment | RecordOrigin::Rows, _) => {
                    insert(&mut self.tables, &[own, "fields", &mapping.shown_target(&target)], rule);
                }
            }
        }
    }

    /// The file's text. What the sheets hold is said where that is one collection: their names and headers may not tell.
    pub(crate) fn to_text(&self) -> String {
        let comment = "# Which column is mapped to which field. `tallyport import FILE --mapping THIS` uses it.\n";
        let mut text = String::from(comment);
        if let [entity, rest @ ..] = self.entities.as_slice()
            && rest.iter().all(|other| other == entity)
        {
            text.push_str(&line("entity", &Value::from(*entity)));
        }
        match self.presets.as_slice() {
            [] => {}
            [preset] => text.push_str(&copy_line(preset)),
            presets => text.push_str(&line("copy_of", &list(presets))),
        }
        text + &self.to_tables()
    }

    /// The tables of the collections.
    pub(crate) fn to_tables(&self) -> String {
        let mut text = String::new();
        write_tables(&mut text, "", &self.tables);
        text
    }
}

/// The line that says which preset a file is a copy of.
pub(crate) fn copy_line(preset: &str) -> String {
    line("copy_of", &text(preset))
}

/// The rules in use, with what they feed. What the program itself supplies is in use without a file.
fn rules(mapping: &Mapping) -> impl Iterator<Item = (String, Table)> + '_ {
    mapping.derived.iter().filter_map(|derived| {
        let column = mapping.columns.iter().find(|column| column.index == derived.column)?;
        let is_own = column.source == MappingSource::Schema && derived.rule.source.is_none();
        let target = target_text(mapping.entity, &column.target).filter(|_| !is_own)?;
        Some((target, rule_table(&derived.rule)))
    })
}

/// Inserts a rule at a path of tables. A header that is called like a table gives way to it.
fn insert(tables: &mut Table, path: &[&str], rule: Table) {
    match path {
        [] => {}
        [name] => drop(tables.insert((*name).to_owned(), Value::Table(rule))),
        [name, rest @ ..] => {
            let mut inner = match tables.remove(*name) {
                Some(Value::Table(table)) => table,
                _ => Table::new(),
            };
            insert(&mut inner, rest, rule);
            tables.insert((*name).to_owned(), Value::Table(inner));
        }
    }
}

/// Appends the values of a table and then the tables in it. Unlike the serializer, it keeps the kind of a record on the
/// line of its value.
fn write_tables(out: &mut String, path: &str, table: &Table) {
    let (groups, values): (Vec<_>, Vec<_>) = table.iter().partition(|(_, value)| is_group(value));
    if !values.is_empty() {
        out.push_str(&format!("\n[{path}]\n"));
        values.iter().for_each(|(key, value)| out.push_str(&line(key, value)));
    }
    for (key, group) in groups {
        let path = if path.is_empty() { key_text(key) } else { format!("{path}.{}", key_text(key)) };
        match group {
            Value::Table(group) => write_tables(out, &path, group),
            Value::Array(groups) => {
                for group in groups.iter().filter_map(Value::as_table) {
                    out.push_str(&format!("\n[[{path}]]\n"));
                    group.iter().for_each(|(key, value)| out.push_str(&line(key, value)));
                }
            }
            _ => {}
        }
    }
}

/// Whether a value has lines of its own below its name.
fn is_group(value: &Value) -> bool {
    match value {
        Value::Table(table) => !table.keys().eq(["kind", "name"]),
        Value::Array(list) => list.iter().any(Value::is_table),
        _ => false,
    }
}

fn line(key: &str, value: &Value) -> String {
    format!("{} = {value}\n", key_text(key))
}

/// A key, in quotes where TOML wants them.
fn key_text(key: &str) -> String {
    let line = Table::from_iter([(key.to_owned(), Value::Boolean(true))]).to_string();
    line.trim_end().trim_end_matches(" = true").to_owned()
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn list(texts: &[String]) -> Value {
    Value::Array(texts.iter().map(|entry| text(entry)).collect())
}

fn rule_value(value: &RuleValue) -> Value {
    match &value.record_kind {
        None => text(&value.text),
        Some(kind) => {
            let words = [("kind", &kind.name), ("name", &value.text)];
            Value::Table(words.map(|(key, said)| (key.to_owned(), text(said))).into_iter().collect())
        }
    }
}

fn rule_table(rule: &FieldRule) -> Table {
    let join = |template: &JoinTemplate| ("join", Value::String(template.to_string()));
    let (source, joined) = match &rule.source {
        None => (None, None),
        Some(RuleSource::Column(header)) => (Some(("column", text(header))), None),
        Some(RuleSource::FirstOf(headers)) => (Some(("first_of", list(headers))), None),
        Some(RuleSource::Join(template)) => (None, Some(join(template))),
        Some(RuleSource::FirstOrJoin(headers, template)) => (Some(("first_of", list(headers))), Some(join(template))),
    };
    let strip = rule.strip.iter().map(|strip| strip.name().to_owned()).collect::<Vec<String>>();
    let values: Table = rule.values.iter().map(|(from, to)| (from.clone(), rule_value(to))).collect();
    let otherwise = rule.otherwise.as_ref().map(|otherwise| match otherwise {
        Otherwise::Error => text("error"),
        Otherwise::Keep => text("keep"),
        Otherwise::Value(value) => rule_value(value),
    });
    let verbs = [
        source,
        joined,
        (!strip.is_empty()).then(|| ("strip", list(&strip))),
        rule.format.as_deref().map(|format| ("format", text(format))),
        rule.invert.then_some(("invert", Value::Boolean(true))),
        otherwise.map(|value| ("otherwise", value)),
        rule.default.as_ref().map(|default| ("default", rule_value(default))),
        (!values.is_empty()).then(|| ("values", Value::Table(values))),
    ];
    verbs.into_iter().flatten().map(|(verb, value)| (verb.to_owned(), value)).collect()
}

fn formats_table(formats: &TextFormats) -> Table {
    let date = formats.date.as_deref().map(|date| ("date", text(date)));
    let decimal = formats.decimal.map(|mark| ("decimal", Value::from(mark.to_string())));
    date.into_iter().chain(decimal).map(|(key, value)| (key.to_owned(), value)).collect()
}

fn skip_table(skip: &SkipRule) -> Table {
    let condition = match &skip.condition {
        SkipCondition::Is(texts) => ("is", list(texts)),
        SkipCondition::Blank => ("blank", Value::Boolean(true)),
        SkipCondition::Filled => ("filled", Value::Boolean(true)),
    };
    [("column", list(&skip.headers)), condition].map(|(key, value)| (key.to_owned(), value)).into_iter().collect()
}
