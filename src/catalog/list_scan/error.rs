//! Why a list could not be read.

/// Why a scan ended before its list did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScanError<E, T> {
    /// The service could not be read. Never the end of a list.
    #[error("the service could not be read")]
    Service(#[source] E),
    /// Whoever the records were handed to refused one.
    #[error("a record could not be taken in")]
    Take(#[source] T),
    #[error(transparent)]
    Unstable(#[from] UnstableList),
}

/// The pages do not come together to one list. What was handed over may have gaps: start anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the list of {entity} cannot be put together at offset {offset}: {instability}")]
pub struct UnstableList {
    pub entity: &'static str,
    /// Where the page begins that shows it.
    pub offset: u64,
    pub instability: Instability,
}

/// What shows that a service does not give its list in one order, from each offset, to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Instability {
    /// A record that came before others has come behind them now.
    #[error("record `{id}` has moved within the list, which should keep the order it is asked for in")]
    Moved { id: i64 },
    /// Page after page holds only what is known.
    #[error("{pages} pages in a row held nothing new; the service may be passing over `offset`")]
    Endless { pages: u64 },
    /// No page further back holds anything that came before.
    #[error("nothing that was read before is found again")]
    NoOverlap,
    /// Every record of a collection has an integer `id` (field notes).
    #[error("a record has no `id`")]
    MissingId,
}

impl UnstableList {
    /// What to do now.
    pub fn hint(&self) -> &'static str {
        match self.instability {
            Instability::Moved { .. } | Instability::NoOverlap => {
                "run it again, at a time when less is changed if it keeps coming"
            }
            Instability::Endless { .. } | Instability::MissingId => {
                "see that `--base-url` is the API's link, ending in `/api/v1`"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Instability, UnstableList};

    #[test]
    fn messages_say_what_and_where() {
        let unstable = UnstableList { entity: "assets", offset: 999, instability: Instability::Moved { id: 7 } };
        assert_eq!(
            unstable.to_string(),
            "the list of assets cannot be put together at offset 999: record `7` has moved within the list, which \
             should keep the order it is asked for in"
        );
        assert!(unstable.hint().starts_with("run it again"));
    }
}
