//! Keeps the mappings in use for the next file with the same header row.

use super::{InputOptions, InputSet, MappedSheet};
use crate::error::Result;
use crate::mapping::{NewMemory, RememberedMappingError};
use crate::observer::Observer;

impl InputSet {
    /// Remembers the mapping of every sheet for which the user, or a preset, has said anything.
    ///
    /// # Errors
    /// Where one cannot be kept.
    pub(super) fn remember_mappings(&self, options: &InputOptions, observer: &mut dyn Observer) -> Result<()> {
        let store = options.mapping.remembered.as_ref().ok_or(RememberedMappingError::NoFolder)?;
        let date = jiff::ZonedDateTime::now().date();
        let is_said = |sheet: &MappedSheet| options.entity.is_some() || sheet.mapping.is_made_by_user();
        for index in self.in_order().filter(|index| is_said(&self.sheets[*index])) {
            let sheet = &self.sheets[index];
            let input = &self.files[sheet.file].input;
            let (stem, file) = (input.stem(), input.file_name());
            let memory = NewMemory {
                header: &sheet.header,
                mapping: &sheet.mapping,
                preset: self.preset_of(index),
                stem: &stem,
                file: &file,
                date,
            };
            if let Some(name) = store.remember(&memory)? {
                let label = self.label(index);
                observer.on_note(&format!(
                    "{label}: the mapping is remembered as {name}, for every file with this header row"
                ));
            }
        }
        if !self.sheets.iter().any(is_said) {
            observer.on_note("nothing to remember: the headers are understood without flags");
        }
        Ok(())
    }
}
