//! Keeps the mappings in use for the next file with the same header row.

use super::{InputOptions, InputSet};
use crate::error::Result;
use crate::mapping::{Mapping, RememberedMappingError, UnsavedMapping};
use crate::observer::Observer;

impl InputSet {
    /// Remembers the mapping of every sheet for which the user, or a preset, has said anything.
    ///
    /// # Errors
    /// Where one cannot be kept.
    pub(super) fn remember_mappings(&self, options: &InputOptions, observer: &mut dyn Observer) -> Result<()> {
        let store = options.mapping.remembered.as_ref().ok_or(RememberedMappingError::NoFolder)?;
        let date = jiff::ZonedDateTime::now().date();
        let further = |index| self.further_of(index).into_iter().map(|index| &self.sheets[index].mapping);
        let is_said = |index: &usize| {
            let own = &self.sheets[*index].mapping;
            options.entity.is_some() || std::iter::once(own).chain(further(*index)).any(Mapping::is_made_by_user)
        };
        let said: Vec<usize> = self.in_order().filter(is_said).collect();
        for index in &said {
            let index = *index;
            let sheet = &self.sheets[index];
            let input = &self.files[sheet.file].input;
            let (stem, file) = (input.stem(), input.file_name());
            let unsaved = UnsavedMapping {
                header: &sheet.header,
                mapping: &sheet.mapping,
                further: further(index).collect(),
                preset: self.preset_of(index),
                stem: &stem,
                file: &file,
                sheet: sheet.name.as_deref(),
                date,
            };
            if let Some(name) = store.remember(&unsaved)? {
                let label = self.label(index);
                observer.on_note(&format!(
                    "{label}: the mapping is remembered as {name}, for every file with this header row"
                ));
            }
        }
        if said.is_empty() {
            observer.on_note("nothing to remember: the headers are understood without flags");
        }
        Ok(())
    }
}
