//! Currencies, and rounding to their minor units.

use std::sync::Arc;

use rust_decimal::{Decimal, RoundingStrategy};

/// The currency code of an amount when neither its record nor its location has one.
pub(crate) const UNSTATED: &str = "unstated";

/// The decimal places of most currencies, also used when the currency is unstated.
const USUAL_DIGITS: u32 = 2;

/// A currency and the number of decimal places of its minor unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Currency {
    /// An ISO 4217 code, [`UNSTATED`], or whatever the account contains.
    pub code: Arc<str>,
    /// Decimal places of the minor unit: 2 for most currencies, 0 for JPY, 3 for KWD.
    pub digits: u32,
}

impl Currency {
    /// The currency with that code, ignoring case.
    pub(crate) fn of(code: &str) -> Self {
        let code = code.trim();
        if code.is_empty() || code.eq_ignore_ascii_case(UNSTATED) {
            return Self { code: Arc::from(UNSTATED), digits: USUAL_DIGITS };
        }
        let upper = code.to_uppercase();
        let digits = iso_currency::Currency::from_code(&upper).and_then(|known| known.exponent());
        Self { code: Arc::from(upper), digits: digits.map_or(USUAL_DIGITS, u32::from) }
    }

    pub(crate) fn is_unstated(&self) -> bool {
        &*self.code == UNSTATED
    }

    /// Whether the code is in ISO 4217.
    pub(crate) fn is_known(&self) -> bool {
        iso_currency::Currency::from_code(&self.code).is_some()
    }

    /// Rounds to whole minor units, half away from zero.
    pub(crate) fn rounded(&self, amount: Decimal) -> Decimal {
        rounded(amount, self.digits)
    }

    /// Formats an amount without the currency code, with at least the decimal places of the minor unit.
    pub(crate) fn plain(&self, amount: Decimal) -> String {
        let mut plain = amount.normalize();
        if plain.scale() < self.digits {
            plain.rescale(self.digits);
        }
        plain.to_string()
    }
}

/// Rounds half away from zero, the usual rounding in accounting.
pub(super) fn rounded(amount: Decimal, digits: u32) -> Decimal {
    amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_know_their_minor_units() {
        let digits = ["EUR", "jpy", "KWD", "", "Goats"].map(|code| Currency::of(code).digits);
        assert_eq!(digits, [2, 0, 3, 2, 2]);
        assert_eq!(&*Currency::of(" eur ").code, "EUR");
        assert!(Currency::of("").is_unstated());
        let euro = Currency::of("EUR");
        assert_eq!(euro.plain(Decimal::new(15, 1)), "1.50");
        assert_eq!(euro.plain(Decimal::new(12_345, 3)), "12.345");
        assert_eq!(euro.rounded(Decimal::new(-12_345, 3)), Decimal::new(-1235, 2));
    }
}
