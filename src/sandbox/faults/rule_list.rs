//! The list of fault rules that a sandbox is started with.

use std::str::FromStr;

use super::error::FaultsError;
use super::grammar::parse_line;
use super::rule::FaultRule;

/// The faults of a sandbox; none by default.
///
/// ```
/// use tallyport::sandbox::{Faults, SandboxOptions};
///
/// let faults: Faults = "POST assets p=0.05 reset after\n* * nth=3 500 before # once".parse().unwrap();
/// let options = SandboxOptions { faults: faults.seeded(7), ..SandboxOptions::default() };
/// assert_eq!(options.faults.len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    pub(super) rules: Vec<FaultRule>,
    pub(super) seed: u64,
}

impl FromStr for Faults {
    type Err = FaultsError;

    /// Parses rules, one per line. Empty lines and comments after `#` are ignored. Fails on the first invalid line.
    fn from_str(text: &str) -> Result<Self, FaultsError> {
        // Editors on Windows begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for (position, line) in text.lines().enumerate() {
            rules.extend(parse_line(line).map_err(|error| FaultsError::new(position + 1, line, error))?);
        }
        Ok(Self { rules, seed: 0 })
    }
}

impl Faults {
    /// Sets the random seed for rules with a probability. The default is 0.
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Appends the rules of `others`.
    pub fn append(&mut self, others: Faults) {
        self.rules.extend(others.rules);
    }

    /// The number of rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}
