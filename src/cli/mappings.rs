//! `tallyport mappings`: the mappings that are remembered for header rows.

use serde_json::{Value as Json, json};

use super::args::{MappingsArgs, MappingsCommand};
use super::printer::Printer;
use super::settings::remembered_mappings;
use super::{Error, Exit};
use crate::mapping::StoredMapping;
use crate::wording::counted;

pub(super) fn run(args: &MappingsArgs, printer: Printer) -> Result<Exit, Error> {
    let store = remembered_mappings()?;
    match &args.command {
        Some(MappingsCommand::Forget { name }) => {
            store.forget(name)?;
            printer.note(&format!("forgot {name}"));
            if printer.json {
                printer.document(&format!("{}\n", json!({ "forgotten": name })))?;
            }
        }
        None => {
            let stored = store.list()?;
            if printer.json {
                let mappings: Vec<Json> = stored.iter().map(as_json).collect();
                printer.document(&format!("{}\n", json!({ "mappings": mappings })))?;
            } else {
                printer.data(&text(&stored))?;
            }
        }
    }
    Ok(Exit::Success)
}

fn as_json(stored: &StoredMapping) -> Json {
    match &stored.mapping {
        Ok(mapping) => json!({
            "name": stored.name,
            "entity": mapping.entity.name,
            "date": mapping.date.to_string(),
            "file": mapping.file,
            "columns": mapping.columns,
            "preset": mapping.preset,
        }),
        Err(error) => json!({ "name": stored.name, "error": error.to_string() }),
    }
}

/// A line for each mapping, in columns.
fn text(stored: &[StoredMapping]) -> String {
    if stored.is_empty() {
        return String::from("No mapping is remembered. `tallyport check FILE --remember` keeps the one in use.\n");
    }
    let width = |cell: fn(&StoredMapping) -> usize| stored.iter().map(cell).max().unwrap_or_default();
    let names = width(|stored| stored.name.chars().count());
    let entities = width(|stored| stored.mapping.as_ref().map_or(0, |mapping| mapping.entity.name.len()));
    let line = |stored: &StoredMapping| match &stored.mapping {
        Ok(mapping) => format!(
            "{:names$}  {:entities$}  {}  {}, {}\n",
            stored.name,
            mapping.entity.name,
            mapping.date,
            mapping.file,
            counted(mapping.columns, "column")
        ),
        Err(error) => format!("{:names$}  {error}\n", stored.name),
    };
    stored.iter().map(line).collect()
}
