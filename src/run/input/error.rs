//! Headers that cannot be mapped.

use crate::error::Diagnostic;
use crate::mapping::MappingError;

/// What is wrong with the headers of all sheets.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.text())]
pub(crate) struct HeaderErrors(pub(super) Vec<(String, MappingError)>);

impl HeaderErrors {
    fn text(&self) -> String {
        match self.0.as_slice() {
            [(place, only)] => format!("{place}: {only}"),
            many => {
                let lines: Vec<String> =
                    many.iter().map(|(place, error)| format!("{place}: {error}\n    {}", error.hint())).collect();
                format!("the headers do not fit\n  {}", lines.join("\n  "))
            }
        }
    }
}

impl Diagnostic for HeaderErrors {
    /// The hint of a single error; several carry their own.
    fn hint(&self) -> Option<String> {
        match self.0.as_slice() {
            [(_, only)] => Some(only.hint()),
            _ => None,
        }
    }
}
