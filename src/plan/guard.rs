//! Guards: a plan that exceeds them is not started (design rule 16).

use super::Totals;
use crate::error::Diagnostic;

/// A count, or a share of the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    Count(u64),
    /// 0 to 100.
    Percent(f64),
}

impl Limit {
    /// `250` or `10%`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().strip_suffix('%') {
            Some(percent) => {
                percent.trim().parse().ok().filter(|percent| (0.0..=100.0).contains(percent)).map(Limit::Percent)
            }
            None => text.trim().parse().ok().map(Limit::Count),
        }
    }

    fn allows(self, count: u64, rows: u64) -> bool {
        match self {
            Limit::Count(most) => count <= most,
            Limit::Percent(percent) => count as f64 <= rows as f64 * percent / 100.0,
        }
    }
}

/// The limits of a run.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    pub creates: Option<Limit>,
    pub updates: Option<Limit>,
    pub deletes: Option<Limit>,
    pub clears: Option<Limit>,
}

/// A plan that exceeds a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plan would {verb} {count} {what}{}, more than {flag} allows; nothing was sent", if *count == 1 { "" } else { "s" })]
pub struct GuardFault {
    verb: &'static str,
    what: &'static str,
    count: u64,
    pub flag: &'static str,
}

impl Guard {
    /// # Errors
    /// Where the plan exceeds one of the limits.
    pub fn check(&self, totals: &Totals) -> Result<(), GuardFault> {
        let created = totals.creates + totals.missing.values().sum::<u64>();
        for (limit, count, verb, what, flag) in [
            (self.creates, created, "create", "record", "--max-creates"),
            (self.updates, totals.updates, "update", "record", "--max-updates"),
            (self.deletes, totals.deletes, "delete", "record", "--max-deletes"),
            (self.clears, totals.clears, "clear", "field", "--max-clears"),
        ] {
            if limit.is_some_and(|limit| !limit.allows(count, totals.rows)) {
                return Err(GuardFault { verb, what, count, flag });
            }
        }
        Ok(())
    }
}

impl Diagnostic for GuardFault {
    fn hint(&self) -> Option<String> {
        Some(format!("look at the plan with --dry-run, or raise {}", self.flag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_counts_or_shares() {
        let totals = Totals { rows: 200, creates: 21, ..Totals::default() };
        let guard = |text| Guard { creates: Limit::parse(text), ..Guard::default() };
        assert!(guard("21").check(&totals).is_ok());
        assert!(guard("20").check(&totals).is_err());
        assert!(guard("11%").check(&totals).is_ok());
        assert!(guard("10%").check(&totals).is_err());
        assert_eq!(Limit::parse("101%"), None);
        assert_eq!(Limit::parse("-1"), None);
    }
}
