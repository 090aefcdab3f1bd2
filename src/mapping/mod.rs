//! Which column feeds which field.
//!
//! A header is matched in this order, the first that fits wins: the user's `--map` and mapping file, our own
//! columns (`_action`, `_id`), `custom:NAME`, the field's own name, the schema's synonyms, the words for a related
//! record (an asset's category is its product's). What is left is never dropped in silence: a header that looks
//! like a misspelt field is a [`Fault`] until it is mapped or ignored, the others are listed as ignored. What an export
//! wrote is read more strictly by its own headers: see [`exported`].
//!
//! A new header word is a word in the schema. A new preset is a file in `presets/` and a line in [`file`].

mod entity;
mod exported;
mod file;
mod header_row;
mod headers;

pub use entity::{EntityFault, entity_of};
pub use file::{MappingFile, MappingFileError};
pub use header_row::find_header;
pub use headers::Words;

use exported::Exported;

use crate::schema::{Entity, Field};
use crate::table::{CellRef, Row};

/// Every column of a sheet, each with what it feeds.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub entity: &'static Entity,
    /// The header's row number, from 1.
    pub header_row: u64,
    pub columns: Vec<Column>,
}

/// Whether an id column is known to hold this account's ids. A result has one of each in front of an export's columns:
/// the certain one comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnIds {
    /// It is headed `_id`, as in our own results, or the user mapped it.
    Certain,
    /// It is headed `id`, as in the exports of any system: a row whose key says something else must not overwrite.
    Doubtful,
}

/// One column with a header.
#[derive(Debug, Clone)]
pub struct Column {
    /// From 0.
    pub index: usize,
    /// As typed.
    pub header: String,
    pub to: To,
}

/// What a column feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// The field at this position of [`Entity::fields`].
    Field {
        field: usize,
        ids: Ids,
    },
    /// A field of the record that `field` refers to.
    Related {
        field: usize,
        related: &'static str,
    },
    /// A custom field of that name.
    Custom(String),
    /// The record's own system id.
    Id(OwnIds),
    /// What this row does, in place of the mode.
    Action,
    /// When the service made the record or changed it: never sent, it tells whether the sheet is older than the record.
    Stamp(Stamp),
    /// A column that an earlier result added: read by `--only-failed`, never sent.
    Result(ResultColumn),
    Ignored(Ignored),
}

/// Whether bare numbers in a reference column are ids, as in a column headed `product_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ids {
    Bare,
    Marked,
}

/// The two moments that every record carries (field notes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    Created,
    Updated,
}

impl Stamp {
    pub const ALL: [Stamp; 2] = [Stamp::Created, Stamp::Updated];

    /// The record's field of that moment, and the header over it.
    pub fn name(self) -> &'static str {
        match self {
            Stamp::Created => exported::CREATED_AT,
            Stamp::Updated => exported::UPDATED_AT,
        }
    }
}

/// The columns a result workbook puts in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultColumn {
    Status,
    Message,
}

/// Why a column is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// Nothing we know.
    Unknown,
    /// The user said so.
    Asked,
    /// The service sets it.
    ReadOnly,
    /// Another column feeds its field by the user's word or by the field's own name.
    Outranked,
    /// It looks like passwords: never read, sent or copied into a result.
    Secret,
}

/// The user's own word on columns.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Header and target, from `--map` first, then the mapping file and preset.
    pub map: Vec<Wish>,
    /// Unknown columns are faults.
    pub strict: bool,
    pub purpose: Purpose,
}

/// What the rows of a sheet are read for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Purpose {
    /// To write records: a sheet without any field says nothing.
    #[default]
    Write,
    /// To find records: a sheet of nothing but their ids will do.
    Find,
}

/// One `Header=target`.
#[derive(Debug, Clone)]
pub struct Wish {
    pub header: String,
    /// A field name, `custom:NAME`, or empty to ignore the column.
    pub target: String,
    /// Whether the header must be there: said on the command line it must, a mapping file may hold more.
    pub binding: Binding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    Strict,
    Loose,
}

