//! The manifest beside a register: what was written, of which day, from where, and the digests that prove it whole.
//!
//! It is JSON, and the last file to appear: where it stands, all it names stand. Amounts are texts, so that no reader
//! rounds them.

use std::io::Write;

use rust_decimal::Decimal;
use serde::Serialize;

use super::totals::{Amounts, CurrencyTotal, RegisterCounts};

/// Where the records come from. Nothing of it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegisterAccount {
    /// The base link of the service.
    pub base_url: String,
    /// The tenant's id, where the account has several.
    pub tenant: Option<String>,
}

impl RegisterAccount {
    /// The account at that link; a name or password in the link is left out. What is no link, such as the sandbox of a
    /// file, is told as it is.
    pub fn new(base_url: &str, tenant: Option<String>) -> Self {
        let bare = url::Url::parse(base_url).ok().and_then(|mut url| {
            url.set_password(None).ok()?;
            url.set_username("").ok()?;
            Some(url.to_string())
        });
        Self { base_url: bare.unwrap_or_else(|| base_url.to_owned()), tenant }
    }
}

/// A file that the manifest vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileFacts {
    pub name: String,
    pub bytes: u64,
    /// In hexadecimal, lower case.
    pub sha256: String,
}

/// The sums of a currency, for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TotalFacts {
    pub currency: String,
    /// In the books.
    #[serde(flatten)]
    pub held: AmountFacts,
    /// No longer in the books.
    pub disposed: AmountFacts,
}

/// Sums as exact texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AmountFacts {
    pub items: u64,
    pub items_not_computed: u64,
    pub cost: String,
    pub cost_not_computed: String,
    pub accumulated_depreciation: String,
    pub book_value: String,
}

impl TotalFacts {
    pub(super) fn of(total: &CurrencyTotal) -> Self {
        let facts = |amounts: &Amounts| {
            let plain = |amount: Decimal| total.currency.plain(amount);
            AmountFacts {
                items: amounts.items,
                items_not_computed: amounts.uncomputed_items,
                cost: plain(amounts.cost),
                cost_not_computed: plain(amounts.uncomputed_cost),
                accumulated_depreciation: plain(amounts.accumulated),
                book_value: plain(amounts.book_value),
            }
        };
        Self { currency: total.currency.code.to_string(), held: facts(&total.held), disposed: facts(&total.disposed) }
    }
}

/// What the manifest says.
#[derive(Debug, Serialize)]
pub(super) struct Manifest<'a> {
    /// The version of this format.
    pub(super) version: u32,
    pub(super) as_of: String,
    pub(super) generated_at: String,
    pub(super) account: &'a RegisterAccount,
    pub(super) counts: &'a RegisterCounts,
    /// By currency.
    pub(super) totals: &'a [TotalFacts],
    /// The day of the register that this one was rolled forward from.
    pub(super) rolled_forward_from: Option<String>,
    pub(super) warnings: &'a [String],
    pub(super) files: Vec<FileFacts>,
}

impl Manifest<'_> {
    pub(super) fn write(&self, mut out: impl Write) -> std::io::Result<()> {
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_gets_in_through_the_link() {
        let account = RegisterAccount::new("https://user:secret@api.example.com/api/v1", Some("4".into()));
        assert_eq!(account.base_url, "https://api.example.com/api/v1");
    }
}
