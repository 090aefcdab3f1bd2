//! An account together with its local snapshot, brought up to date.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::job::ReadMode;
use super::progress::PhaseProgress;
use crate::account::Account;
use crate::api::Client;
use crate::catalog::{CollectionLoss, Mirror, RefreshMode, RefreshOptions, RefreshStats};
use crate::error::Result;
use crate::run::prepare::report_waits;
use crate::schema::Entity;

pub(crate) struct MirroredAccount<'a> {
    pub account: &'a Account,
    /// Waits for a service that is down: an export that has begun need not begin again.
    client: Client,
    pub mirror: Mirror,
    /// What the last refresh read.
    pub refreshed: Vec<RefreshStats>,
    /// Where the local snapshot differed from the service. Only after [`ReadMode::Verify`].
    pub differences: Vec<RefreshStats>,
    /// How many collections were compared with the service.
    pub compared: usize,
    /// When the account was read, as RFC 3339.
    pub read_at: String,
}

impl<'a> MirroredAccount<'a> {
    /// Opens the local snapshot. Sends no request yet. Waits while another process uses the copy.
    pub(crate) async fn open(account: &'a Account, progress: &mut PhaseProgress<'_>) -> Result<Self> {
        let mirror = match account.mirror_path() {
            Some(path) => open_when_free(&path, progress).await?,
            None => Mirror::temporary()?,
        };
        let read_at = Timestamp::now().to_string();
        let client = account.client.with_patience();
        Ok(Self { account, client, mirror, refreshed: Vec::new(), differences: Vec::new(), compared: 0, read_at })
    }

    /// Brings the local snapshot of these collections up to date.
    pub(crate) async fn refresh(
        &mut self,
        collections: &[&'static Entity],
        mode: ReadMode,
        progress: &mut PhaseProgress<'_>,
    ) -> Result<()> {
        // A sandbox is fast, and its file may have been replaced since.
        let is_full = mode == ReadMode::Full || self.account.identity().is_sandbox();
        let refresh_mode = if is_full { RefreshMode::Full } else { RefreshMode::Incremental };
        self.refreshed = self.refresh_by(collections, refresh_mode, progress).await?;
        if mode == ReadMode::Verify {
            let compared = self.refresh_by(collections, RefreshMode::Full, progress).await?;
            let differs = |refreshed: &RefreshStats| refreshed.added + refreshed.changed + refreshed.removed > 0;
            self.compared = compared.len();
            self.differences = compared.into_iter().filter(differs).collect();
        }
        Ok(())
    }

    /// The collections of which most records are gone since the refresh before.
    pub(crate) fn losses(&self) -> impl Iterator<Item = CollectionLoss> {
        self.refreshed.iter().filter_map(|refreshed| refreshed.loss)
    }

    /// Reads a filtered list into `into`, which keeps it apart from the local snapshot.
    pub(crate) async fn read_filtered(
        &self,
        entity: &'static Entity,
        parameters: &[(&str, &str)],
        into: &Mirror,
        progress: &mut PhaseProgress<'_>,
    ) -> Result<()> {
        let client = &self.client;
        let progress = RefCell::new(progress);
        let mut on_read = |collection: &'static str, records| report_read(&progress, collection, records);
        let reading = into.read(client, (entity, parameters), self.options(RefreshMode::Full), &mut on_read);
        report_waits(client, &progress, reading).await?;
        Ok(())
    }

    async fn refresh_by(
        &self,
        collections: &[&'static Entity],
        mode: RefreshMode,
        progress: &mut PhaseProgress<'_>,
    ) -> Result<Vec<RefreshStats>> {
        let client = &self.client;
        let progress = RefCell::new(progress);
        let mut on_read = |collection: &'static str, records| report_read(&progress, collection, records);
        let refreshing = self.mirror.refresh(client, collections, self.options(mode), &mut on_read);
        let refreshed = report_waits(client, &progress, refreshing).await?;
        if self.mirror.is_log_denied()? {
            progress.borrow_mut().warn("this API key may not read the activity log; lists were read without it");
        }
        Ok(refreshed)
    }

    fn options(&self, mode: RefreshMode) -> RefreshOptions<'_> {
        RefreshOptions { mode, concurrency: self.account.concurrency.into(), now: &self.read_at }
    }
}

fn report_read(progress: &RefCell<&mut PhaseProgress<'_>>, collection: &str, records: u64) {
    progress.borrow_mut().report(&format!("reading {collection}"), records);
}

/// How long to wait before the next look whether a local snapshot is free.
const NEXT_LOOK: Duration = Duration::from_millis(100);

/// Opens a local snapshot as soon as no other process uses it. Waiting for the lock itself could not be interrupted.
async fn open_when_free(path: &Path, progress: &mut PhaseProgress<'_>) -> Result<Mirror> {
    let mut is_told = false;
    loop {
        if let Some(mirror) = Mirror::open(path)? {
            return Ok(mirror);
        }
        if !std::mem::replace(&mut is_told, true) {
            progress.note("another export of this account is running; waiting for it to finish");
        }
        tokio::time::sleep(NEXT_LOOK).await;
    }
}
