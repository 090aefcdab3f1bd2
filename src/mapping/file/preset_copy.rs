//! Mapping files that are copies of presets: printed by `tallyport presets NAME`, or saved from a file that was read by
//! one. What such a file says as the preset does is read as that of the preset: its columns may be missing. What somebody
//! has changed or added is theirs.

use std::collections::HashSet;

use super::MappingFile;
use crate::mapping::presets::Preset;
use crate::mapping::rule::{FieldRule, FurtherRecords, SkipRule};
use crate::mapping::{MappingOverride, MappingSource};
use crate::schema::{Entity, HeaderText};
use crate::table::Row;

/// Which header feeds what, both as they are compared. The header is empty for a value that needs none.
type Statement = (String, String);

impl MappingFile {
    /// The preset that the file is a copy of, for an entity.
    pub(crate) fn copied_preset(&self, entity: &Entity) -> Option<&'static Preset> {
        self.copies.iter().find(|(_, file)| file.is_about(entity)).map(|(preset, _)| *preset)
    }

    /// Tells what is the preset's from what is the user's. The headers of both are in the language of a header row.
    pub(super) fn with_origins(mut self, header: &Row) -> Self {
        let mut known: HashSet<Statement> = HashSet::new();
        for (_, file) in &self.copies {
            known.extend(file.in_language_of(header).statements());
        }
        let source = |own: MappingSource, said: &[Statement]| {
            if said.iter().all(|statement| known.contains(statement)) { MappingSource::Preset } else { own }
        };
        for section in &mut self.sections {
            for entry in &mut section.overrides {
                entry.source = source(entry.source, &[of_override(entry)]);
            }
            for rule in &mut section.rules {
                rule.origin.source = source(rule.origin.source, &of_rule("", rule));
            }
            for skip in &mut section.skips {
                skip.origin.source = source(skip.origin.source, &of_skip(skip));
            }
            for further in &mut section.also {
                further.origin.source = source(further.origin.source, &of_further(further));
                for rule in &mut further.rules {
                    rule.origin.source = source(rule.origin.source, &of_rule(further.entity.name, rule));
                }
            }
        }
        self
    }

    fn statements(&self) -> HashSet<Statement> {
        let mut all = HashSet::new();
        for section in &self.sections {
            all.extend(section.overrides.iter().map(of_override));
            all.extend(section.skips.iter().flat_map(of_skip));
            let own = section.rules.iter().map(|rule| ("", rule));
            let further = section.also.iter().flat_map(|also| also.rules.iter().map(|rule| (also.entity.name, rule)));
            for (of, rule) in own.chain(further) {
                all.extend(of_rule(of, rule));
                all.insert(statement(&target(of, rule), ""));
            }
        }
        all
    }
}

fn statement(target: &str, header: &str) -> Statement {
    (target.trim().to_owned(), HeaderText::parse(header).whole)
}

/// What a rule feeds: of further records, with their collection.
fn target(of: &str, rule: &FieldRule) -> String {
    if of.is_empty() { rule.target.clone() } else { format!("{of}.{}", rule.target) }
}

fn of_override(entry: &MappingOverride) -> Statement {
    statement(&entry.target, &entry.header)
}

fn of_rule(of: &str, rule: &FieldRule) -> Vec<Statement> {
    let target = target(of, rule);
    match &rule.source {
        Some(source) => source.headers().into_iter().map(|header| statement(&target, header)).collect(),
        None => vec![statement(&target, "")],
    }
}

fn of_skip(skip: &SkipRule) -> Vec<Statement> {
    skip.headers.iter().map(|header| statement("[[skip]]", header)).collect()
}

fn of_further(further: &FurtherRecords) -> Vec<Statement> {
    further.rules.iter().flat_map(|rule| of_rule(further.entity.name, rule)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::mapping::PRESETS;

    /// What a file says of assets, in the order of the file, and whose it is.
    fn sources(text: &str, header: &[&str]) -> Vec<(String, MappingSource)> {
        let file = MappingFile::parse(text, MappingSource::MappingFile, "m.toml").unwrap();
        let mut row = Row::default();
        row.clear(1);
        header.iter().for_each(|cell| row.push_csv(cell));
        let file = file.in_language_of(&row);
        let assets = crate::schema::collection("assets").unwrap();
        let plain = file.overrides(assets).into_iter().map(|entry| (entry.header, entry.source));
        plain.chain(file.rules(assets).into_iter().map(|rule| (rule.target, rule.origin.source))).collect()
    }

    #[test]
    fn what_a_copy_says_as_the_preset_does_is_the_presets() {
        let text = "copy_of = \"lansweeper-assets\"\nentity = \"assets\"\n[assets]\nDepartment = \"department_id\"\n\
                    Domain = \"\"\nCustom1 = \"custom:Room\"\nShelf = \"\"\n[fields.asset_id]\nfirst_of = [\"BarCode\"]\n\
                    [fields.notes]\ncolumn = \"Custom2\"\n[fields.status_id]\ndefault = \"Ready\"\n";
        let (theirs, own) = (MappingSource::Preset, MappingSource::MappingFile);
        let told = sources(text, &["BarCode"]);
        let of = |name: &str| told.iter().find(|(known, _)| known == name).unwrap().1;
        for name in ["Department", "Domain", "asset_id", "status_id"] {
            assert_eq!(of(name), theirs, "{name}");
        }
        for name in ["Custom1", "Shelf", "notes"] {
            assert_eq!(of(name), own, "{name}");
        }
        let other = text.replace("copy_of", "preset");
        assert!(sources(&other, &["BarCode"]).iter().all(|(_, source)| *source == own));
    }

    #[test]
    fn a_copy_knows_the_headers_of_other_languages() {
        let text = "copy_of = \"snipe-it-assets\"\n[fields.product_id]\ncolumn = \"Model\"\n";
        let saved = text.replace("Model", "Modell");
        for text in [text, &saved] {
            let told = sources(text, &["Seriennummer", "Modell", "Hersteller", "Kaufdatum"]);
            assert_eq!(told, [(String::from("product_id"), MappingSource::Preset)]);
        }
    }

    #[test]
    fn every_printed_preset_is_a_copy_of_itself() {
        for preset in PRESETS {
            let text = preset.to_mapping_file();
            let file = MappingFile::parse(&text, MappingSource::MappingFile, preset.name).unwrap();
            let printed = file.in_language_of(&Row::default());
            let (mut own, mut all) = (0, 0);
            for section in &printed.sections {
                let sources = (section.overrides.iter().map(|entry| entry.source))
                    .chain(section.rules.iter().map(|rule| rule.origin.source))
                    .chain(section.skips.iter().map(|skip| skip.origin.source))
                    .chain(section.also.iter().map(|also| also.origin.source));
                sources.for_each(|source| {
                    all += 1;
                    own += usize::from(source != MappingSource::Preset);
                });
            }
            assert!(all > 0 && own == 0 && printed.is_preset, "{}", preset.name);
        }
    }
}
