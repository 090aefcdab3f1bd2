//! The client: one method per kind of request. It joins the layers and makes no decisions itself.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Semaphore;
use url::Url;

use super::attempts::{Attempt, PriorAttempts, RequestResult, send_with_retry};
use super::clock::MachineClocks;
use super::counts::RequestCounters;
use super::page_limit::{self, PageLimit};
use super::rate_limiter::{BURST, RateLimiter, RateLimits};
use super::request::{Request, RequestBuilder};
use super::response::{self, Response};
use super::retry::LONGEST_OUTAGE;
use super::shared_quota::{self, SharedQuota};
use super::transport::{ProxyPolicy, Transport, TrustedRoots};
use super::{
    ApiError, AttemptLog, Body, CustomFieldsEncoding, RawPage, Record, RequestCounts, Secret, WaitStatus, WriteFailure,
    WriteOutcome, WriteReply, record_id,
};
use crate::schema::{ACTIVITY, CREATED_AT, Entity};

/// The most requests in flight that a client accepts.
pub(crate) const MOST_CONCURRENT: u16 = 64;
/// Records after which a list is taken for one without an end, before it fills the disk. No inventory is near it.
const LONGEST_LIST: u64 = 10_000_000;

/// How to connect a client.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// `https`, or `http` on this machine.
    pub base_url: Url,
    /// Sent to `base_url` and nowhere else.
    pub key: Secret,
    /// Where the key comes from, for the hint where the service does not accept it: "from BLUETALLY_API_KEY".
    pub key_origin: Option<String>,
    /// Named in every request but `/tenants`.
    pub tenant: Option<i64>,
    /// Requests an hour; none for no limit.
    pub quota: Option<u32>,
    /// The folder where all processes of this machine count their requests, created if it does not exist; none to count
    /// only this client's.
    pub quota_dir: Option<PathBuf>,
    /// Requests in flight, 1 to 64; other values are clamped.
    pub concurrency: u16,
    pub user_agent: String,
    pub custom_fields: CustomFieldsEncoding,
}

impl ClientOptions {
    /// Defaults for everything else: no tenant, the documented quota counted for this client only, 8 requests in flight.
    pub fn new(base_url: Url, key: Secret) -> Self {
        Self {
            base_url,
            key,
            key_origin: None,
            tenant: None,
            quota: Some(10_000),
            quota_dir: None,
            concurrency: 8,
            user_agent: concat!("tallyport/", env!("CARGO_PKG_VERSION")).to_owned(),
            custom_fields: CustomFieldsEncoding::default(),
        }
    }

    /// [`Client::account_digest`], as it is with that spelling of the base URL.
    pub(crate) fn account_digest(&self, base_url: &str) -> String {
        self.key.digest(&format!("account\0{base_url}\0{:?}", self.tenant))
    }
}

/// A client of the service. Cheap to clone: clones share connections, quota and counts.
///
/// Every method waits for the rate limiter, retries what may be retried, and returns when the request is settled.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<ClientInner>,
    log: Option<AttemptLog>,
    /// How long a read waits for a service that is down, beyond its retries.
    patience: Duration,
}

#[derive(Debug)]
struct ClientInner {
    account: String,
    key_origin: Option<String>,
    requests: RequestBuilder,
    transport: Transport,
    limiter: RateLimiter,
    in_flight: Semaphore,
    counts: RequestCounters,
    page_limit: PageLimit,
    /// Whether the service ever answered with a success.
    has_answered: AtomicBool,
    /// By how many seconds the service's clock is ahead of ours; [`i64::MIN`] as long as it has not told its time.
    clock_ahead: AtomicI64,
}

/// What one request shows of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub round_trip: Duration,
    /// The service's clock minus ours in seconds; none if the response has no date.
    pub clock_ahead: Option<i64>,
    /// The service's own count of the requests allowed and left, if it reports them.
    pub limit: Option<u64>,
    pub remaining: Option<u64>,
}

impl Client {
    /// Sends nothing yet.
    ///
    /// # Errors
    /// A base URL that is invalid or would send the key unencrypted, a system without usable cryptography, or a shared
    /// quota that cannot be used.
    pub fn new(options: ClientOptions) -> Result<Self, ApiError> {
        Self::with_transport(options, |options, route| {
            let roots = TrustedRoots::for_service(&options.base_url);
            Transport::new(&options.key, &options.user_agent, route, roots)
        })
    }

    /// A client of a network without sockets.
    ///
    /// # Errors
    /// As [`Client::new`].
    #[cfg(test)]
    pub(crate) fn simulated(
        options: ClientOptions,
        network: Arc<dyn super::SimulatedNetwork>,
    ) -> Result<Self, ApiError> {
        Self::with_transport(options, |options, _| Ok(Transport::simulated(&options.key, network)))
    }

