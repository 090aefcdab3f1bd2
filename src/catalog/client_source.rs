//! The client_source as the place records come from.

use super::fetch::{Record, RecordSource};
use super::list_scan::RawListSource;
use crate::api::{ApiError, Client, RawPage};
use crate::schema::Entity;

impl RecordSource for Client {
    type Error = ApiError;

    fn page_limit(&self) -> u32 {
        Client::page_limit(self)
    }

    fn is_last(&self, length: usize, limit: u32) -> bool {
        Client::is_last_page(self, length, limit)
    }

    async fn page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Record>, ApiError> {
        Client::page(self, entity, filters, offset, limit).await
    }

    async fn record(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, ApiError> {
        self.get(entity, id).await
    }
}

impl RawListSource for Client {
    type Error = ApiError;

    fn page_limit(&self) -> u32 {
        Client::page_limit(self)
    }

    async fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<RawPage, ApiError> {
        Client::raw_page(self, entity, filters, offset, limit).await
    }
}
