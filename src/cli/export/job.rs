//! What an export is to do: what was typed and what config.toml says of it, made sense of.

use jiff::civil::DateTime;
use std::collections::BTreeMap;

use super::changes::CHANGES;
use super::destination::{self, Layout, Place};
use crate::cli::args::{ExportArgs, FormatName, IdsName};
use crate::cli::schema::entity;
use crate::error::Error;
use crate::export::{ConditionError, Direction, Ids, Wish};
use crate::schema::{ACTIVITY, COLLECTIONS, Entity, TENANTS};
use crate::table::write::output::{ByteOrderMark, CsvOptions, FileFormat, FormulaEscaping, OutputOptions};

/// What `register` is called where collections are named.
pub(super) const REGISTER: &str = "register";

/// One export, ready to be done for any account.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub name: Option<String>,
    pub entities: Vec<&'static Entity>,
    /// With its placeholders.
    pub output: String,
    pub layout: Layout,
    pub format: Option<FileFormat>,
    pub style: OutputOptions,
    pub ids: Ids,
    /// The columns chosen, by collection.
    pub columns: BTreeMap<&'static str, Vec<String>>,
    pub wishes: Vec<Wish>,
    pub since: Option<String>,
    pub sort: Option<(Option<&'static str>, String, Direction)>,
    pub reading: Reading,
    pub changes: Changes,
    pub keep: Option<u32>,
    pub tenants: Tenants,
}

/// How the account is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// What changed, where there is a copy.
    Changes,
    Whole,
    /// What changed, and then everything to compare the copy with.
    Verified,
}

/// Whether what changed since the last export of the name is written too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Changes {
    Told,
    NotTold,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tenants {
    One,
    All,
}

impl Job {
    /// # Errors
    /// Flags that contradict each other, or name what does not exist.
    pub(super) fn of(args: &ExportArgs, defaults: &BTreeMap<String, Vec<String>>) -> Result<Self, Error> {
        let entities = entities(args)?;
        let (output, layout, format) = destination::of(args)?;
        let mut wishes =
            args.wheres.iter().map(|text| Wish::parse(text).map_err(told)).collect::<Result<Vec<_>, _>>()?;
        wishes.extend(log_wishes(args, &entities)?);
        let delimiter = args.delimiter.as_deref().map(delimiter).transpose()?;
        let style = OutputOptions {
            csv: CsvOptions {
                byte_order_mark: if args.bom { ByteOrderMark::With } else { ByteOrderMark::Without },
                delimiter: delimiter.unwrap_or(b','),
                formula_escaping: if args.raw { FormulaEscaping::Off } else { FormulaEscaping::On },
            },
            title: String::from("Inventory"),
        };
        let job = Self {
            name: args.name.clone(),
            columns: columns(args, &entities, defaults)?,
            sort: args.sort.as_deref().map(sort).transpose()?,
            entities,
            output,
            layout,
            format,
            style,
            ids: args.ids.map_or(Ids::Both, Ids::from),
            wishes,
            since: args.since.as_deref().map(day).transpose()?,
            reading: match (args.verify, args.full) {
                (true, _) => Reading::Verified,
                (false, true) => Reading::Whole,
                (false, false) => Reading::Changes,
            },
            changes: if args.incremental { Changes::Told } else { Changes::NotTold },
            keep: args.keep,
            tenants: if args.all_tenants { Tenants::All } else { Tenants::One },
        };
        job.see_consistency()?;
        Ok(job)
    }

    fn see_consistency(&self) -> Result<(), Error> {
        let is_stdout = self.output == "-";
        if is_stdout && (self.keep.is_some() || self.changes == Changes::Told) {
            let what = "what goes to stdout can be neither kept nor compared";
            return Err(Error::usage(what, "name a file with -o"));
        }
        if self.keep == Some(0) {
            return Err(Error::usage("--keep 0 would delete the export itself", "keep at least 1"));
        }
        let has_day = self.layout == Layout::Partitioned || self.output.contains("{date}");
        if self.keep.is_some() && !has_day && !self.output.contains("{time}") {
            let hint = "put {date} into the name, such as nightly-{date}.xlsx";
            return Err(Error::usage("--keep needs names that differ from day to day", hint));
        }
        if self.changes == Changes::Told && self.entities.iter().any(|entity| !entity.is_collection()) {
            let what = "the activity log is itself a list of changes";
            return Err(Error::usage(what, "leave `activity` out, or --incremental"));
        }
        for wish in &self.wishes {
            if !self.entities.iter().any(|entity| wish.is_for(entity)) {
                let collection = wish.collection.as_deref().unwrap_or("none of the collections");
                let what = format!("`{}` is for {collection}, which is not exported", wish.field);
                return Err(Error::usage(what, "name the collection too, or leave the condition out"));
            }
        }
        Ok(())
    }

