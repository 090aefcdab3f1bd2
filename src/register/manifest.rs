//! The manifest beside a register: the as-of date, the account, counts, totals, and a digest of every file.
//!
//! It is JSON and the last file to be renamed into place: if it exists, so do all files it lists. Amounts are strings,
//! so that no reader rounds them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::rates::{Rate, Rates};
use super::totals::{Amounts, CurrencyTotal, RegisterCounts};
use crate::table::write::{AtomicFile, WriteError};

/// The name of the manifest of registers that are written into a folder.
pub(super) const FOLDER_MANIFEST: &str = "manifest.json";

/// The manifest beside a register file: `NAME.manifest.json`.
pub(super) fn beside(register: &Path) -> PathBuf {
    let mut name = register.file_name().unwrap_or_default().to_owned();
    name.push(".manifest.json");
    register.with_file_name(name)
}

/// The account the records come from. Contains no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RegisterAccount {
    /// The base URL of the service.
    pub base_url: String,
    /// The id of the tenant, if the account has several.
    pub tenant: Option<String>,
}

impl RegisterAccount {
    /// The account at that URL, without a user name or password. Anything else, such as a sandbox in a file, is kept as
    /// it is.
    pub(crate) fn new(base_url: &str, tenant: Option<String>) -> Self {
        let bare = url::Url::parse(base_url).ok().and_then(|mut url| {
            url.set_password(None).ok()?;
            url.set_username("").ok()?;
            Some(url.to_string())
        });
        Self { base_url: bare.unwrap_or_else(|| base_url.to_owned()), tenant }
    }

    /// The account of that text, which a register shows.
    pub(super) fn of_shown(text: &str) -> Self {
        match text.rsplit_once(TENANT) {
            Some((place, tenant)) if tenant.parse::<i64>().is_ok() => {
                Self { base_url: place.to_owned(), tenant: Some(tenant.to_owned()) }
            }
            _ => Self { base_url: text.to_owned(), tenant: None },
        }
    }

    /// The account for people.
    pub(super) fn shown(&self) -> String {
        let tenant = self.tenant.as_ref().map(|tenant| format!("{TENANT}{tenant}")).unwrap_or_default();
        format!("{}{tenant}", self.place())
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.place() == other.place() && self.tenant == other.tenant
    }

    /// The link. Earlier versions wrote the tenant behind it as well.
    fn place(&self) -> &str {
        let place = self.base_url.trim_end_matches('/');
        let Some(tenant) = &self.tenant else { return place };
        let without = |between| place.strip_suffix(tenant.as_str())?.strip_suffix(between);
        without(TENANT).or_else(|| without(",%20tenant%20")).unwrap_or(place)
    }
}

/// What stands between the link and the tenant.
const TENANT: &str = ", tenant ";

/// Name, size and digest of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    pub name: String,
    pub bytes: u64,
    /// In hexadecimal, lower case.
    pub sha256: String,
}

impl FileFacts {
    /// Name, size and digest of a file that has been written in full.
    pub(super) fn of(file: &AtomicFile) -> Result<Self, WriteError> {
        let name = file.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self::read(name, file.as_file()).map_err(|error| WriteError::from_io(file.path(), error))
    }

    /// Size and digest of a file of that name.
    pub(super) fn read(name: String, file: &File) -> io::Result<Self> {
        let (bytes, sha256) = digest(file)?;
        Ok(Self { name, bytes, sha256 })
    }
}

/// The length of a file and its SHA-256 in hexadecimal.
fn digest(mut file: &File) -> io::Result<(u64, String)> {
    file.seek(SeekFrom::Start(0))?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        context.update(&buffer[..read]);
        bytes += read as u64;
    }
    Ok((bytes, context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// The totals of a currency, as exact strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TotalFacts {
    pub currency: String,
    /// Totals of held items.
    #[serde(flatten)]
    pub held: AmountFacts,
    /// Totals of disposed items.
    pub disposed: AmountFacts,
}

/// Item counts, and sums as exact strings.
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

/// What the totals are in the base currency of the exchange rates, as exact strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConversionFacts {
    pub base: String,
    /// As given: what one unit costs in the base currency.
    pub rates: Vec<RateFacts>,
    /// Currencies with items and without a rate: they are in none of these totals.
    pub without_rate: Vec<String>,
    /// Totals of held items.
    pub held: ConvertedFacts,
    /// Totals of disposed items.
    pub disposed: ConvertedFacts,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RateFacts {
    pub currency: String,
    pub rate: String,
}

/// Sums in the base currency: the total of each currency is converted and rounded by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConvertedFacts {
    pub cost: String,
    pub accumulated_depreciation: String,
    pub book_value: String,
}

impl ConversionFacts {
    pub(super) fn of(rates: &Rates, totals: &[CurrencyTotal]) -> Self {
        let sums = |part: fn(&CurrencyTotal) -> &Amounts| {
            let sum = |amount: fn(&Amounts) -> Decimal| {
                let converted = totals.iter().filter_map(|total| rates.converted(amount(part(total)), &total.currency));
                rates.base.plain(converted.sum())
            };
            ConvertedFacts {
                cost: sum(|amounts| amounts.cost),
                accumulated_depreciation: sum(|amounts| amounts.accumulated),
                book_value: sum(|amounts| amounts.book_value),
            }
        };
        let has_items = |total: &&CurrencyTotal| total.held.items + total.disposed.items > 0;
        let without = totals.iter().filter(has_items).filter(|total| rates.rate(&total.currency).is_none());
        let facts = |rate: &Rate| RateFacts { currency: rate.currency.code.to_string(), rate: rate.rate.to_string() };
        Self {
            base: rates.base.code.to_string(),
            rates: rates.rates.iter().map(facts).collect(),
            without_rate: without.map(|total| total.currency.code.to_string()).collect(),
            held: sums(|total| &total.held),
            disposed: sums(|total| &total.disposed),
        }
    }
}

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
    /// The totals by the user's exchange rates.
    pub(super) conversion: Option<&'a ConversionFacts>,
    /// The as-of date of the register that this one was rolled forward from.
    pub(super) rolled_forward_from: Option<String>,
    /// That register's file, as it was read.
    pub(super) rolled_forward_from_file: Option<&'a FileFacts>,
    /// The digest of what a later roll-forward takes from the rows, whatever program has saved the file since.
    pub(super) rows_sha256: String,
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
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn no_secret_gets_in_through_the_link() {
        let account = RegisterAccount::new("https://user:secret@api.example.com/api/v1", Some("4".into()));
        assert_eq!(account.base_url, "https://api.example.com/api/v1");
    }

    #[test]
    fn a_file_is_known_by_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = AtomicFile::create(&folder.path().join("register.csv")).unwrap();
        file.write_all(b"new").unwrap();
        let facts = FileFacts::of(&file).unwrap();
        assert_eq!((&*facts.name, facts.bytes), ("register.csv", 3));
        // `printf new | sha256sum`
        assert_eq!(facts.sha256, "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437");
    }
}
