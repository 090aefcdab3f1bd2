//! Limits on the number of changes: a plan that exceeds one is not started (design rule 18).

use super::PlanTotals;
use crate::error::Diagnostic;

/// A number of changes, or a percentage of the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ChangeLimit {
    Count(u64),
    /// 0 to 100.
    Percent(f64),
}

impl ChangeLimit {
    /// Parses `250` or `10%`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.trim().strip_suffix('%') {
            Some(percent) => {
                percent.trim().parse().ok().filter(|percent| (0.0..=100.0).contains(percent)).map(ChangeLimit::Percent)
            }
            None => text.trim().parse().ok().map(ChangeLimit::Count),
        }
    }

    fn allows(self, count: u64, rows: u64) -> bool {
        match self {
            ChangeLimit::Count(most) => count <= most,
            ChangeLimit::Percent(percent) => count as f64 <= rows as f64 * percent / 100.0,
        }
    }
}

/// The limits of a run, one per kind of change.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlanLimits {
    pub creates: Option<ChangeLimit>,
    pub updates: Option<ChangeLimit>,
    pub deletes: Option<ChangeLimit>,
    pub clears: Option<ChangeLimit>,
}

/// The plan exceeds a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plan would {verb} {count} {what}{}, more than {flag} allows; nothing was sent", if *count == 1 { "" } else { "s" })]
pub(crate) struct LimitExceeded {
    verb: &'static str,
    what: &'static str,
    count: u64,
    pub flag: &'static str,
}

impl PlanLimits {
    /// # Errors
    /// If the plan exceeds one of the limits.
    pub(crate) fn check(&self, totals: &PlanTotals) -> Result<(), LimitExceeded> {
        let created = totals.creates + totals.missing.values().sum::<u64>();
        for (limit, count, verb, what, flag) in [
            (self.creates, created, "create", "record", "--max-creates"),
            (self.updates, totals.updates, "update", "record", "--max-updates"),
            (self.deletes, totals.deletes, "delete", "record", "--max-deletes"),
            (self.clears, totals.clears, "clear", "field", "--max-clears"),
        ] {
            if limit.is_some_and(|limit| !limit.allows(count, totals.rows)) {
                return Err(LimitExceeded { verb, what, count, flag });
            }
        }
        Ok(())
    }
}

impl Diagnostic for LimitExceeded {
    fn hint(&self) -> Option<String> {
        Some(format!("look at the plan with --dry-run, or raise {}", self.flag))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn limits_are_counts_or_shares() {
        let totals = PlanTotals { rows: 200, creates: 21, ..PlanTotals::default() };
        let guard = |text| PlanLimits { creates: ChangeLimit::parse(text), ..PlanLimits::default() };
        assert!(guard("21").check(&totals).is_ok());
        assert!(guard("20").check(&totals).is_err());
        assert!(guard("11%").check(&totals).is_ok());
        assert!(guard("10%").check(&totals).is_err());
        assert_eq!(ChangeLimit::parse("101%"), None);
        assert_eq!(ChangeLimit::parse("-1"), None);
    }

    #[test]
    fn a_limit_that_is_exceeded_names_the_flag_that_raises_it() {
        let totals = PlanTotals { updates: 1, ..PlanTotals::default() };
        let limits = PlanLimits { updates: Some(ChangeLimit::Count(0)), ..PlanLimits::default() };
        let exceeded = limits.check(&totals).unwrap_err();
        assert_eq!(
            exceeded.to_string(),
            "the plan would update 1 record, more than --max-updates allows; nothing was sent"
        );
        let hint = exceeded.hint();
        assert_eq!(hint.as_deref(), Some("look at the plan with --dry-run, or raise --max-updates"));
    }
}