    /// Whether a tenant has a place of its own.
    pub(super) fn is_apart(&self) -> bool {
        self.output.contains("{tenant}")
    }

    /// The destinations with only days and times left open: of each table, where each has days of its own.
    pub(super) fn outputs_but_time(&self, tenant: Option<&str>) -> Result<Vec<String>, Error> {
        let output = fill_names(&self.output, self.name.as_deref(), tenant)?;
        if self.layout == Layout::Flat {
            return Ok(vec![output]);
        }
        let tables = self.entities.iter().map(|entity| entity.name.to_owned()).chain([CHANGES.to_lowercase()]);
        Ok(tables.map(|table| format!("{output}collection={table}/snapshot={{date}}/")).collect())
    }

    /// Where the files of an account go.
    ///
    /// # Errors
    /// A name that says no kind of file.
    pub(super) fn place(&self, tenant: Option<&str>, now: DateTime) -> Result<Place, Error> {
        let output = filled(&self.output, self.name.as_deref(), tenant, now)?;
        destination::place(&output, self.layout, self.format, now)
    }
}

impl From<FormatName> for FileFormat {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Xlsx => FileFormat::Xlsx,
            FormatName::Csv => FileFormat::Csv,
            FormatName::Jsonl => FileFormat::Jsonl,
            FormatName::Parquet => FileFormat::Parquet,
        }
    }
}

impl From<IdsName> for Ids {
    fn from(name: IdsName) -> Self {
        match name {
            IdsName::Both => Ids::Both,
            IdsName::Names => Ids::Names,
            IdsName::Only => Ids::Only,
        }
    }
}

pub(super) fn no_output() -> Error {
    Error::usage("nothing says where the export goes", "add -o with a file, a folder, or - for stdout")
}

/// What is wrong with a condition, as an error of the command line.
pub(super) fn told(error: ConditionError) -> Error {
    Error::usage(error.to_string(), error.hint())
}

/// The destination with its placeholders filled in.
pub(super) fn filled(pattern: &str, name: Option<&str>, tenant: Option<&str>, now: DateTime) -> Result<String, Error> {
    let path = fill_names(pattern, name, tenant)?.replace("{date}", &now.date().to_string());
    let time = format!("{:02}{:02}{:02}", now.hour(), now.minute(), now.second());
    let path = path.replace("{time}", &time);
    match path.find('{') {
        Some(open) if path[open..].contains('}') => {
            let what = format!("`{}` is no placeholder", &path[open..]);
            Err(Error::usage(what, "use {date}, {time}, {tenant} or {name}"))
        }
        _ => Ok(path),
    }
}

fn fill_names(pattern: &str, name: Option<&str>, tenant: Option<&str>) -> Result<String, Error> {
    let mut path = pattern.to_owned();
    if path.contains("{name}") {
        let name = name.ok_or_else(|| Error::usage("{name} stands for the --name, and there is none", "add --name"))?;
        path = path.replace("{name}", &file_word(name));
    }
    if path.contains("{tenant}") {
        let hint = "add --tenant or --all-tenants, or leave {tenant} out";
        let tenant = tenant.ok_or_else(|| Error::usage("{tenant} stands for a tenant, and none is meant", hint))?;
        path = path.replace("{tenant}", &file_word(tenant));
    }
    Ok(path)
}

/// A text as a part of a file name on every system.
fn file_word(text: &str) -> String {
    text.chars().map(|char| if char.is_alphanumeric() || "-_. ".contains(char) { char } else { '_' }).collect()
}

fn entities(args: &ExportArgs) -> Result<Vec<&'static Entity>, Error> {
    let mut entities: Vec<&'static Entity> = Vec::new();
    if args.all {
        entities.extend(COLLECTIONS.iter().copied());
    }
    for name in &args.entities {
        let entity = entity(name)?;
        if entity.is_action() || entity.name == TENANTS.name {
            let what = format!("`{}` cannot be exported", entity.name);
            return Err(Error::usage(what, "export a collection, or `activity` for what was done"));
        }
        if !entities.iter().any(|known| known.name == entity.name) {
            entities.push(entity);
        }
    }
    match entities.is_empty() {
        true => Err(Error::usage("nothing says what to export", "name collections such as `assets`, or add --all")),
        false => Ok(entities),
    }
}

