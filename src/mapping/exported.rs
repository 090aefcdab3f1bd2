//! Sheets written by an export, edited or not.
//!
//! An export puts every field under its own name, a reference's name under `product_name` next to `product_id`, and
//! everything else the service returned under its original name. Such a name may be spelled like a field, or be an
//! alias for one, but if the field's own column exists, it does not mean that field. So in a sheet with `id` and
//! `updated_at`, two columns that no person would add, a header that only resembles a field is ignored if the field
//! has a column under its own name. Other sheets are read normally.

use super::{Column, ColumnTarget, IdOwnership, Ignored, MappingOverrides, headers};
use crate::schema::{Entity, Field, Kind, UPDATED_AT};
use crate::table::Row;

/// Header of the id column.
const ID: &str = "id";

/// The headers of a sheet that an export wrote.
#[derive(Debug)]
pub(super) struct ExportedSheet<'h> {
    headers: Vec<&'h str>,
}

impl<'h> ExportedSheet<'h> {
    /// `None` if the sheet does not look like an export.
    pub(super) fn of(entity: &Entity, header: &'h Row) -> Option<Self> {
        let headers: Vec<&str> =
            (0..header.len()).map(|column| header.cell(column).text.trim()).filter(|text| !text.is_empty()).collect();
        let has = |name: &str| headers.contains(&name);
        (entity.is_collection() && has(ID) && has(UPDATED_AT)).then_some(Self { headers })
    }

    /// Whether the field has a column under its own name.
    pub(super) fn has_own_column(&self, entity: &Entity, field: &str) -> bool {
        entity.field(field).is_some_and(|field| self.headers.iter().any(|header| is_own_header(field, header)))
    }

    /// Ignores columns that feed a field, the id or an action under an alias if a column with the exact name exists.
    /// Columns mapped by the user are kept.
    pub(super) fn prefer_own_headers(&self, entity: &Entity, columns: &mut [Column], overrides: &MappingOverrides) {
        for column in columns.iter_mut().filter(|column| headers::override_for(&column.header, overrides).is_none()) {
            let is_superseded = match &column.target {
                ColumnTarget::Field { field, .. } => {
                    let field = &entity.fields[*field];
                    !is_own_header(field, &column.header) && self.has_own_column(entity, field.name)
                }
                ColumnTarget::Custom(name) => self.is_other_spelling(&column.header, &format!("custom:{name}")),
                ColumnTarget::Id(own) => *own == IdOwnership::Unverified && self.is_other_spelling(&column.header, ID),
                ColumnTarget::Action => self.is_other_spelling(&column.header, "_action"),
                ColumnTarget::Timestamp(stamp) => self.is_other_spelling(&column.header, stamp.name()),
                ColumnTarget::Related { .. } | ColumnTarget::Result(_) | ColumnTarget::Ignored(_) => false,
            };
            if is_superseded {
                column.target = ColumnTarget::Ignored(Ignored::Superseded);
            }
        }
    }

    fn is_other_spelling(&self, header: &str, own: &str) -> bool {
        header != own && self.headers.contains(&own)
    }
}

/// `product_id`, and `product_name` next to it.
fn is_own_header(field: &Field, header: &str) -> bool {
    let is_name_of = |base: &str| header.strip_suffix("_name") == Some(base);
    header == field.name
        || (matches!(field.kind, Kind::Reference(_)) && field.name.strip_suffix("_id").is_some_and(is_name_of))
}
