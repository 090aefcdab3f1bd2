//! The client: requests go out, records come back. Joins the layers and decides nothing itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures::stream::{BoxStream, TryStreamExt};
use tokio::sync::Semaphore;
use url::Url;

use super::attempts::{Attempt, PriorAttempts, RequestResult, send_with_retry};
use super::clock::MachineClocks;
use super::counts::RequestCounters;
use super::pages::{self, PageLimit};
use super::rate_limiter::{BURST, RateLimiter, RateLimits};
use super::request::{Request, Target};
use super::response::{self, Response};
use super::shared_quota::{self, SharedQuota};
use super::transport::{ProxyPolicy, Transport};
use super::{
    ApiError, AttemptLog, Body, CustomFieldsEncoding, RawPage, Record, RequestCounts, Secret, WaitStatus, WriteFailure,
    WriteOutcome, WriteReply,
};
use crate::schema::{ACTIVITY, Entity};

/// The most requests in flight a client takes.
pub const MOST_CONCURRENT: u16 = 64;

/// What a client is made of.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// `https`, or `http` on this machine.
    pub base_url: Url,
    /// Sent to `base_url` and nowhere else.
    pub key: Secret,
    /// Named in every request but `/tenants`.
    pub tenant: Option<i64>,
    /// Requests an hour; none for no limit.
    pub quota: Option<u32>,
    /// The folder where all processes of this machine keep count of their requests, made if it does not exist; none
    /// to count this client's alone.
    pub ledger: Option<PathBuf>,
    /// Requests in flight, 1 to [`MOST_CONCURRENT`]; what is beyond is cut.
    pub concurrency: u16,
    pub user_agent: String,
    pub custom_fields: CustomFieldsEncoding,
}

impl ClientOptions {
    /// The defaults for everything else: no tenant, the documented quota kept by this client alone, 8 requests in flight.
    pub fn new(base_url: Url, key: Secret) -> Self {
        Self {
            base_url,
            key,
            tenant: None,
            quota: Some(10_000),
            ledger: None,
            concurrency: 8,
            user_agent: concat!("tallyport/", env!("CARGO_PKG_VERSION")).to_owned(),
            custom_fields: CustomFieldsEncoding::default(),
        }
    }
}

/// A client of the service. Cheap to clone: clones share connections, quota and counts.
///
/// Every method waits at the quota's limiter, repeats what may be repeated, and returns once it is settled.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<ClientInner>,
    notes: Option<AttemptLog>,
}

#[derive(Debug)]
struct ClientInner {
    account: String,
    target: Target,
    transport: Transport,
    limiter: RateLimiter,
    in_flight: Semaphore,
    counts: RequestCounters,
    pages: PageLimit,
}

/// What one request tells of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub round_trip: Duration,
    /// The service's clock minus ours in seconds, to the second; none where it does not show it.
    pub clock_ahead: Option<i64>,
    /// The service's own count of the requests allowed and left, where it tells.
    pub limit: Option<u64>,
    pub remaining: Option<u64>,
}

impl Client {
    /// Sends nothing yet.
    ///
    /// # Errors
    /// A base link that is none or would carry the key in the clear, a system without usable cryptography, or a
    /// ledger that cannot be used.
    pub fn new(options: ClientOptions) -> Result<Self, ApiError> {
        let account = options.key.digest(&format!("account\0{}\0{:?}", options.base_url, options.tenant));
        let target = Target::new(options.base_url, options.tenant, options.custom_fields)?;
        // A service on this machine needs no smoothing, and its key no proxy.
        let (route, burst) = match target.is_loopback() {
            true => (ProxyPolicy::Direct, None),
            false => (ProxyPolicy::System, options.quota.and(Some(BURST))),
        };
        let clock = MachineClocks::new();
        let ledger = options.ledger.map(|folder| {
            let path = folder.join(shared_quota::file_name(&options.key, &target.host()));
            SharedQuota::open(&path, options.quota, clock.read())
        });
        let limiter = RateLimiter::new(RateLimits { hourly: options.quota, burst }, clock, ledger.transpose()?);
        let shared = ClientInner {
            account,
            transport: Transport::new(&options.key, &options.user_agent, route)?,
            target,
            limiter,
            in_flight: Semaphore::new(options.concurrency.clamp(1, MOST_CONCURRENT).into()),
            counts: RequestCounters::new(),
            pages: PageLimit::new(),
        };
        Ok(Self { shared: Arc::new(shared), notes: None })
    }

