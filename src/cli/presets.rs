//! `tallyport presets`: the mapping files that come with the program.

use serde_json::json;

use super::args::PresetsArgs;
use super::printer::Printer;
use super::{Error, Exit};
use crate::mapping::{PRESETS, Preset};

pub(super) fn run(args: &PresetsArgs, printer: Printer) -> Result<Exit, Error> {
    let as_json =
        |preset: &Preset| json!({"name": preset.name, "title": preset.title, "mapping": preset.to_mapping_file()});
    match (&args.name, printer.json) {
        (None, false) => printer.data(&list())?,
        (None, true) => {
            let presets: Vec<_> = PRESETS.iter().map(as_json).collect();
            printer.document(&format!("{:#}\n", json!({"presets": presets})))?;
        }
        (Some(name), false) => printer.data(&Preset::find(name)?.to_mapping_file())?,
        (Some(name), true) => printer.document(&format!("{:#}\n", as_json(Preset::find(name)?)))?,
    }
    Ok(Exit::Success)
}

/// A line for each preset.
fn list() -> String {
    let width = PRESETS.iter().map(|preset| preset.name.len()).max().unwrap_or_default();
    PRESETS.iter().map(|preset| format!("{:width$}  {}\n", preset.name, preset.title)).collect()
}
