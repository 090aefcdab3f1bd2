//! Why a list could not be read.

/// Why a sweep ended before its list did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SweepError<E, T> {
    /// The service could not be read. Never the end of a list.
    #[error("the service could not be read")]
    Service(#[source] E),
    /// Whoever the records were handed to refused one.
    #[error("a record could not be taken in")]
    Take(#[source] T),
    /// The pages do not come together to one list. What was handed over may have gaps: start anew.
    #[error("the list of {entity} cannot be put together at offset {offset}: {sign}")]
    Unsteady { entity: &'static str, offset: u64, sign: Sign },
}

/// What shows that a service does not give its list in one order, from each offset, to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Sign {
    /// A record that came before others has come behind them now.
    #[error("record `{id}` has moved within the list, which should keep the order it is asked for in")]
    Moved { id: i64 },
    /// Page after page holds only what is known.
    #[error("{pages} pages in a row held nothing new; the service may be passing over `offset`")]
    Endless { pages: u64 },
    /// No page further back holds anything that came before.
    #[error("nothing that was read before is found again")]
    Adrift,
    /// Every record of a collection has an integer `id` (field notes).
    #[error("a record has no `id`")]
    Nameless,
}

impl<E, T> SweepError<E, T> {
    /// What to do about a list that does not come together; the other errors bring their own.
    pub fn mend(&self) -> Option<&'static str> {
        match self {
            Self::Service(_) | Self::Take(_) => None,
            Self::Unsteady { .. } => Some("run it again, when fewer changes are made if you can choose"),
        }
    }
}
