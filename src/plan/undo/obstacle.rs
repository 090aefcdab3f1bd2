//! Why something that a run did is left as it is.

use std::fmt;

/// One reason. [`Obstacle::title`] is the same for all of a kind, the text says the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// These fields hold other values than the run wrote.
    Changed(Vec<&'static str>),
    /// It was changed after it was created; which field cannot be told, since the service did not say what it created.
    Touched,
    /// Something that stays refers to it.
    Needed(String),
    /// Somebody has checked the thing in or out since.
    MovedOn,
    /// The run created the thing, and somebody has changed it since.
    ItemChanged,
    /// There is no check-in for such things.
    UsedUp(&'static str),
    /// The service does not tell who holds it now.
    HolderUntold,
    /// Nobody is known to have held it before.
    NoHolderBefore,
    /// How many came back is not known.
    QuantityUntold,
    /// The service requires these fields, and they were empty before.
    Required(Vec<&'static str>),
    /// The run does not know whether it was done.
    Unknown,
    /// The journal does not hold what stood there before.
    NoBefore,
    /// Replies never carry these fields, so nobody knows what they held.
    Untold(Vec<&'static str>),
    /// The service never told the record's id.
    NoId,
}

impl Obstacle {
    /// What is common to all of its kind.
    pub fn title(&self) -> &'static str {
        match self {
            Obstacle::Changed(_) | Obstacle::Touched => "changed by someone else since",
            Obstacle::Needed(_) => "something that stays refers to it",
            Obstacle::MovedOn => "checked in or out by someone else since",
            Obstacle::ItemChanged => "what was moved was changed by someone else since",
            Obstacle::UsedUp(_) => "there is no check-in for it",
            Obstacle::HolderUntold => "the service does not tell who holds it now",
            Obstacle::NoHolderBefore => "nobody is known to have held it before",
            Obstacle::QuantityUntold => "the service does not tell how many came back",
            Obstacle::Required(_) => "it cannot be emptied, and was empty before",
            Obstacle::Unknown => "the run does not know whether it was done",
            Obstacle::NoBefore | Obstacle::Untold(_) => "what stood there before is not known",
            Obstacle::NoId => "its id is not known",
        }
    }

    /// The case, where it says more than the title.
    pub fn detail(&self) -> Option<String> {
        match self {
            Obstacle::Changed(fields) | Obstacle::Required(fields) | Obstacle::Untold(fields) => {
                Some(format!("`{}`", fields.join("`, `")))
            }
            Obstacle::Needed(by) => Some(by.clone()),
            Obstacle::UsedUp(what) => Some(format!("{what} are used up")),
            Obstacle::Touched
            | Obstacle::MovedOn
            | Obstacle::ItemChanged
            | Obstacle::HolderUntold
            | Obstacle::NoHolderBefore
            | Obstacle::QuantityUntold
            | Obstacle::Unknown
            | Obstacle::NoBefore
            | Obstacle::NoId => None,
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail() {
            Some(detail) => write!(formatter, "{}: {detail}", self.title()),
            None => formatter.write_str(self.title()),
        }
    }
}
