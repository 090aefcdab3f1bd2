//! Why a list could not be read.

use super::super::rescan::IncompleteList;

/// Why a scan ended before its list did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScanError<E, T> {
    /// The service could not be read. Never the end of a list.
    #[error("the service could not be read")]
    Service(#[source] E),
    /// The receiver of the records returned an error.
    #[error("a record could not be stored")]
    Take(#[source] T),
    #[error(transparent)]
    Unstable(#[from] UnstableList),
    /// The list was read again in every order, and records are still missing.
    #[error(transparent)]
    Incomplete(#[from] IncompleteList),
}

/// The pages cannot be merged into one list. What was delivered may have gaps: start again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pages of {entity} do not fit together at offset {offset}: {instability}")]
pub(crate) struct UnstableList {
    pub entity: &'static str,
    /// Where the page begins that shows it.
    pub offset: u64,
    pub instability: Instability,
}

/// What shows that a service does not return its list in one order, from each offset, to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Instability {
    /// No two records of a collection have the same id.
    #[error("record `{id}` is on one page twice")]
    Repeated { id: i64 },
    /// Page after page contains only known records.
    #[error("{pages} pages in a row contained nothing new; the service may be ignoring `offset`")]
    Endless { pages: u64 },
    /// No earlier page contains any record that was read before.
    #[error("a page shares no record with the previous page")]
    NoOverlap,
    /// The list was read over and over because it changed all the time.
    #[error("{requests} requests were not enough to read {records} records, so often did the list change")]
    Restless { requests: u64, records: u64 },
    /// Every record of a collection has an integer `id` (field notes).
    #[error("a record has no `id`")]
    MissingId,
}

#[cfg(test)]
mod tests {
    use super::{Instability, UnstableList};

    #[test]
    fn messages_say_what_and_where() {
        let unstable = UnstableList { entity: "assets", offset: 999, instability: Instability::Repeated { id: 7 } };
        assert_eq!(
            unstable.to_string(),
            "the pages of assets do not fit together at offset 999: record `7` is on one page twice"
        );
    }
}
