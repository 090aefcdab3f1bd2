//! Reconciles steps against a service in memory.

use futures::executor::block_on;

use super::super::{Resolution, RunContext, reconcile};
pub(super) use crate::catalog::fake_source::{FakeSource, Quirk};
use crate::plan::Step;

pub(super) fn resolutions(source: &FakeSource, steps: &[&Step], context: &RunContext<'_>) -> Vec<Resolution> {
    match block_on(reconcile(source, steps, context)) {
        Ok(resolutions) => resolutions,
        Err(never) => match never {},
    }
}
