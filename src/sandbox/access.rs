//! Access control for every request: the host it was sent to, the API key, the quota, and the tenant.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::query::{Query, integer};
use super::quota::HourlyQuota;
use super::refusal::Refusal;
use super::store::AccountId;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

#[derive(Debug)]
pub(super) struct AccessControl {
    hosts: AllowedHosts,
    api_key: String,
    quota: Option<Mutex<HourlyQuota>>,
    /// Empty in a single-tenant sandbox.
    pub(super) tenants: Vec<(i64, String)>,
}

/// The hosts that requests may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AllowedHosts {
    /// This machine by its own names. A web page whose name leads to 127.0.0.1 sends its own name.
    Local,
    /// Any name: it listens beyond this machine, which may be called anything there.
    Any,
}

/// A request that was refused by access control, with the headers of the reply.
#[derive(Debug)]
pub(super) struct Rejection {
    pub(super) refusal: Refusal,
    pub(super) headers: HeaderMap,
}

impl AccessControl {
    pub(super) fn new(hosts: AllowedHosts, api_key: String, quota: Option<u32>, tenants: Vec<(i64, String)>) -> Self {
        Self { hosts, api_key, quota: quota.map(|limit| Mutex::new(HourlyQuota::new(limit))), tenants }
    }

    /// Admits a request or rejects it. The headers tell the remaining quota.
    pub(super) fn admit(&self, headers: &HeaderMap, now: Instant) -> Result<HeaderMap, Box<Rejection>> {
        self.authenticate(headers)?;
        let Some(quota) = &self.quota else { return Ok(HeaderMap::new()) };
        // A panic while the lock was held cannot have left a quota half counted.
        let mut quota = quota.lock().unwrap_or_else(PoisonError::into_inner);
        match quota.admit(now) {
            Ok(remaining) => Ok(count_headers(quota.limit, remaining)),
            Err(retry_after) => Err(Box::new(too_many(quota.limit, retry_after))),
        }
    }

    /// Checks the host and the API key without counting the request.
    pub(super) fn authenticate(&self, headers: &HeaderMap) -> Result<(), Box<Rejection>> {
        if self.hosts == AllowedHosts::Local && !is_local_host(headers) {
            return Err(Box::new(misdirected()));
        }
        if self.knows_key(headers) { Ok(()) } else { Err(Box::new(unauthorized())) }
    }

    /// Guide: "Make sure you use your API key as a Bearer type token".
    fn knows_key(&self, headers: &HeaderMap) -> bool {
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(only), None) = (given.next(), given.next()) else { return false };
        let Some((scheme, key)) = only.to_str().ok().and_then(|text| text.split_once(' ')) else { return false };
        scheme.eq_ignore_ascii_case("bearer") && key == self.api_key
    }

    /// The account that the query's `tenant_id` names, and removes it from the query. A single-tenant sandbox leaves
    /// the parameter in, so that it is refused as unknown.
    pub(super) fn account(&self, query: &mut Query) -> Result<AccountId, Refusal> {
        if self.tenants.is_empty() {
            return Ok(AccountId::ONLY);
        }
        let given = query.take("tenant_id");
        let id = match &given[..] {
            [] => Err("is required: multi-tenant users add it to all requests".into()),
            [only] => integer(only, i64::MIN),
            _ => Err("is given twice".into()),
        };
        match id {
            Ok(id) if self.tenants.iter().any(|(tenant, _)| *tenant == id) => Ok(AccountId(id)),
            Ok(id) => Err(Refusal::new(StatusCode::FORBIDDEN, format!("the key may not act for tenant `{id}`"))),
            Err(error) => Err(Refusal::field("tenant_id", error)),
        }
    }
}

/// Whether the request was sent to this machine by one of its own names: `localhost` or a loopback address.
fn is_local_host(headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(header::HOST).iter();
    let (Some(only), None) = (given.next(), given.next()) else { return false };
    let Some(authority) = only.to_str().ok().and_then(|text| text.parse::<Authority>().ok()) else { return false };
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn misdirected() -> Rejection {
    let message = "the sandbox answers only requests to this machine: use 127.0.0.1 or localhost in the URL";
    Rejection { refusal: Refusal::new(StatusCode::MISDIRECTED_REQUEST, message), headers: HeaderMap::new() }
}

fn unauthorized() -> Rejection {
    let message = "the API key is missing or wrong: send it as `Authorization: Bearer KEY`";
    let headers = HeaderMap::from_iter([(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))]);
    Rejection { refusal: Refusal::new(StatusCode::UNAUTHORIZED, message), headers }
}

fn too_many(limit: u32, retry_after: u64) -> Rejection {
    let message = format!("more than {limit} requests in an hour: retry in {retry_after} seconds");
    let mut headers = count_headers(limit, 0);
    headers.insert(header::RETRY_AFTER, retry_after.into());
    Rejection { refusal: Refusal::new(StatusCode::TOO_MANY_REQUESTS, message), headers }
}

fn count_headers(limit: u32, remaining: u32) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([(LIMIT, limit.into()), (REMAINING, remaining.into())]);
    // A limit alone does not say what it is a limit of.
    if let Ok(policy) = HeaderValue::from_str(&format!("{limit};w=3600")) {
        headers.insert(POLICY, policy);
    }
    headers
}