    fn with_transport(
        options: ClientOptions,
        transport: impl FnOnce(&ClientOptions, ProxyPolicy) -> Result<Transport, ApiError>,
    ) -> Result<Self, ApiError> {
        let account = options.account_digest(options.base_url.as_str());
        let requests = RequestBuilder::new(options.base_url.clone(), options.tenant, options.custom_fields)?;
        // A service on this machine needs no limit of bursts, and no proxy may see its key.
        let (route, burst) = match requests.is_loopback() {
            true => (ProxyPolicy::Direct, None),
            false => (ProxyPolicy::System, options.quota.and(Some(BURST))),
        };
        let transport = transport(&options, route)?;
        let clock = MachineClocks::new();
        let quota = options.quota_dir.map(|folder| {
            let path = folder.join(shared_quota::file_name(&options.key, &requests.host()));
            SharedQuota::open(&path, options.quota, clock.read())
        });
        let limiter = RateLimiter::new(RateLimits { hourly: options.quota, burst }, clock, quota.transpose()?);
        let inner = ClientInner {
            account,
            key_origin: options.key_origin,
            transport,
            requests,
            limiter,
            in_flight: Semaphore::new(options.concurrency.clamp(1, MOST_CONCURRENT).into()),
            counts: RequestCounters::new(),
            page_limit: PageLimit::new(),
            has_answered: AtomicBool::new(false),
            clock_ahead: AtomicI64::new(i64::MIN),
        };
        Ok(Self { inner: Arc::new(inner), log: None, patience: Duration::ZERO })
    }

    /// One page of a list: at most `limit` records from `offset` on, unparsed.
    ///
    /// Sorted by `created_at` if the list can be, so that paging stays consistent while records are added, unless
    /// `filters` name a `sort`. If the service refuses the limit, smaller ones are tried and the accepted one is
    /// remembered as [`Client::page_limit`]; the page is then shorter than requested.
    pub async fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<RawPage, ApiError> {
        let mut limit = limit.min(self.page_limit());
        let mut first_refusal = None;
        loop {
            let request = self.list_request(entity, filters, offset, limit);
            if offset >= LONGEST_LIST {
                let detail = format!("expected the list to end, got {LONGEST_LIST} records and no end");
                return Err(ApiError::Contract { what: request.what(), detail });
            }
            let page = self.read(&request).await.and_then(|response| response::raw_list(&request.what(), response));
            let error = match page.map_err(|error| self.completed(error)) {
                Ok(page) => {
                    if first_refusal.is_some() {
                        self.inner.page_limit.learn(limit);
                    }
                    self.inner.page_limit.observe(page.len());
                    return Ok(page);
                }
                Err(error) => error,
            };
            match page_limit::smaller(limit) {
                Some(smaller) if page_limit::may_refuse_limit(&error) => {
                    first_refusal.get_or_insert(error);
                    limit = smaller;
                }
                // It was not the limit then: the first refusal says what it was.
                _ => return Err(first_refusal.unwrap_or(error)),
            }
        }
    }

    fn list_request(&self, entity: &'static Entity, filters: &[(&str, &str)], offset: u64, limit: u32) -> Request {
        let (offset, limit) = (offset.to_string(), limit.to_string());
        let mut query = filters.to_vec();
        query.extend([("limit", limit.as_str()), ("offset", offset.as_str())]);
        if entity.sorts.contains(&CREATED_AT) && !filters.iter().any(|(name, _)| *name == "sort") {
            query.extend([("sort", CREATED_AT), ("order", "asc")]);
        }
        self.inner.requests.list(entity, &query)
    }

    /// A file name that is unique to the account of this client: a digest of key, base URL and tenant. Nobody can recover
    /// the key from it.
    pub fn account_digest(&self) -> &str {
        &self.inner.account
    }

    /// The records requested at once: 1,000 until the service has refused that.
    pub fn page_limit(&self) -> u32 {
        self.inner.page_limit.get()
    }

    /// Whether a page of `length`, requested with `limit`, ends its list: see `page_limit`.
    pub fn is_last_page(&self, length: usize, limit: u32) -> bool {
        // The limit may have been refused, and a smaller one learned, within that request.
        self.inner.page_limit.is_last(length, limit.min(self.page_limit()))
    }

