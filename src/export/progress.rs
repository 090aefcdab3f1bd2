//! Progress of an export, passed on to its observer.

use crate::observer::{Observer, Wait};

/// Announces a phase to the observer when it begins, and reports its rows.
pub(crate) struct PhaseProgress<'o> {
    observer: &'o mut dyn Observer,
    phase: String,
}

impl<'o> PhaseProgress<'o> {
    pub(crate) fn new(observer: &'o mut dyn Observer) -> Self {
        Self { observer, phase: String::new() }
    }

    /// Begins a phase, unless it is the current one.
    pub(crate) fn begin(&mut self, phase: &str) {
        if self.phase != phase {
            phase.clone_into(&mut self.phase);
            self.observer.on_phase(phase, None);
        }
    }

    /// Reports how many rows of a phase are done; the first report begins it.
    pub(crate) fn report(&mut self, phase: &str, rows: u64) {
        self.begin(phase);
        self.observer.on_rows(rows, 0);
    }

    pub(crate) fn note(&mut self, text: &str) {
        self.observer.on_note(text);
    }

    pub(crate) fn warn(&mut self, text: &str) {
        self.observer.on_warning(text);
    }
}

impl Observer for PhaseProgress<'_> {
    fn on_wait(&mut self, wait: Option<&Wait>) {
        self.observer.on_wait(wait);
    }
}
