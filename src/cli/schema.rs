//! `tallyport schema`: what can be imported, as text for people and as JSON for scripts.

use std::fmt::Write;

use serde_json::{Value, json};

use super::args::SchemaArgs;
use super::printer::Printer;
use super::{Error, Exit};
use crate::schema::{self, ACTIONS, ACTIVITY, COLLECTIONS, Entity, Field, Kind, Role, TENANTS, TextForm, Use, Wire};
use crate::terminal::{FAINT, STRONG, Style};

/// Columns of the terminal the text is laid out for.
const WIDTH: usize = 80;

pub(super) fn run(args: &SchemaArgs, printer: Printer) -> Result<Exit, Error> {
    match (&args.entity, printer.json) {
        (None, false) => printer.data(&overview())?,
        (None, true) => printer.document(&document(&everything()))?,
        (Some(name), false) => printer.data(&describe(schema::entity_named(name)?))?,
        (Some(name), true) => printer.document(&document(&entity_json(schema::entity_named(name)?)))?,
    }
    Ok(Exit::Success)
}

// As JSON.

fn document(value: &Value) -> String {
    format!("{value:#}\n")
}

fn everything() -> Value {
    let listed = |entities: &[&Entity]| entities.iter().map(|entity| entity_json(entity)).collect::<Vec<_>>();
    json!({
        "collections": listed(COLLECTIONS),
        "actions": listed(ACTIONS),
        "listings": listed(&[&ACTIVITY, &TENANTS]),
    })
}

fn entity_json(entity: &Entity) -> Value {
    json!({
        "name": entity.name,
        "path": format!("/{}", entity.path),
        "help": entity.help,
        "also": entity.also,
        "operations": operations(entity.role),
        "key": entity.key,
        "fields": entity.fields.iter().map(field_json).collect::<Vec<_>>(),
        "filters": entity.filters().map(|field| field.name).collect::<Vec<_>>(),
        "sorts": entity.sorts,
    })
}

fn operations(role: Role) -> &'static [&'static str] {
    match role {
        Role::Collection { .. } => &["list", "get", "create", "update", "delete"],
        Role::Action(_) => &["create"],
        Role::Listing => &["list"],
    }
}

fn field_json(field: &Field) -> Value {
    let options = match field.kind {
        Kind::Option(choices) => Some(choices.create),
        _ => None,
    };
    json!({
        "name": field.name,
        "type": field.type_name(),
        "required_on_create": field.is_required(),
        "options": options,
        "references": field.reference_to().map(|reference| reference.to),
        "create": field.create != Use::No,
        "update": field.update,
        "help": field.help,
        "example": field.example,
        "also": field.also,
    })
}

// As text.

fn overview() -> String {
    let mut text = String::new();
    section(&mut text, "Collections, in the order they are imported", COLLECTIONS);
    section(&mut text, "Actions", ACTIONS);
    section(&mut text, "Only listed", &[&ACTIVITY, &TENANTS]);
    text.push_str("`tallyport schema assets` shows its fields, `--json` shows everything.\n");
    text
}

fn section(text: &mut String, title: &str, entities: &[&Entity]) {
    let name_width = widest(schema::importable().map(|entity| entity.name));
    put(text, STRONG, title);
    for entity in entities {
        let prefix = format!("  {:name_width$}  ", entity.name);
        block(text, &prefix, entity.help, Style::PLAIN);
        if !entity.key.is_empty() {
            block(text, &" ".repeat(prefix.len()), &format!("key: {}", entity.key.join(" + ")), FAINT);
        }
    }
    text.push('\n');
}

fn describe(entity: &Entity) -> String {
    let mut text = String::new();
    put(&mut text, STRONG, entity.name);
    block(&mut text, "", entity.help, Style::PLAIN);
    if !entity.key.is_empty() {
        block(
            &mut text,
            "",
            &format!("Key, by which a row finds its record: {}.", entity.key.join(" + ")),
            Style::PLAIN,
        );
    }
    if entity.whole_quantity().is_some() {
        block(&mut text, "", "A check-out comes back as a whole: there is no quantity.", Style::PLAIN);
    }
    block(&mut text, "", &format!("Also called: {}.", entity.also.join(", ")), Style::PLAIN);
    text.push('\n');

    let written: Vec<&Field> = entity.fields.iter().filter(|field| field.is_written()).collect();
    if !written.is_empty() {
        table(&mut text, &written);
    }
    let beside: [(&str, Vec<&Field>); 2] = [
        ("Only read", entity.fields.iter().filter(|field| field.read && !field.is_written()).collect()),
        ("Lists can be filtered by", entity.filters().collect()),
    ];
    for (title, fields) in beside {
        if !fields.is_empty() {
            let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
            block(&mut text, "", &format!("{title}: {}.", names.join(", ")), Style::PLAIN);
        }
    }
    text
}

/// Name, type and requiredness in columns, then what the field accepts and the header words it goes by.
fn table(text: &mut String, fields: &[&Field]) {
    let name_width = widest(fields.iter().map(|field| field.name));
    let type_width = widest(fields.iter().map(|field| field.type_name()));
    put(text, STRONG, &format!("{:name_width$}  {:type_width$}  {:8}  accepts", "field", "type", "required"));
    for field in fields {
        let required = if field.is_required() { "yes" } else { "no" };
        let prefix = format!("{:name_width$}  {:type_width$}  {required:8}  ", field.name, field.type_name());
        let indent = " ".repeat(prefix.len());
        block(text, &prefix, field.help, Style::PLAIN);
        block(text, &indent, &accepts(field), Style::PLAIN);
        words(text, &indent, "headers", field.also);
        let related: Vec<&str> = field.related.iter().filter_map(|related| related.also.first().copied()).collect();
        if !related.is_empty() {
            block(text, &indent, &format!("told more by: {}", related.join(", ")), FAINT);
        }
    }
    text.push('\n');
}

