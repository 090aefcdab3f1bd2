//! The number of requests sent, by kind.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::request::{Method, Request};
use crate::schema::{ACTIVITY, TENANTS, importable};

/// The requests a client has sent so far, including every retry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestCounts {
    pub total: u64,
    /// By method and path: `GET assets`, `POST checkout/asset`. Kinds that were never sent are not included.
    pub by_kind: BTreeMap<String, u64>,
}

/// One counter per path and method, created once from the schema so that counting neither locks nor allocates.
#[derive(Debug)]
pub(super) struct RequestCounters {
    rows: Vec<(&'static str, [AtomicU64; Method::ALL.len()])>,
}

impl RequestCounters {
    pub(super) fn new() -> Self {
        let rows = importable().chain([&ACTIVITY, &TENANTS]).map(|entity| (entity.path, Default::default()));
        Self { rows: rows.collect() }
    }

    /// One more attempt of `request`.
    pub(super) fn add(&self, request: &Request) {
        if let Some((_, counters)) = self.rows.iter().find(|(path, _)| *path == request.entity) {
            counters[request.method as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self) -> RequestCounts {
        let mut counts = RequestCounts::default();
        for (path, counters) in &self.rows {
            for method in Method::ALL {
                let count = counters[method as usize].load(Ordering::Relaxed);
                if count > 0 {
                    counts.total += count;
                    counts.by_kind.insert(format!("{} {path}", method.as_str()), count);
                }
            }
        }
        counts
    }
}
