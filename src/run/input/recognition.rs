//! What told what a sheet is, for people.

use super::MappedSheet;
use crate::check::{Remark, RemarkCode};
use crate::mapping::{ColumnTarget, Ignored, Preset};
use crate::schema::Entity;
use crate::wording::counted;

impl MappedSheet {
    /// What told what the sheet is, where that was not its name.
    pub(super) fn recognition(&self) -> Option<Remark> {
        let Some(preset) = self.preset else { return self.doubt.clone() };
        let unknown = ColumnTarget::Ignored(Ignored::Unknown);
        let columns: Vec<bool> = self.mapping.sheet_columns().map(|column| column.target != unknown).collect();
        let (known, all) =
            (columns.iter().filter(|is_known| **is_known).count(), counted(columns.len() as u64, "column"));
        let message = format!("recognised: {}, {known} of {all} known (preset {})", preset.title, preset.name);
        Some(Remark::new(RemarkCode::PresetRecognized, message))
    }
}

/// What else a sheet of the entity may be: what its name says, or one of several presets.
pub(super) fn doubt(entity: &Entity, named: Option<&Entity>, presets: &[&Preset]) -> Option<Remark> {
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
