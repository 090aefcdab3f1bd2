//! `config.toml`: profiles, as written. What they mean together with flags and environment is the parent's.
//!
//! ```toml
//! default_profile = "acme"
//!
//! [profiles.acme]
//! base_url = "https://app.bluetallyapp.com/api/v1"
//! api_key_file = "acme.key"          # or api_key = "..", or keyring = "SERVICE"; relative to this file
//! tenant = 7
//! quota = "10000/h"                  # or a number, or "none"
//! concurrency = 8
//! custom_fields_encoding = "array"   # or "json_string"
//!
//! [profiles.acme.columns]            # what `export` writes unless --columns says otherwise
//! assets = ["asset_id", "asset_name", "location_name"]
//!
//! [exports.nightly-finance]          # `tallyport export --name nightly-finance`
//! profile = "acme"
//! collections = ["assets", "licenses"]
//! output = "/srv/finance/inventory-{date}.xlsx"
//! incremental = true
//! keep = 30
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

use super::SettingsError;
use crate::api::{CustomFieldsEncoding, Secret};
use crate::cli::args::ExportArgs;
use crate::redact::TomlMistake;
use crate::text_file;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) default_profile: Option<String>,
    #[serde(default)]
    pub(super) profiles: BTreeMap<String, Profile>,
    /// Exports by name: the flags of `export`.
    #[serde(default)]
    pub(super) exports: BTreeMap<String, ExportArgs>,
}

/// One account.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    pub(super) base_url: Option<String>,
    pub(super) tenant: Option<i64>,
    pub(super) quota: Option<QuotaText>,
    pub(super) concurrency: Option<u16>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) api_key: Option<Secret>,
    pub(super) api_key_file: Option<PathBuf>,
    /// The service under which the system's key store keeps the key.
    pub(super) keyring: Option<String>,
    pub(super) custom_fields_encoding: Option<CustomFieldsEncoding>,
    /// The columns of exports, by collection.
    #[serde(default)]
    pub(super) columns: BTreeMap<String, Vec<String>>,
}

impl Profile {
    /// Whether it says where its key is.
    pub(super) fn names_key(&self) -> bool {
        self.api_key.is_some() || self.api_key_file.is_some() || self.keyring.is_some()
    }
}

impl Config {
    /// The file's contents; an empty configuration where there is no such file.
    pub(super) fn read(path: &Path) -> Result<Self, SettingsError> {
        match text_file::read(path) {
            Ok(text) => Self::parse(path, &text),
            // A service account may have /dev/null for a home folder.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(Self::default()),
            Err(error) => Err(SettingsError::ConfigUnreadable { path: path.to_owned(), cause: error.to_string() }),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        toml::from_str(text).map_err(|error| {
            let error = TomlMistake::new(text, &error);
            let (line, reason, hint) = (error.line, error.reason, error.hint);
            SettingsError::Config { path: path.to_owned(), line, reason, hint }
        })
    }
}

/// A key. Whatever is wrong with it, the message does not show it.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    match toml::Value::deserialize(deserializer) {
        Ok(toml::Value::String(text)) => Secret::new(text).map(Some).map_err(D::Error::custom),
        _ => Err(D::Error::custom("`api_key` must be a text in quotes")),
    }
}

/// A quota as written: `10000`, `"10000/h"` or `"none"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct QuotaText(pub(super) String);

impl<'de> Deserialize<'de> for QuotaText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = QuotaText;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number or a text such as \"10000/h\"")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<QuotaText, E> {
                Ok(QuotaText(number.to_string()))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<QuotaText, E> {
                Ok(QuotaText(text.to_owned()))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::path::Path;

    use super::Config;

    fn error(text: &str) -> String {
        Config::parse(Path::new("config.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn mistakes_are_told_with_their_line_and_without_the_key() {
        let cases = [
            ("[profiles.acme]\ntenat = 7\n", "`config.toml`, line 2: unknown field `tenat`"),
            ("\n\ndefault = \"acme\"\n", "`config.toml`, line 3: unknown field `default`"),
            ("[profiles.acme]\ntenant = \"seven\"\n", "`config.toml`, line 2: expected a whole number, found a text"),
            (
                "[profiles.acme]\nquota = true\n",
                "`config.toml`, line 2: expected a number or a text such as \"10000/h\", found true or false",
            ),
            ("[profiles.acme]\ncustom_fields_encoding = \"xml\"\n", "`config.toml`, line 2: unknown variant `xml`"),
            ("[profiles.acme]\napi_key = 12345\n", "`config.toml`, line 2: `api_key` must be a text in quotes"),
            (
                "[profiles.acme]\napi_key = \"12 345\"\n",
                "`config.toml`, line 2: the API key contains an invalid character",
            ),
            ("[profiles.acme]\ntenant = \"k12345\"\n", "`config.toml`, line 2: expected a whole number, found a text"),
            ("[profiles.acme]\nk_12345 = 7\n", "`config.toml`, line 2: unknown field `***`"),
            ("k_12345\n", "`config.toml`, line 1: "),
            ("[profiles.acme]\napi_key = s12345\n", "`config.toml`, line 2: "),
            ("[profiles.acme]\napi_key = \"12345\ntenant = 1", "`config.toml`, line 2: "),
            ("[profiles.acme\n", "`config.toml`, line 1: "),
        ];
        for (text, start) in cases {
            let error = error(text);
            assert!(error.starts_with(start), "{error}");
            assert!(!error.contains("2345") && !error.contains("345"), "{error}");
        }
    }

    #[test]
    fn a_profile_holds_what_it_says() {
        let text = "[profiles.a]\nquota = 600\napi_key = \"x1\"\n[profiles.b]\nquota = \"none\"\ncustom_fields_encoding = \"array\"\n";
        let config = Config::parse(Path::new("config.toml"), text).unwrap();
        assert_eq!(config.profiles["a"].quota.as_ref().unwrap().0, "600");
        assert_eq!(config.profiles["b"].quota.as_ref().unwrap().0, "none");
        assert!(!format!("{config:?}").contains("x1"));
    }

    #[test]
    #[ignore = "runs in a process of its own: see the module `fuzz`"]
    fn fuzz_config() {
        let whole = b"default_profile = \"a\"\n[profiles.a]\nbase_url = \"https://x.example/api/v1\"\nquota = 600\n\
            api_key = \"x1\"\ntenant = 1\nconcurrency = 4\ncustom_fields_encoding = \"array\"\n\
            [profiles.a.columns]\nassets = [\"asset_id\"]\n[exports.n]\nout = \"a.csv\"\ncollections = [\"assets\"]\n";
        let words =
            ["[profiles.a]", "api_key", "=", "\"", "\"\"\"", "[[", "]]", "{", "}", "1e9", "1979-05-27", "\\u0041"];
        crate::fuzz::each_mutation(&[whole], &words, 1, |bytes| {
            let _ = Config::parse(Path::new("config.toml"), &String::from_utf8_lossy(bytes));
        });
    }
}
