//! Sheets that an export wrote, edited or not.
//!
//! An export puts every field under its own name, a reference's name under `product_name` beside `product_id`, and
//! whatever else the service sent under the name that it came by. Such a name may be spelled like a field, or be a word
//! that people use for one; but where the field's own column is there, it is not meant. So in a sheet that has the two
//! columns no person would add, `id` and `updated_at`, what only resembles a field is ignored as long as the field has
//! a column under its own name. Elsewhere a sheet is somebody's own, and read as such.

use super::{Column, Ignored, OwnIds, To, Wishes, headers};
use crate::schema::{Entity, Field, Kind};
use crate::table::Row;

/// The header over the records' ids.
const ID: &str = "id";
/// When the service made a record, and when it last changed it.
pub(super) const CREATED_AT: &str = "created_at";
pub(super) const UPDATED_AT: &str = "updated_at";

/// The headers of a sheet that an export wrote.
#[derive(Debug)]
pub(super) struct Exported<'h> {
    headers: Vec<&'h str>,
}

impl<'h> Exported<'h> {
    /// None where the sheet does not look like an export.
    pub(super) fn of(entity: &Entity, header: &'h Row) -> Option<Self> {
        let headers: Vec<&str> =
            (0..header.len()).map(|column| header.cell(column).text.trim()).filter(|text| !text.is_empty()).collect();
        let has = |name: &str| headers.contains(&name);
        (entity.is_collection() && has(ID) && has(UPDATED_AT)).then_some(Self { headers })
    }

    /// Whether the field of that name has a column of its own.
    pub(super) fn has_own_column(&self, entity: &Entity, field: &str) -> bool {
        entity.field(field).is_some_and(|field| self.headers.iter().any(|header| is_own_header(field, header)))
    }

    /// Ignores what feeds a field, the id or an action under another header than its own, where its own is there. What
    /// the user maps is left alone.
    pub(super) fn prefer_own_headers(&self, entity: &Entity, columns: &mut [Column], wishes: &Wishes) {
        for column in columns.iter_mut().filter(|column| headers::wish_for(&column.header, wishes).is_none()) {
            let is_outranked = match &column.to {
                To::Field { field, .. } => {
                    let field = &entity.fields[*field];
                    !is_own_header(field, &column.header) && self.has_own_column(entity, field.name)
                }
                To::Custom(name) => self.is_other_spelling(&column.header, &format!("custom:{name}")),
                To::Id(own) => *own == OwnIds::Doubtful && self.is_other_spelling(&column.header, ID),
                To::Action => self.is_other_spelling(&column.header, "_action"),
                To::Stamp(stamp) => self.is_other_spelling(&column.header, stamp.name()),
                To::Related { .. } | To::Result(_) | To::Ignored(_) => false,
            };
            if is_outranked {
                column.to = To::Ignored(Ignored::Outranked);
            }
        }
    }

    fn is_other_spelling(&self, header: &str, own: &str) -> bool {
        header != own && self.headers.contains(&own)
    }
}

/// `product_id`, and `product_name` beside it.
fn is_own_header(field: &Field, header: &str) -> bool {
    let is_name_of = |base: &str| header.strip_suffix("_name") == Some(base);
    header == field.name
        || (matches!(field.kind, Kind::Reference(_)) && field.name.strip_suffix("_id").is_some_and(is_name_of))
}
