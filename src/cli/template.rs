//! `tallyport template`: workbooks to fill in.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::args::{Global, TemplateArgs};
use super::printer::Printer;
use super::settings::connect;
use super::{Error, Exit, runtime};
use crate::api::Record;
use crate::schema::{COLLECTIONS, Entity, Reference, UnknownEntity, entity_named};
use crate::table::write::WriteError;
use crate::template::{self, LiveNames};

pub(super) fn run(global: &Global, args: &TemplateArgs, printer: Printer) -> Result<Exit, Error> {
    let workbooks = workbooks(&args.entities)?;
    let names = if args.live { Some(live_names(global, &workbooks)?) } else { None };
    fs::create_dir_all(&args.output).map_err(|source| WriteError::from_folder(&args.output, source))?;
    let mut written = Vec::new();
    for (name, entities) in workbooks {
        let path = args.output.join(format!("{name}.xlsx"));
        template::write(&entities, names.as_ref(), &path)?;
        written.push(path);
    }
    report(&written, printer)?;
    Ok(Exit::Success)
}

/// The names the account holds of every collection that the workbooks refer to: a collection a page at a time.
fn live_names(global: &Global, workbooks: &[(&str, Vec<&'static Entity>)]) -> Result<LiveNames, Error> {
    runtime()?.block_on(async {
        let account = connect(global).await?;
        let mut names = LiveNames::new();
        for collection in referenced(workbooks) {
            let records = account.client.all(collection, &[]).await?;
            for reference in references_to(collection, workbooks) {
                let listed = names.entry(template::names_key(reference)).or_default();
                if listed.is_empty() {
                    listed.extend(
                        records
                            .iter()
                            .filter(|record| counts(reference, record))
                            .filter_map(|record| name_of(collection, record)),
                    );
                }
            }
        }
        Ok(names)
    })
}

fn references(entities: &[&'static Entity]) -> impl Iterator<Item = Reference> {
    entities.iter().flat_map(|entity| entity.created_fields()).filter_map(|field| field.reference_to())
}

fn referenced(workbooks: &[(&str, Vec<&'static Entity>)]) -> Vec<&'static Entity> {
    let wanted: Vec<&str> =
        workbooks.iter().flat_map(|(_, entities)| references(entities)).map(|reference| reference.to).collect();
    COLLECTIONS.iter().copied().filter(|collection| wanted.contains(&collection.name)).collect()
}

fn references_to(collection: &Entity, workbooks: &[(&str, Vec<&'static Entity>)]) -> Vec<Reference> {
    let all = workbooks.iter().flat_map(|(_, entities)| references(entities));
    all.filter(|reference| reference.to == collection.name).collect()
}

/// Whether a reference can mean a record: an accessory's category has the type `accessory`.
fn counts(reference: Reference, record: &Record) -> bool {
    reference
        .narrowed
        .is_none_or(|(field, value)| record.get(field).and_then(Value::as_str).is_none_or(|held| held == value))
}

/// What a cell calls a record: its name, or an asset's tag.
fn name_of(collection: &Entity, record: &Record) -> Option<String> {
    record.get(collection.naming_field()?.name)?.as_str().map(ToOwned::to_owned)
}

/// A workbook per entity; where none is named, the whole set.
fn workbooks(names: &[String]) -> Result<Vec<(&'static str, Vec<&'static Entity>)>, Error> {
    if names.is_empty() {
        return Ok(template::all().collect());
    }
    let mut workbooks: Vec<(&str, Vec<&Entity>)> = Vec::new();
    for name in names {
        let entity = entity_named(name)?;
        if !entity.is_collection() && !entity.is_action() {
            return Err(UnknownEntity::OnlyListed { name: entity.name }.into());
        }
        if workbooks.iter().all(|(named, _)| *named != entity.name) {
            workbooks.push((entity.name, vec![entity]));
        }
    }
    Ok(workbooks)
}

fn report(written: &[PathBuf], printer: Printer) -> Result<(), Error> {
    let paths: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    if printer.json {
        printer.document(&format!("{:#}\n", json!({ "written": paths })))?;
    } else {
        let lines: String = paths.iter().map(|path| format!("wrote `{path}`\n")).collect();
        printer.say(&lines)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn named(names: &[&str]) -> Result<Vec<&'static str>, Error> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Ok(workbooks(&names)?.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn without_a_name_the_whole_set_is_meant() {
        let names = named(&[]).unwrap();
        assert_eq!(names.len(), 26);
        assert_eq!(names.last(), Some(&"onboarding"));
    }

    #[test]
    fn an_entity_named_twice_is_one_file() {
        assert_eq!(named(&["assets", "Inventory", "checkouts"]).unwrap(), ["assets", "checkout_asset"]);
    }

    #[test]
    fn a_file_is_no_folder_for_templates() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        fs::write(&file, "mine").unwrap();
        for output in [file.clone(), file.join("below")] {
            let error = WriteError::from_folder(&output, fs::create_dir_all(&output).unwrap_err());
            assert!(matches!(error, WriteError::NotFolder { .. }), "{error}");
        }
    }

    #[test]
    fn what_is_only_listed_has_no_template() {
        let error = named(&["activity"]).unwrap_err();
        assert_eq!(error.to_string(), "`activity` can only be listed, not filled in");
        assert_eq!(Exit::from(error.kind()), Exit::Usage);
    }
}
