//! Keeps secrets out of everything that is printed or stored (design rule 15).
//!
//! ```text
//! url         a base URL as messages show it: without a user, a password or a query
//! toml_error  what is wrong with a file that may hold a key, without the file's own words
//! ```

mod toml_error;
mod url;

pub(crate) use toml_error::{TomlMistake, is_plain_name};
pub(crate) use url::shown_url;
