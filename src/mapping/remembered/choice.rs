//! Which of the mappings that are remembered for one header row fits a sheet.

use super::RememberedMapping;
use crate::mapping::entity::{EntityDetectionError, detect_entity, named_entity};
use crate::schema::Entity;
use crate::table::Row;

/// The one of the mappings remembered for a header row that fits a sheet, which nobody says the collection of. What the name
/// of the sheet or file says is stronger evidence than a mapping that was made for another sheet. Where that and all mappings
/// contradict each other, none fits.
///
/// # Errors
/// If several fit, and nothing tells which.
pub(crate) fn choose_remembered(
    mut found: Vec<RememberedMapping>,
    (sheet, stem): (Option<&str>, &str),
    rows: &[Row],
) -> Result<Option<RememberedMapping>, EntityDetectionError> {
    if found.is_empty() {
        return Ok(None);
    }
    let named = named_entity(sheet, stem);
    let detected = || detect_entity(sheet, stem, rows).ok().map(|detected| detected.entity);
    let position = match named {
        Some(named) => position_of(&found, named)
            // Whoever made it has said what a sheet of such a name holds.
            .or_else(|| found.iter().position(|known| known.named().is_some_and(|other| other.name == named.name)))
            .or_else(|| position_of(&found, detected()?)),
        None if found.len() == 1 => Some(0),
        None => match detected().and_then(|entity| position_of(&found, entity)) {
            None => {
                let entities = found.iter().map(|known| known.entity.name).collect();
                return Err(EntityDetectionError::Remembered(entities));
            }
            position => position,
        },
    };
    Ok(position.map(|position| found.swap_remove(position)))
}

fn position_of(found: &[RememberedMapping], entity: &Entity) -> Option<usize> {
    found.iter().position(|known| known.entity.name == entity.name)
}