    /// Every record of a list, in memory. A short page does not end it: one more request asks from there, since a service
    /// may hide records after it has cut a page.
    pub async fn all(&self, entity: &'static Entity, filters: &[(&str, &str)]) -> Result<Vec<Record>, ApiError> {
        let mut records = Vec::new();
        let (mut before, mut is_short, mut offset) = (RawPage::default(), false, 0);
        loop {
            let limit = self.page_limit();
            let page = self.raw_page(entity, filters, offset, limit).await?;
            if page.is_empty() || (is_short && page == before) {
                break;
            }
            if page == before {
                // A service that ignores `offset` would never end.
                let detail = format!("the page at offset {offset} repeats the previous page");
                return Err(ApiError::Contract { what: format!("GET {}", entity.path), detail });
            }
            records.extend(page.to_records(entity));
            is_short = self.is_last_page(page.len(), limit);
            offset += page.len() as u64;
            before = page;
        }
        // Where records were hidden from a page, the next one begins with records of that page.
        let mut seen = HashSet::new();
        records.retain(|record| record_id(record).is_none_or(|id| seen.insert(id)));
        Ok(records)
    }

    /// One record; none if there is no such id.
    pub async fn get(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, ApiError> {
        let request = self.inner.requests.get(entity, id);
        let record = response::record(&request.what(), entity, &self.read(&request).await?);
        record.map_err(|error| self.completed(error))
    }

    /// The newest `limit` entries of the activity log that match `filters`, the newest first.
    pub async fn activity(&self, filters: &[(&str, &str)], limit: u32) -> Result<Vec<Record>, ApiError> {
        let newest = [("sort", CREATED_AT), ("order", "desc")];
        Ok(self.raw_page(&ACTIVITY, &[filters, &newest].concat(), 0, limit).await?.to_records(&ACTIVITY))
    }

    /// The tenants the key may act for; each has a `tenant_id`.
    pub async fn tenants(&self) -> Result<Vec<Record>, ApiError> {
        let request = self.inner.requests.tenants();
        let tenants = response::tenants(&request.what(), &self.read(&request).await?);
        tenants.map_err(|error| self.completed(error))
    }

    /// Creates a record, or carries out an action. Sent once, except after attempts that certainly did not arrive.
    pub async fn create(&self, entity: &'static Entity, body: &Body) -> Result<WriteReply, WriteFailure> {
        let request = self.inner.requests.create(entity, body);
        let (response, earlier) = self.write(&request).await?;
        self.settled(response::written(&request.what(), entity, None, &response), earlier)
    }

    /// Changes the fields in `body` of a record.
    pub async fn update(&self, entity: &'static Entity, id: i64, body: &Body) -> Result<WriteReply, WriteFailure> {
        let request = self.inner.requests.update(entity, id, body);
        let (response, earlier) = self.write(&request).await?;
        self.settled(response::written(&request.what(), entity, Some(id), &response), earlier)
    }

    /// Deletes a record. One that is gone after an attempt without a response counts as deleted.
    pub async fn delete(&self, entity: &'static Entity, id: i64) -> Result<(), WriteFailure> {
        let request = self.inner.requests.delete(entity, id);
        let (response, earlier) = self.write(&request).await?;
        if earlier == PriorAttempts::MaybeApplied && response::is_gone(&response) {
            return Ok(());
        }
        self.settled(response::deleted(&request.what(), entity, &response), earlier)
    }

    /// What the response to a request for one record of `entity` shows of the service.
    pub async fn probe(&self, entity: &'static Entity) -> Result<Probe, ApiError> {
        let request = self.inner.requests.list(entity, &[("limit", "1")]);
        let start = Instant::now();
        let response = self.read(&request).await?;
        let round_trip = start.elapsed();
        let headers = response.headers.clone();
        response::raw_list(&request.what(), response).map_err(|error| self.completed(error))?;
        let clock_ahead = headers.date.map(|date| seconds_ahead(date, SystemTime::now()));
        Ok(Probe { round_trip, clock_ahead, limit: headers.limit, remaining: headers.remaining })
    }

    /// The same client, which also logs every request it makes to `log`.
    pub fn with_attempt_log(&self, log: &AttemptLog) -> Self {
        Self { log: Some(log.clone()), ..self.clone() }
    }

    /// Every attempt sent so far, by kind.
    pub fn requests(&self) -> RequestCounts {
        self.inner.counts.read()
    }

    /// The same client, whose reads wait up to ten minutes for a service that answered before and is down now.
    pub fn with_patience(&self) -> Self {
        Self { patience: LONGEST_OUTAGE, ..self.clone() }
    }

    /// What requests are waiting for right now, for the progress line.
    pub fn waiting(&self) -> Option<WaitStatus> {
        self.inner.limiter.waiting()
    }

    /// By how many seconds the service's clock is ahead of ours, as its last response said; none if none did.
    pub fn clock_ahead(&self) -> Option<i64> {
        Some(self.inner.clock_ahead.load(Ordering::Relaxed)).filter(|seconds| *seconds != i64::MIN)
    }

    /// Requests that the quota lets through at once, whichever process sends them; none if there is no quota.
    pub fn quota_left(&self) -> Option<usize> {
        self.inner.limiter.remaining()
    }

    /// Warnings about the count of requests since the last call: that the machine's clock was set, or that the shared quota
    /// failed and other processes are no longer counted. Each is also logged.
    pub fn warnings(&self) -> Vec<String> {
        self.inner.limiter.warnings()
    }

    /// Host and port of the base URL, for messages.
    pub fn host(&self) -> String {
        self.inner.requests.host()
    }

    /// Whether the base URL is on this machine.
    pub fn is_on_this_machine(&self) -> bool {
        self.inner.requests.is_loopback()
    }

    /// Sends nothing any more: requests that wait for the quota or for a retry end at once as not sent; those in flight
    /// are completed.
    pub fn stop(&self) {
        self.inner.limiter.close();
    }

    async fn read(&self, request: &Request) -> Result<Response, ApiError> {
        match self.send(request).await.last {
            Attempt::Answered(response) => Ok(response),
            Attempt::NotSent(cause) => Err(self.unreachable(cause)),
            Attempt::Lost(cause) => Err(ApiError::NoResponse { what: request.what(), cause }),
        }
    }

    async fn write(&self, request: &Request) -> Result<(Response, PriorAttempts), WriteFailure> {
        let RequestResult { last, earlier } = self.send(request).await;
        match (last, earlier) {
            (Attempt::Answered(response), earlier) => Ok((response, earlier)),
            (Attempt::NotSent(cause), PriorAttempts::NotApplied) => {
                Err(response::without_response(WriteOutcome::NotSent, self.unreachable(cause)))
            }
            // The last attempt was not sent, but one before it may have been applied.
            (Attempt::NotSent(cause) | Attempt::Lost(cause), _) => Err(response::without_response(
                WriteOutcome::Unknown,
                ApiError::NoResponse { what: request.what(), cause },
            )),
        }
    }

    /// What only the client can say of an error. Masks parts of the key in one that describes a success: as data, only
    /// the whole key was masked in it.
    fn completed(&self, error: ApiError) -> ApiError {
        match error {
            ApiError::Contract { what, detail } => {
                ApiError::Contract { what, detail: self.inner.transport.masked(&detail) }
            }
            ApiError::Unauthorized { message, .. } => {
                ApiError::Unauthorized { message, key_origin: self.inner.key_origin.clone() }
            }
            other => other,
        }
    }

    /// The same for a write. If the service took no notice of the last attempt, one before it may have been applied.
    fn settled<T>(&self, result: Result<T, WriteFailure>, earlier: PriorAttempts) -> Result<T, WriteFailure> {
        let masked = |text: &str| self.inner.transport.masked(text);
        result.map_err(|failure| WriteFailure {
            message: masked(&failure.message),
            fields: failure.fields.iter().map(|(field, text)| (masked(field), masked(text))).collect(),
            cause: failure.cause.map(|cause| Box::new(self.completed(*cause))),
            outcome: match (failure.outcome, earlier) {
                (WriteOutcome::NotSent, PriorAttempts::MaybeApplied) => WriteOutcome::Unknown,
                (outcome, _) => outcome,
            },
            ..failure
        })
    }

    async fn send(&self, request: &Request) -> RequestResult {
        let inner = &*self.inner;
        // A service that never answered may have another address.
        let patience = if inner.has_answered.load(Ordering::Relaxed) { self.patience } else { Duration::ZERO };
        send_with_retry(request.kind.method, (&inner.limiter, patience), || async {
            // This permit comes first: nothing may wait between the rate limiter, which counts, and the network.
            let _permit = inner.in_flight.acquire().await;
            if inner.limiter.acquire().await.is_err() {
                return Attempt::NotSent("the run was stopped".to_owned());
            }
            inner.counts.add(request);
            let (at, start) = (SystemTime::now(), tokio::time::Instant::now());
            let attempt = inner.transport.attempt(request).await;
            if matches!(&attempt, Attempt::Answered(response) if response.is_success()) {
                inner.has_answered.store(true, Ordering::Relaxed);
            }
            if let Attempt::Answered(response) = &attempt
                && let Some(date) = response.headers.date
            {
                inner.clock_ahead.store(seconds_ahead(date, SystemTime::now()), Ordering::Relaxed);
            }
            if let Some(log) = &self.log {
                log.add(request, at, start.elapsed(), &attempt);
            }
            attempt
        })
        .await
    }

    fn unreachable(&self, cause: String) -> ApiError {
        ApiError::Unreachable { host: self.host(), cause }
    }
}

/// By how many whole seconds `theirs` is ahead of `ours`.
fn seconds_ahead(theirs: SystemTime, ours: SystemTime) -> i64 {
    let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    match theirs.duration_since(ours) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    }
}