/// `asset_id`, or `assets.asset_id` where there are several collections.
fn columns(
    args: &ExportArgs,
    entities: &[&'static Entity],
    defaults: &BTreeMap<String, Vec<String>>,
) -> Result<BTreeMap<&'static str, Vec<String>>, Error> {
    let mut columns: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    if args.columns.is_empty() {
        let chosen = entities.iter().filter_map(|entity| Some((entity.name, defaults.get(entity.name)?.clone())));
        return Ok(chosen.collect());
    }
    for column in &args.columns {
        let named = column.split_once('.').and_then(|(collection, column)| {
            let entity = crate::schema::find(collection)?;
            Some((entities.iter().find(|known| known.name == entity.name)?, column))
        });
        let (entity, column) = match (named, entities) {
            (Some(named), _) => named,
            (None, [entity]) => (entity, column.as_str()),
            (None, _) => {
                let what = format!("`{column}` does not say which collection it is a column of");
                return Err(Error::usage(what, format!("write {}.{column}", entities[0].name)));
            }
        };
        columns.entry(entity.name).or_default().push(column.to_owned());
    }
    Ok(columns)
}

fn sort(text: &str) -> Result<(Option<&'static str>, String, Direction), Error> {
    let (field, direction) = match text.rsplit_once(':') {
        Some((field, "desc")) => (field, Direction::Descending),
        Some((field, "asc")) => (field, Direction::Ascending),
        Some((field, _)) if field != "custom" => {
            return Err(Error::usage(format!("`{text}` is no order"), "write FIELD, FIELD:asc or FIELD:desc"));
        }
        _ => (text, Direction::Ascending),
    };
    match field.split_once('.').and_then(|(collection, field)| Some((crate::schema::find(collection)?, field))) {
        Some((entity, field)) => Ok((Some(entity.name), field.to_owned(), direction)),
        None => Ok((None, field.to_owned(), direction)),
    }
}

fn day(text: &str) -> Result<String, Error> {
    match text.parse::<jiff::civil::Date>() {
        Ok(day) => Ok(day.to_string()),
        Err(_) => Err(Error::usage(format!("`{text}` is no day"), "write it as YYYY-MM-DD, such as 2026-11-01")),
    }
}

fn delimiter(text: &str) -> Result<u8, Error> {
    match text {
        "tab" | "\t" | "\\t" => Ok(b'\t'),
        "," | ";" | "|" => Ok(text.as_bytes()[0]),
        _ => Err(Error::usage(format!("`{text}` is no delimiter"), "use `,` `;` `|` or `tab`")),
    }
}

/// The flags for the log, as conditions on it.
fn log_wishes(args: &ExportArgs, entities: &[&'static Entity]) -> Result<Vec<Wish>, Error> {
    let has_at = |text: &Option<String>| text.as_deref().is_some_and(|text| text.contains('@'));
    let kind = args.kind.as_deref().unwrap_or("Asset");
    let item_field = COLLECTIONS
        .iter()
        .find(|entity| entity.log_type().is_some_and(|logged| logged.eq_ignore_ascii_case(kind)))
        .and_then(|entity| entity.log_filter());
    if args.item.is_some() && item_field.is_none() {
        let what = format!("the log cannot be asked for one {kind}");
        return Err(Error::usage(what, "ask for an Asset, Accessory, Component, Consumable or License"));
    }
    let given = [
        ("date_from", args.from.as_deref().map(day).transpose()?),
        ("date_to", args.to.as_deref().map(day).transpose()?),
        ("type", args.kind.clone()),
        ("event", args.event.clone()),
        (if has_at(&args.user) { "user_email" } else { "user_id" }, args.user.clone()),
        (if has_at(&args.employee) { "employee_email" } else { "employee_id" }, args.employee.clone()),
        (item_field.map_or("asset_id", |field| field.name), args.item.clone()),
    ];
    let wishes: Vec<Wish> = given
        .into_iter()
        .filter_map(|(field, value)| {
            Some(Wish { collection: Some(ACTIVITY.name.to_owned()), field: field.to_owned(), value: value? })
        })
        .collect();
    if !wishes.is_empty() && !entities.iter().any(|entity| entity.name == ACTIVITY.name) {
        let what = "--from, --to, --type, --event, --user, --employee and --item pick entries of the activity log";
        return Err(Error::usage(what, "name `activity` too, or use --where for other collections"));
    }
    Ok(wishes)
}
