//! Whole numbers as flags take them, and what to write instead in plain English.

use std::str::FromStr;

use clap::builder::{StringValueParser, TypedValueParser};

/// A whole number; `range` says which ones, such as `from 1 up`, where the type does.
pub(super) fn whole_number<T>(range: &'static str) -> impl TypedValueParser<Value = T>
where
    T: FromStr + Clone + Send + Sync + 'static,
{
    StringValueParser::new().try_map(move |text| {
        text.trim().parse().map_err(|_| format!("use a whole number {range}").trim_end().to_owned())
    })
}
