//! Why something that a run did is not undone.

use std::fmt;

/// A reason. [`SkipReason::title`] is the same for all of a kind; the detail describes the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SkipReason {
    /// These fields no longer have the values the run wrote.
    Changed(Vec<&'static str>),
    /// The record was changed after it was created. The service did not return it on creation, so the field is
    /// unknown.
    ChangedSomehow,
    /// Something that stays refers to it.
    StillReferenced(String),
    /// Somebody has checked the item in or out since.
    MovedSince,
    /// The run created the item, and somebody has changed it since.
    ItemChanged,
    /// A record with the natural key of the deleted one, and its id.
    KeyTaken(i64),
    /// Such items have no check-in.
    Consumed(&'static str),
    /// The service does not report who holds it now.
    HolderUnknown,
    /// The previous holder is unknown.
    NoPreviousHolder,
    /// The run also deleted the item, which is created again with nobody having it.
    ItemDeleted,
    /// The number that was checked in is unknown.
    QuantityUnknown,
    /// These fields are required and were empty before.
    Required(Vec<&'static str>),
    /// The outcome of the step is unknown.
    OutcomeUnknown,
    /// The journal has no before image.
    NoBeforeImage,
    /// Replies never contain these fields, so their previous values are unknown.
    NotReported(Vec<&'static str>),
    /// The service never returned the record's id.
    NoId,
}

impl SkipReason {
    /// The reason without details.
    pub(crate) fn title(&self) -> &'static str {
        match self {
            SkipReason::Changed(_) | SkipReason::ChangedSomehow => "changed by someone else since",
            SkipReason::StillReferenced(_) => "still referenced by a record that stays",
            SkipReason::MovedSince => "checked in or out by someone else since",
            SkipReason::ItemChanged => "item changed by someone else since",
            SkipReason::KeyTaken(_) => "someone else made another record of that key since",
            SkipReason::Consumed(_) => "cannot be checked in",
            SkipReason::HolderUnknown => "the service does not report the current holder",
            SkipReason::NoPreviousHolder => "previous holder unknown",
            SkipReason::ItemDeleted => "item created again, to be checked out by hand",
            SkipReason::QuantityUnknown => "the service does not report how many were checked in",
            SkipReason::Required(_) => "required field that was empty before",
            SkipReason::OutcomeUnknown => "outcome of the step unknown",
            SkipReason::NoBeforeImage | SkipReason::NotReported(_) => "previous value unknown",
            SkipReason::NoId => "record id unknown",
        }
    }

    /// Details, if there are any.
    pub(crate) fn detail(&self) -> Option<String> {
        match self {
            SkipReason::Changed(fields) | SkipReason::Required(fields) | SkipReason::NotReported(fields) => {
                Some(format!("`{}`", fields.join("`, `")))
            }
            SkipReason::StillReferenced(by) => Some(by.clone()),
            SkipReason::KeyTaken(id) => Some(format!("#{id}")),
            SkipReason::Consumed(what) => Some(format!("{what} are consumed on check-out")),
            SkipReason::ChangedSomehow
            | SkipReason::MovedSince
            | SkipReason::ItemChanged
            | SkipReason::HolderUnknown
            | SkipReason::NoPreviousHolder
            | SkipReason::ItemDeleted
            | SkipReason::QuantityUnknown
            | SkipReason::OutcomeUnknown
            | SkipReason::NoBeforeImage
            | SkipReason::NoId => None,
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail() {
            Some(detail) => write!(formatter, "{}: {detail}", self.title()),
            None => formatter.write_str(self.title()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SkipReason;

    #[test]
    fn reasons_have_a_title_and_some_a_detail() {
        let changed = "changed by someone else since";
        for (reason, text) in [
            (SkipReason::Changed(vec!["name", "city"]), format!("{changed}: `name`, `city`")),
            (SkipReason::ChangedSomehow, changed.to_owned()),
            (
                SkipReason::StillReferenced(String::from("asset A-1")),
                String::from("still referenced by a record that stays: asset A-1"),
            ),
            (SkipReason::MovedSince, String::from("checked in or out by someone else since")),
            (SkipReason::ItemChanged, String::from("item changed by someone else since")),
            (
                SkipReason::Consumed("consumables"),
                String::from("cannot be checked in: consumables are consumed on check-out"),
            ),
            (SkipReason::HolderUnknown, String::from("the service does not report the current holder")),
            (SkipReason::NoPreviousHolder, String::from("previous holder unknown")),
            (SkipReason::QuantityUnknown, String::from("the service does not report how many were checked in")),
            (SkipReason::Required(vec!["name"]), String::from("required field that was empty before: `name`")),
            (SkipReason::OutcomeUnknown, String::from("outcome of the step unknown")),
            (SkipReason::NoBeforeImage, String::from("previous value unknown")),
            (SkipReason::NotReported(vec!["zip"]), String::from("previous value unknown: `zip`")),
            (SkipReason::KeyTaken(7), String::from("someone else made another record of that key since: #7")),
            (SkipReason::NoId, String::from("record id unknown")),
        ] {
            assert_eq!(reason.to_string(), text);
            assert_eq!(reason.detail().is_some(), text.contains(": "), "{text}");
        }
    }
}