/// What a cell may hold, with a value that would be right.
fn accepts(field: &Field) -> String {
    match field.kind {
        Kind::Text(TextForm::Plain) => format!("Text: {}", field.example),
        Kind::Text(TextForm::Email) => format!("E-mail address: {}", field.example),
        Kind::Text(TextForm::Url) => format!("Link: {}", field.example),
        Kind::Integer { least } => format!("Whole number from {least}: {}", field.example),
        Kind::Money => format!("Amount: {}", field.example),
        Kind::Date => format!("Date: {}", field.example),
        Kind::Boolean => "yes or no".to_owned(),
        Kind::Currency => format!("ISO 4217 code: {}", field.example),
        Kind::Option(choices) => format!("One of: {}", choices.create.join(", ")),
        Kind::Reference(reference) => match reference.wire {
            Wire::Tag => format!("Tag or #id of {}: {}", reference.to, field.example),
            Wire::Id => format!("Name or #id of {}: {}", reference.to, field.example),
        },
        Kind::User => format!("User id or e-mail address: {}", field.example),
        Kind::CustomFields => format!("JSON: {}", field.example),
        Kind::Structure => String::new(),
    }
}

/// As many header words as fit on one line; `--json` has them all.
fn words(text: &mut String, indent: &str, title: &str, words: &[&str]) {
    if words.is_empty() {
        return;
    }
    let room = WIDTH - indent.len();
    let whole = format!("{title}: {}", words.join(", "));
    if whole.chars().count() <= room {
        block(text, indent, &whole, FAINT);
        return;
    }
    let fitting = (1..words.len())
        .rev()
        .map(|shown| format!("{title}: {} and {} more", words[..shown].join(", "), words.len() - shown));
    let line = fitting.into_iter().find(|line| line.chars().count() <= room);
    block(text, indent, &line.unwrap_or(whole), FAINT);
}

/// A paragraph wrapped to the terminal: `prefix` on its first line, blanks of that width on the others.
fn block(text: &mut String, prefix: &str, paragraph: &str, style: Style) {
    let indent = prefix.chars().count();
    let mut line = String::new();
    let mut lead = prefix.to_owned();
    for word in paragraph.split(' ') {
        if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&lead);
            put(text, style, &line);
            lead = " ".repeat(indent);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    text.push_str(&lead);
    put(text, style, &line);
}

fn put(text: &mut String, style: Style, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{style}{line}{style:#}");
}

fn widest<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn plain(text: &str) -> String {
        crate::terminal::unstyled(text)
    }

    #[test]
    fn a_small_collection_reads_well() {
        let expected = "\
depreciations
Schedules by which things lose value.
Key, by which a row finds its record: name.
Also called: depreciation schedules, depreciation methods, depreciation list,
abschreibungen, amortissements.

field          type     required  accepts
name           text     yes       What the schedule is called.
                                  Text: Laptops 3 years
                                  headers: depreciation and 8 more
months         integer  yes       How many months it takes.
                                  Whole number from 1: 36
                                  headers: number of months and 6 more
minimum_value  money    no        The value that is left at the end.
                                  Amount: 100
                                  headers: min value, residual value and 4 more

Lists can be filtered by: name, months, minimum_value.
";
        assert_eq!(plain(&describe(schema::entity_named("depreciation").unwrap())), expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let described = schema::importable().chain([&ACTIVITY, &TENANTS]).map(describe);
        for text in described.chain([overview()]) {
            for line in plain(&text).lines() {
                // A word, such as an address, is not broken.
                assert!(line.chars().count() <= WIDTH || !line.trim_start().contains(' '), "{line}");
                assert_eq!(line, line.trim_end());
            }
        }
    }

    #[test]
    fn scripts_get_everything() {
        let value = everything();
        let count = |group: &str| value[group].as_array().unwrap().len();
        assert_eq!((count("collections"), count("actions"), count("listings")), (16, 9, 2));
        let assets = entity_json(schema::entity_named("inventory").unwrap());
        assert_eq!(assets["path"], "/assets");
        assert_eq!(assets["operations"], json!(["list", "get", "create", "update", "delete"]));
        assert_eq!(assets["key"], json!(["asset_id"]));
        let product = assets["fields"].as_array().unwrap().iter().find(|field| field["name"] == "product_id").unwrap();
        assert_eq!(product["references"], "products");
        assert_eq!(product["required_on_create"], true);
        assert_eq!(product["options"], Value::Null);
        let checkout = entity_json(schema::entity_named("checkout_asset").unwrap());
        assert_eq!(checkout["path"], "/checkout/asset");
        assert_eq!(checkout["operations"], json!(["create"]));
    }

    #[test]
    fn an_unknown_name_comes_with_the_nearest() {
        let error = Error::from(schema::entity_named("asets").unwrap_err());
        assert_eq!(Exit::from(error.kind()), Exit::Usage);
        assert_eq!(error.to_string(), "unknown name `asets`");
        assert_eq!(error.hint().as_deref(), Some("did you mean `assets`? `tallyport schema` lists all names"));
    }
}
