//! `tallyport template`: workbooks to fill in.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::args::{Global, TemplateArgs};
use super::printer::Printer;
use super::schema::entity;
use super::{Error, Exit};
use crate::schema::Entity;
use crate::table::write::WriteError;
use crate::template;

pub(super) fn run(_global: &Global, args: &TemplateArgs, printer: Printer) -> Result<Exit, Error> {
    if args.live {
        return Err(Error::LiveNames);
    }
    let workbooks = workbooks(&args.entities)?;
    fs::create_dir_all(&args.output).map_err(|source| WriteError::from_io(&args.output, source))?;
    let mut written = Vec::new();
    for (name, entities) in workbooks {
        let path = args.output.join(format!("{name}.xlsx"));
        template::write(&entities, None, &path)?;
        written.push(path);
    }
    report(&written, printer)?;
    Ok(Exit::Success)
}

/// A workbook per entity; where none is named, the whole set.
fn workbooks(names: &[String]) -> Result<Vec<(&'static str, Vec<&'static Entity>)>, Error> {
    if names.is_empty() {
        return Ok(template::all().collect());
    }
    let mut workbooks: Vec<(&str, Vec<&Entity>)> = Vec::new();
    for name in names {
        let entity = entity(name)?;
        if !entity.is_collection() && !entity.is_action() {
            return Err(Error::OnlyListed { name: entity.name });
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
        printer.data(&format!("{:#}\n", json!({ "written": paths })))?;
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
    fn what_is_only_listed_has_no_template() {
        let error = named(&["activity"]).unwrap_err();
        assert_eq!(error.to_string(), "`activity` can only be listed, not filled in");
        assert_eq!(error.exit(), Exit::Usage);
    }
}
