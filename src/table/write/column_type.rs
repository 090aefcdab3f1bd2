//! What the cells of a column hold.

/// What the cells of a column hold, as far as they are not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ColumnType {
    /// Ids and tags too: they are names, not numbers to calculate with.
    Text,
    /// A whole number.
    Integer,
    /// An amount; the cell's number format tells the currency.
    Money,
    /// A calendar day.
    Date,
    /// A point in time in UTC, to the millisecond.
    Timestamp,
    Boolean,
    /// An object or array, as JSON text.
    Json,
}