    /// One page of a list: at most `limit` records from `offset` on.
    ///
    /// Sorted by `created_at` where the list can be, so that paging stays steady while records are added, unless
    /// `filters` name a `sort`. Where the service refuses the limit, smaller ones are tried and the one it takes is
    /// remembered as [`Client::page_limit`]; the page is then shorter than asked for.
    pub async fn page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Record>, ApiError> {
        let read = |what: &str, answer: Response| response::list(what, &answer);
        self.paged(entity, filters, offset, limit, read, Vec::len).await
    }

    /// As [`Client::page`], with the records as they came: for lists that are read whole.
    pub async fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<RawPage, ApiError> {
        self.paged(entity, filters, offset, limit, response::raw_list, RawPage::len).await
    }

    async fn paged<T>(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
        read: impl Fn(&str, Response) -> Result<T, ApiError>,
        length: impl Fn(&T) -> usize,
    ) -> Result<T, ApiError> {
        let mut limit = limit.min(self.page_limit());
        let mut first_refusal = None;
        loop {
            let request = self.list_request(entity, filters, offset, limit);
            let answered = self.read(&request).await.and_then(|answer| read(&request.what(), answer));
            let error = match answered {
                Ok(page) => {
                    if first_refusal.is_some() {
                        self.shared.pages.learn(limit);
                    }
                    self.shared.pages.saw(length(&page));
                    return Ok(page);
                }
                Err(error) => error,
            };
            match pages::smaller(limit) {
                Some(smaller) if pages::may_refuse_limit(&error) => {
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
        if entity.sorts.contains(&"created_at") && !filters.iter().any(|(name, _)| *name == "sort") {
            query.extend([("sort", "created_at"), ("order", "asc")]);
        }
        self.shared.target.list(entity, &query)
    }

    /// What tells the account that this client reads from every other, as a name for a file: a digest of key, base link
    /// and tenant. Nothing leads back from it to the key.
    pub fn account_digest(&self) -> &str {
        &self.shared.account
    }

    /// The records asked for at once: 1,000 until the service has refused that.
    pub fn page_limit(&self) -> u32 {
        self.shared.pages.get()
    }

    /// Whether a page of `length`, asked for by `limit`, ends its list: see [`pages`].
    pub fn is_last_page(&self, length: usize, limit: u32) -> bool {
        // The limit may have been refused and learnt anew within that very request.
        self.page_limits().is_last(length, limit.min(self.page_limit()))
    }

    pub(super) fn page_limits(&self) -> &PageLimit {
        &self.shared.pages
    }

    /// A list to its end, page by page; the next page is asked for when the last one is taken. No page is empty.
    pub fn pages<'a>(
        &'a self,
        entity: &'static Entity,
        filters: &'a [(&'a str, &'a str)],
    ) -> BoxStream<'a, Result<Vec<Record>, ApiError>> {
        pages::pages(self, entity, filters)
    }

    /// A list to its end, in memory.
    pub async fn all(&self, entity: &'static Entity, filters: &[(&str, &str)]) -> Result<Vec<Record>, ApiError> {
        self.pages(entity, filters).try_concat().await
    }

    /// One record; none where there is no such id.
    pub async fn get(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, ApiError> {
        let request = self.shared.target.get(entity, id);
        response::record(&request.what(), entity, &self.read(&request).await?)
    }

    /// The newest `limit` entries of the activity log that match `filters`, the newest first.
    pub async fn activity(&self, filters: &[(&str, &str)], limit: u32) -> Result<Vec<Record>, ApiError> {
        let newest = [("sort", "created_at"), ("order", "desc")];
        self.page(&ACTIVITY, &[filters, &newest].concat(), 0, limit).await
    }

    /// The tenants the key may act for; each has a `tenant_id`.
    pub async fn tenants(&self) -> Result<Vec<Record>, ApiError> {
        let request = self.shared.target.tenants();
        response::tenants(&request.what(), &self.read(&request).await?)
    }

    /// Creates a record, or carries out an action. Sent once, but for attempts that surely did not arrive.
    pub async fn create(&self, entity: &'static Entity, body: &Body) -> Result<WriteReply, WriteFailure> {
        let request = self.shared.target.create(entity, body);
        let (answer, _) = self.write(&request).await?;
        self.redact_key(response::written(&request.what(), entity, None, &answer))
    }

    /// Changes the fields in `body` of a record.
    pub async fn update(&self, entity: &'static Entity, id: i64, body: &Body) -> Result<WriteReply, WriteFailure> {
        let request = self.shared.target.update(entity, id, body);
        let (answer, _) = self.write(&request).await?;
        self.redact_key(response::written(&request.what(), entity, Some(id), &answer))
    }

    /// Deletes a record. One that is gone after an attempt whose answer was lost counts as deleted.
    pub async fn delete(&self, entity: &'static Entity, id: i64) -> Result<(), WriteFailure> {
        let request = self.shared.target.delete(entity, id);
        let (answer, earlier) = self.write(&request).await?;
        if earlier == PriorAttempts::MaybeApplied && response::is_gone(&answer) {
            return Ok(());
        }
        self.redact_key(response::deleted(&request.what(), entity, &answer))
    }

    /// What the service tells of itself when asked for one record of `entity`.
    pub async fn probe(&self, entity: &'static Entity) -> Result<Probe, ApiError> {
        let request = self.shared.target.list(entity, &[("limit", "1")]);
        let start = Instant::now();
        let answer = self.read(&request).await?;
        let round_trip = start.elapsed();
        response::list(&request.what(), &answer)?;
        let headers = answer.headers;
        let clock_ahead = headers.date.map(|date| seconds_ahead(date, SystemTime::now()));
        Ok(Probe { round_trip, clock_ahead, limit: headers.limit, remaining: headers.remaining })
    }

    /// The same client, which also notes every request it makes.
    pub fn with_attempt_log(&self, notes: &AttemptLog) -> Self {
        Self { shared: Arc::clone(&self.shared), notes: Some(notes.clone()) }
    }

    /// Every attempt sent so far, by kind.
    pub fn requests(&self) -> RequestCounts {
        self.shared.counts.read()
    }

    /// What requests are waiting for at this moment, for the progress line.
    pub fn waiting(&self) -> Option<WaitStatus> {
        self.shared.limiter.waiting()
    }

    /// Requests that the quota lets through at once, whatever process sends them; none where there is no quota.
    pub fn quota_left(&self) -> Option<usize> {
        self.shared.limiter.remaining()
    }

    /// What the user should know of the count of requests, since the last time of asking: that the machine's clock
    /// was set, or that the ledger broke and other processes are no longer counted. Each is also logged as a warning.
    pub fn warnings(&self) -> Vec<String> {
        self.shared.limiter.warnings()
    }

    /// Host and port of the base link, for messages.
    pub fn host(&self) -> String {
        self.shared.target.host()
    }

    /// Whether the base link leads to this machine.
    pub fn is_on_this_machine(&self) -> bool {
        self.shared.target.is_loopback()
    }

    /// Sends nothing any more: requests that wait for the quota or before a repetition end at once as not sent,
    /// those on the wire land.
    pub fn stop(&self) {
        self.shared.limiter.close();
    }

    async fn read(&self, request: &Request) -> Result<Response, ApiError> {
        match self.send(request).await.last {
            Attempt::Answered(answer) => Ok(answer),
            Attempt::NotSent(cause) => Err(self.unreachable(cause)),
            Attempt::Lost(cause) => Err(ApiError::NoResponse { what: request.what(), cause }),
        }
    }

    async fn write(&self, request: &Request) -> Result<(Response, PriorAttempts), WriteFailure> {
        let RequestResult { last, earlier } = self.send(request).await;
        match (last, earlier) {
            (Attempt::Answered(answer), earlier) => Ok((answer, earlier)),
            (Attempt::NotSent(cause), PriorAttempts::NotApplied) => {
                Err(response::without_response(WriteOutcome::NotSent, self.unreachable(cause)))
            }
            // The last attempt was not sent, but one before it may have been carried out.
            (Attempt::NotSent(cause) | Attempt::Lost(cause), _) => Err(response::without_response(
                WriteOutcome::Unknown,
                ApiError::NoResponse { what: request.what(), cause },
            )),
        }
    }

    /// A failure may quote the body of a success, which is kept as it came.
    fn redact_key<T>(&self, written: Result<T, WriteFailure>) -> Result<T, WriteFailure> {
        written.map_err(|failure| {
            let message = self.shared.transport.without_key(&failure.message);
            WriteFailure { message, ..failure }
        })
    }

    async fn send(&self, request: &Request) -> RequestResult {
        let shared = &*self.shared;
        send_with_retry(request.method, &shared.limiter, || async {
            // The permit comes first: between the limiter, which counts, and the wire nothing may wait.
            let _permit = shared.in_flight.acquire().await;
            if shared.limiter.acquire().await.is_err() {
                return Attempt::NotSent("the run was stopped".to_owned());
            }
            shared.counts.add(request);
            let (at, start) = (SystemTime::now(), Instant::now());
            let attempt = shared.transport.attempt(request).await;
            if let Some(notes) = &self.notes {
                notes.add(request, at, start.elapsed(), &attempt);
            }
            attempt
        })
        .await
    }

    fn unreachable(&self, cause: String) -> ApiError {
        ApiError::Unreachable { host: self.host(), cause }
    }
}

/// How far `theirs` is ahead of `ours`, in whole seconds.
fn seconds_ahead(theirs: SystemTime, ours: SystemTime) -> i64 {
    let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    match theirs.duration_since(ours) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    }
}
