//! The number of requests sent, by kind.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};

use super::request::Request;
use super::request_kind::{Method, RequestKind, endpoints};

/// Requests that were sent, including every retry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestCounts {
    pub total: u64,
    /// By method and path. Kinds that were never sent are not included.
    pub by_kind: BTreeMap<RequestKind, u64>,
}

impl From<BTreeMap<RequestKind, u64>> for RequestCounts {
    fn from(by_kind: BTreeMap<RequestKind, u64>) -> Self {
        Self { total: by_kind.values().sum(), by_kind }
    }
}

impl AddAssign for RequestCounts {
    fn add_assign(&mut self, other: Self) {
        self.total += other.total;
        for (kind, count) in other.by_kind {
            *self.by_kind.entry(kind).or_default() += count;
        }
    }
}

/// One counter per path and method, created once from the schema so that counting neither locks nor allocates.
#[derive(Debug)]
pub(super) struct RequestCounters {
    rows: Vec<(&'static str, [AtomicU64; Method::ALL.len()])>,
}

impl RequestCounters {
    pub(super) fn new() -> Self {
        Self { rows: endpoints().map(|entity| (entity.path, Default::default())).collect() }
    }

    /// One more attempt of `request`.
    pub(super) fn add(&self, request: &Request) {
        let RequestKind { method, path } = request.kind;
        if let Some((_, counters)) = self.rows.iter().find(|(known, _)| *known == path) {
            counters[method as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self) -> RequestCounts {
        let of_path = |(path, counters): &(&'static str, [AtomicU64; Method::ALL.len()])| {
            let path = *path;
            let counts: Vec<_> = Method::ALL
                .into_iter()
                .map(|method| (RequestKind { method, path }, counters[method as usize].load(Ordering::Relaxed)))
                .collect();
            counts
        };
        let sent: BTreeMap<_, _> = self.rows.iter().flat_map(of_path).filter(|(_, count)| *count > 0).collect();
        sent.into()
    }
}
