#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::convert::Infallible;

use futures::executor::block_on;

use crate::api::{RawPage, Record, record_id};
use crate::catalog::mirror::Mirror;
use crate::catalog::mirror::refresh::{RefreshMethod, RefreshMode, RefreshOptions};
use crate::catalog::mirror::tests::{ChangingAccount, Log, NOW, PAGE, assets};
use crate::catalog::source::RecordSource;
use crate::schema::{Entity, collection};

#[test]
fn a_moved_record_that_is_gone_is_removed_although_the_log_tells_of_no_deletion() {
    let account = ChangingAccount::new(Log::Everything);
    account.fill(assets(), 50);
    let mirror = Mirror::temporary().unwrap();
    account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    for id in [7, 9] {
        account.check_out(assets(), id);
        account.with_list("assets", |records| records.retain(|record| record_id(record) != Some(id)));
    }
    let refreshed = account.refresh(&mirror, &[assets()], RefreshMode::Incremental).0[0];
    assert_eq!((refreshed.how, refreshed.removed, refreshed.records), (RefreshMethod::Incremental, 2, 48));
    account.assert_mirrored(&mirror, assets());
}

/// An account in which an asset is moved just before the maintenances are counted, and so much else happens that the log
/// cannot be read back to that.
struct BusySource<'a> {
    account: &'a ChangingAccount,
    is_done: Cell<bool>,
}

impl RecordSource for BusySource<'_> {
    type Error = Infallible;

    fn page_limit(&self) -> u32 {
        PAGE
    }

    async fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<RawPage, Infallible> {
        if entity.name == "maintenances" && limit < PAGE && !self.is_done.replace(true) {
            self.account.check_out(assets(), self.account.ids(assets())[0]);
            for _ in 0..30 * PAGE {
                self.account.check_out(assets(), self.account.ids(assets())[1]);
            }
            self.account.fill(entity, 1);
        }
        self.account.source.raw_page(entity, filters, offset, limit).await
    }

    async fn record(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, Infallible> {
        self.account.source.record(entity, id).await
    }
}

#[test]
fn a_log_that_breaks_off_proves_nothing_of_collections_that_were_read_before() {
    let account = ChangingAccount::new(Log::Everything);
    let wanted = [assets(), collection("maintenances").unwrap()];
    wanted.into_iter().for_each(|entity| account.fill(entity, 3 * PAGE as usize));
    let mirror = Mirror::temporary().unwrap();
    account.refresh(&mirror, &wanted, RefreshMode::Incremental);
    let source = BusySource { account: &account, is_done: Cell::new(false) };
    let options = RefreshOptions { mode: RefreshMode::Incremental, concurrency: 1, now: NOW };
    block_on(mirror.refresh(&source, &wanted, options, &mut |_, _| {})).unwrap();
    assert!(source.is_done.get());
    account.assert_mirrored(&mirror, wanted[1]);
    account.refresh(&mirror, &wanted[..1], RefreshMode::Incremental);
    account.assert_mirrored(&mirror, assets());
}
