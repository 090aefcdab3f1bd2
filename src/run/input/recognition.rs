//! What told what a sheet is, for people.

use std::collections::HashSet;

use super::MappedSheet;
use super::options::{ParsedOptions, SkipReason};
use crate::check::{Remark, RemarkCode};
use crate::error::Result;
use crate::mapping::{
    Column, ColumnTarget, DetectedEntity, IdOwnership, Ignored, MappingFile, Preset, Recognition, Recognized,
    RememberedMapping, find_header, header_keys,
};
use crate::schema::Entity;
use crate::table::Row;
use crate::wording::counted;

/// A sheet of which is known what it holds.
pub(super) struct IdentifiedSheet {
    pub(super) entity: &'static Entity,
    pub(super) header: Row,
    /// The export of another tool that it is.
    pub(super) recognized: Option<Recognized>,
    /// The mapping that was remembered for its header row.
    pub(super) remembered: Option<RememberedMapping>,
    /// What else it may be.
    pub(super) doubt: Option<Remark>,
}

impl ParsedOptions<'_> {
    /// Finds out what a sheet holds, from its name, the name of its file and its first rows; `alone` is the only sheet
    /// there is.
    ///
    /// # Errors
    /// Where a remembered mapping is damaged.
    pub(super) fn identify(
        &self,
        (sheet, stem, alone): (Option<&str>, &str, bool),
        rows: &[Row],
    ) -> Result<std::result::Result<IdentifiedSheet, SkipReason>> {
        let (known_row, remembered) = match self.remembered((sheet, stem), rows)? {
            Ok(remembered) => remembered.unzip(),
            Err(reason) => return Ok(Err(reason)),
        };
        let Recognition { found, candidates } = self.recognize(rows);
        // Somebody has said what such a file is.
        let recognized = found.filter(|_| remembered.is_none());
        let known = remembered.as_ref().map(|known| known.entity).or(recognized.as_ref().map(|known| known.entity));
        let detected = match known {
            Some(entity) => Ok(DetectedEntity { entity, overruled: None }),
            None => self.detect_entity(sheet, stem, rows, alone),
        };
        let DetectedEntity { entity, overruled } = match detected {
            Ok(detected) => detected,
            Err(reason) => return Ok(Err(reason)),
        };
        let row = known_row
            .or(recognized.as_ref().map(|known| known.row))
            .or_else(|| self.row_of_mapping_file(entity, rows))
            .or_else(|| find_header(rows, &[entity]));
        let Some(header) = row.map(|row| rows[row].clone()) else { return Ok(Err(SkipReason::Empty)) };
        let doubt = doubt(entity, overruled, &candidates);
        Ok(Ok(IdentifiedSheet { entity, header, recognized, remembered, doubt }))
    }
}

impl MappedSheet {
    /// What told what the sheet is, where that was not its name.
    pub(super) fn recognition(&self) -> Option<Remark> {
        let Some(preset) = self.preset else { return self.doubt.clone() };
        let columns: Vec<&Column> = self.mapping.sheet_columns().collect();
        let known = self.known_to(preset, &columns);
        let all = counted(columns.len() as u64, "column");
        let message = format!("recognized: {}, {known} of {all} known (preset {})", preset.title, preset.name);
        Some(Remark::new(RemarkCode::PresetRecognized, message))
    }

    /// How many columns the preset names. What only other words for a field explain may be of any tool.
    fn known_to(&self, preset: &Preset, columns: &[&Column]) -> usize {
        let Ok(file) = MappingFile::preset(preset.name) else { return 0 };
        let file = file.in_language_of(&self.header);
        let named: HashSet<String> = file.headers(self.mapping.entity).flat_map(header_keys).collect();
        let is_known = |column: &&&Column| match column.target {
            // Our own, or never read whatever a preset says.
            ColumnTarget::Id(IdOwnership::Verified)
            | ColumnTarget::Action
            | ColumnTarget::Result(_)
            | ColumnTarget::Ignored(Ignored::Secret) => true,
            _ => header_keys(&column.header).iter().any(|key| named.contains(key)),
        };
        columns.iter().filter(is_known).count()
    }
}

/// What else a sheet of the entity may be: what its name says, or one of several presets.
fn doubt(entity: &Entity, named: Option<&Entity>, presets: &[&Preset]) -> Option<Remark> {
    if let Some(named) = named {
        let message = format!(
            "read as {}: its headers say so, though its name says {}; --entity says otherwise",
            entity.name, named.name
        );
        return Some(Remark::new(RemarkCode::EntityByHeaders, message));
    }
    let names: Vec<&str> = presets.iter().map(|preset| preset.name).collect();
    (!names.is_empty()).then(|| {
        let message = format!("its headers fit several presets: {}; --preset NAME says which", names.join(", "));
        Remark::new(RemarkCode::PresetAmbiguous, message)
    })
}
