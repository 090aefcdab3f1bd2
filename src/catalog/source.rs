//! Where records come from: the service, the mirror, or a test.

use crate::api::{ApiError, Client, RawPage, Record};
use crate::schema::Entity;

/// A source of lists and of single records.
pub trait RecordSource {
    type Error;

    /// Whether an error says that a list is closed to this key, or that the service has no such list.
    fn is_denied(_error: &Self::Error) -> bool {
        false
    }

    /// The most records a page contains, as far as is known: a request may reveal a smaller limit.
    fn page_limit(&self) -> u32;

    /// Whether a page of `length`, requested with `limit`, is the last one. A service may cut pages silently.
    fn is_last(&self, length: usize, limit: u32) -> bool {
        length < limit as usize
    }

    /// At most `limit` records from `offset` on whose fields equal the values of `filters`, unparsed. The filters may
    /// include `sort` and `order`; otherwise records are in the order of their creation.
    fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> impl Future<Output = Result<RawPage, Self::Error>>;

    /// The record with that system id; none if there is no such record.
    fn record(&self, entity: &'static Entity, id: i64) -> impl Future<Output = Result<Option<Record>, Self::Error>>;

    /// The record with exactly that text in a field that no two records share.
    fn record_with(
        &self,
        entity: &'static Entity,
        field: &str,
        text: &str,
    ) -> impl Future<Output = Result<Option<Record>, Self::Error>> {
        async move {
            let page = self.page(entity, &[(field, text)], 0, 2).await?;
            // A service that does not know the filter returns everything.
            let is_it = |record: &Record| record.get(field).and_then(serde_json::Value::as_str) == Some(text);
            Ok(page.into_iter().find(is_it))
        }
    }

    /// As [`RecordSource::raw_page`], parsed.
    fn page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Record>, Self::Error>> {
        async move { Ok(self.raw_page(entity, filters, offset, limit).await?.to_records(entity)) }
    }
}

impl RecordSource for Client {
    type Error = ApiError;

    fn is_denied(error: &ApiError) -> bool {
        error.is_denied()
    }

    fn page_limit(&self) -> u32 {
        Client::page_limit(self)
    }

    fn is_last(&self, length: usize, limit: u32) -> bool {
        Client::is_last_page(self, length, limit)
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

    async fn record(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, ApiError> {
        self.get(entity, id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source of nothing that does not say which errors mean a closed list.
    struct Unspecific;

    impl RecordSource for Unspecific {
        type Error = ApiError;

        fn page_limit(&self) -> u32 {
            1
        }

        async fn raw_page(&self, _: &'static Entity, _: &[(&str, &str)], _: u64, _: u32) -> Result<RawPage, ApiError> {
            Ok(RawPage::default())
        }

        async fn record(&self, _: &'static Entity, _: i64) -> Result<Option<Record>, ApiError> {
            Ok(None)
        }
    }

    #[test]
    fn the_service_closes_a_list_by_403_and_404_and_other_sources_close_none() {
        let (what, message) = (String::from("GET assets"), String::new());
        let forbidden = ApiError::Forbidden { what: what.clone(), status: 403, message: message.clone() };
        let missing = ApiError::Refused { what: what.clone(), status: 404, message: message.clone() };
        assert!(Client::is_denied(&forbidden) && Client::is_denied(&missing));
        assert!(!Client::is_denied(&ApiError::Unavailable { what, status: 503, message }));
        assert!(!Unspecific::is_denied(&forbidden));
    }
}
