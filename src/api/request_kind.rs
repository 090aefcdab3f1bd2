//! What a request does, as counts and the journal name it: `POST checkout/asset`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::schema::{ACTIVITY, Entity, TENANTS, importable};

/// The four methods the guide uses, in the order of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    Delete,
    Get,
    Post,
    Put,
}

impl Method {
    pub(super) const ALL: [Method; 4] = [Method::Delete, Method::Get, Method::Post, Method::Put];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Method::Delete => "DELETE",
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
        }
    }
}

/// Method and endpoint of a request. Its text form is `POST checkout/asset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestKind {
    pub method: Method,
    /// The path of the endpoint below the base link, as the schema has it.
    pub path: &'static str,
}

/// A text that names no request of the API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown request `{0}`")]
pub struct UnknownRequest(String);

/// Everything that has an endpoint.
pub(super) fn endpoints() -> impl Iterator<Item = &'static Entity> {
    importable().chain([&ACTIVITY, &TENANTS])
}

impl fmt::Display for RequestKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method.as_str(), self.path)
    }
}

impl FromStr for RequestKind {
    type Err = UnknownRequest;

    fn from_str(text: &str) -> Result<Self, UnknownRequest> {
        let parse = || {
            let (method, path) = text.split_once(' ')?;
            let method = Method::ALL.into_iter().find(|known| known.as_str() == method)?;
            Some(Self { method, path: endpoints().find(|entity| entity.path == path)?.path })
        };
        parse().ok_or_else(|| UnknownRequest(text.to_owned()))
    }
}

impl Serialize for RequestKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RequestKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_has_a_text_and_sorts_by_it() {
        let mut kinds: Vec<RequestKind> = endpoints()
            .flat_map(|entity| Method::ALL.map(|method| RequestKind { method, path: entity.path }))
            .collect();
        for kind in &kinds {
            assert_eq!(kind.to_string().parse(), Ok(*kind));
        }
        kinds.sort_unstable();
        assert!(kinds.is_sorted_by_key(ToString::to_string));
        for text in ["", "POST", "POST assets ", "PATCH assets", "POST widgets"] {
            assert_eq!(text.parse::<RequestKind>(), Err(UnknownRequest(text.to_owned())));
        }
    }
}