/// Why a header row cannot be mapped. All faults of a sheet are reported at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the column `{header}` ({at}) looks like the field `{field}`")]
    Misspelt { header: String, at: CellRef, field: String },
    #[error("the columns `{first}` and `{second}` ({at}) both feed `{field}`")]
    Twice { first: String, second: String, at: CellRef, field: String },
    #[error("the column `{header}` ({at}) is not known")]
    Unknown { header: String, at: CellRef },
    #[error("there is no column `{header}` to map")]
    NoSuchHeader { header: String },
    #[error("`{entity}` has no field `{target}` to feed from `{header}`")]
    NoSuchField { entity: &'static str, header: String, target: String, nearest: Option<String> },
    #[error("no column of the header in row {row} is a field of `{entity}`")]
    NothingKnown { entity: &'static str, row: u64 },
}

impl Fault {
    /// What to do now.
    pub fn hint(&self) -> String {
        match self {
            Fault::Misspelt { header, field, .. } => {
                format!("add --map '{header}={field}' if it is, or --ignore '{header}' if it is not")
            }
            Fault::Twice { first, second, .. } if first == second => {
                String::from("give one of the two columns another header, or delete it")
            }
            Fault::Twice { first, second, .. } => {
                format!("add --ignore '{first}' or --ignore '{second}'")
            }
            Fault::Unknown { header, .. } => {
                format!("add --map '{header}=FIELD', --map '{header}=custom:{header}' or --ignore '{header}'")
            }
            Fault::NoSuchHeader { .. } => String::from("write the header as the sheet has it"),
            Fault::NoSuchField { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Fault::NoSuchField { entity, .. } => format!("`tallyport schema {entity}` lists the fields"),
            Fault::NothingKnown { entity, .. } => {
                format!("`tallyport schema {entity}` lists the fields, or say what the sheet holds with --entity")
            }
        }
    }
}

impl Mapping {
    /// Maps the header row of a sheet that holds `entity`.
    ///
    /// # Errors
    /// Every fault of the header row at once.
    pub fn new(entity: &'static Entity, header: &Row, wishes: &Wishes) -> Result<Mapping, Vec<Fault>> {
        let words = Words::new(entity);
        let exported = Exported::of(entity, header);
        let mut faults = headers::unmet_wishes(header, wishes);
        let mut columns = Vec::new();
        for (index, cell) in header.cells().enumerate().filter(|(_, cell)| !cell.is_blank()) {
            match headers::target(&words, cell.text, exported.as_ref(), wishes) {
                Ok(to) => columns.push(Column { index, header: cell.text.trim().to_owned(), to }),
                Err(guess) => {
                    let at = CellRef { row: header.number, column: index as u32 };
                    faults.push(guess.fault(cell.text.trim(), at));
                }
            }
        }
        if let Some(exported) = &exported {
            exported.prefer_own_headers(entity, &mut columns, wishes);
        }
        faults.extend(headers::settle_rivals(entity, header.number, &mut columns, wishes));
        headers::promote_finders(entity, &mut columns);
        let mapping = Mapping { entity, header_row: header.number, columns };
        let says_enough = match wishes.purpose {
            Purpose::Write => mapping.fed_fields().next().is_some(),
            Purpose::Find => mapping.columns.iter().any(|column| matches!(column.to, To::Field { .. } | To::Id(_))),
        };
        if faults.is_empty() && !says_enough {
            faults.push(Fault::NothingKnown { entity: entity.name, row: header.number });
        }
        if faults.is_empty() { Ok(mapping) } else { Err(faults) }
    }

    /// Ignores what feeds other fields than these: where a row only has to say which record it means, its other cells
    /// may hold anything.
    pub fn keep_only(&mut self, fields: &[&str]) {
        for column in &mut self.columns {
            let is_kept = match &column.to {
                To::Field { field, .. } | To::Related { field, .. } => {
                    fields.contains(&self.entity.fields[*field].name)
                }
                To::Custom(_) => false,
                To::Id(_) | To::Action | To::Stamp(_) | To::Result(_) | To::Ignored(_) => true,
            };
            if !is_kept {
                column.to = To::Ignored(Ignored::Asked);
            }
        }
    }

    /// The fields that some column feeds.
    pub fn fed_fields(&self) -> impl Iterator<Item = &'static Field> + '_ {
        self.columns.iter().filter_map(|column| match column.to {
            To::Field { field, .. } => self.entity.fields.get(field),
            _ => None,
        })
    }

    /// The column that feeds the field of that name, from 0.
    pub fn column_of(&self, field: &str) -> Option<u32> {
        self.columns.iter().find_map(|column| match column.to {
            To::Field { field: fed, .. } if self.entity.fields[fed].name == field => Some(column.index as u32),
            _ => None,
        })
    }

    /// The column that holds the records' own ids, from 0.
    pub fn id_column(&self) -> Option<u32> {
        self.column_to(&To::Id(OwnIds::Certain)).or_else(|| self.column_to(&To::Id(OwnIds::Doubtful)))
    }

    /// Whether the ids of the sheet, if it has any, are known to be this account's.
    pub fn own_ids(&self) -> OwnIds {
        match (self.column_to(&To::Id(OwnIds::Certain)), self.id_column()) {
            (None, Some(_)) => OwnIds::Doubtful,
            _ => OwnIds::Certain,
        }
    }

    /// The column of that moment, from 0.
    pub fn stamp_column(&self, stamp: Stamp) -> Option<u32> {
        self.column_to(&To::Stamp(stamp))
    }

    fn column_to(&self, to: &To) -> Option<u32> {
        self.columns.iter().find(|column| column.to == *to).map(|column| column.index as u32)
    }

    /// Whether some column feeds the field of that name.
    pub fn feeds(&self, field: &str) -> bool {
        self.column_of(field).is_some()
    }

    /// Whether bare numbers in a column that feeds a field are ids.
    pub fn ids_in(&self, column: u32) -> Option<Ids> {
        self.columns.iter().find_map(|known| match known.to {
            To::Field { ids, .. } if known.index == column as usize => Some(ids),
            _ => None,
        })
    }

    /// The header over a column.
    pub fn header(&self, column: u32) -> Option<&str> {
        self.columns.iter().find(|known| known.index == column as usize).map(|known| known.header.as_str())
    }

    /// The columns that are not used, with the reason.
    pub fn ignored(&self) -> impl Iterator<Item = (&Column, Ignored)> {
        self.columns.iter().filter_map(|column| match column.to {
            To::Ignored(why) => Some((column, why)),
            _ => None,
        })
    }

    /// How many columns the sheet has up to its last header.
    pub fn width(&self) -> usize {
        self.columns.last().map_or(0, |column| column.index + 1)
    }
}

#[cfg(test)]
mod tests;
