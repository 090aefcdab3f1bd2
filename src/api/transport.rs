//! Bytes out, bytes in: one attempt over the network.

use std::borrow::Cow;
use std::sync::Once;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use tracing::{info, trace};
use url::Url;

use super::attempts::Attempt;
use super::connection_error::describe;
use super::request::Request;
use super::request_kind::Method;
use super::response::Response;
use super::response_headers::ResponseHeaders;
use super::{ApiError, Secret};
use crate::redact::{Mask, TextKind};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one attempt may take from connecting to the last byte.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an idle connection is kept. Servers close it after 5 seconds or more, and a create on a connection that is
/// just being closed is lost without a sign of whether it was applied: better to open a new one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// The longest list that is read, in bytes. A thousand records are well below a tenth of it.
const LONGEST_LIST: usize = 64 << 20;
/// The longest of other bodies, which hold a record or a message.
pub(super) const LONGEST_RECORD: usize = 1 << 20;

/// The most of an error's body that is looked at: its message is a line.
const LONGEST_ERROR: usize = 64 << 10;

/// The connections to one service.
#[derive(Debug)]
pub(super) struct Transport {
    network: Network,
    /// Takes the key out of all that the service says: some quote a key they do not accept.
    mask: Mask,
}

/// What carries the requests.
#[derive(Debug)]
enum Network {
    Http(reqwest::Client),
    #[cfg(test)]
    Simulated(std::sync::Arc<dyn super::SimulatedNetwork>),
}

/// Whether to use the system's proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProxyPolicy {
    /// As the system is configured.
    System,
    /// No proxy: it would see the key of a service on this machine unencrypted.
    Direct,
}

/// Which certificate authorities are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TrustedRoots {
    /// Those of the system.
    System,
    /// None. For a service without TLS: reading hundreds of certificates takes longer than the rest of the start.
    None,
}

impl TrustedRoots {
    /// What requests to this base URL need. Redirects are not followed, so a plain URL stays one.
    pub(super) fn for_service(base_url: &Url) -> Self {
        if base_url.scheme() == "http" { Self::None } else { Self::System }
    }
}

impl Transport {
    pub(super) fn new(
        key: &Secret,
        user_agent: &str,
        route: ProxyPolicy,
        roots: TrustedRoots,
    ) -> Result<Self, ApiError> {
        install_cryptography();
        let builder = reqwest::Client::builder()
            .user_agent(user_agent)
            .default_headers(headers(key)?)
            // The key is sent to the base URL and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // `retry` decides about retries, and each one is counted.
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_nodelay(true);
        let builder = match route {
            ProxyPolicy::System => builder,
            ProxyPolicy::Direct => builder.no_proxy(),
        };
        let builder = match roots {
            TrustedRoots::System => builder,
            TrustedRoots::None => builder.tls_certs_only([]),
        };
        let http = builder.build().map_err(|error| ApiError::Setup { cause: describe(&error) })?;
        Ok(Self { network: Network::Http(http), mask: Mask::new([key.reveal()]) })
    }

    /// A transport without sockets.
    #[cfg(test)]
    pub(super) fn simulated(key: &Secret, network: std::sync::Arc<dyn super::SimulatedNetwork>) -> Self {
        Self { network: Network::Simulated(network), mask: Mask::new([key.reveal()]) }
    }

    /// Sends `request` once.
    pub(super) async fn attempt(&self, request: &Request) -> Attempt {
        let start = Instant::now();
        let attempt = match &self.network {
            Network::Http(http) => self.attempt_over(http, request).await,
            #[cfg(test)]
            Network::Simulated(network) => network.attempt(request).await,
        };
        self.log(request, &attempt, start.elapsed());
        attempt
    }

    async fn attempt_over(&self, http: &reqwest::Client, request: &Request) -> Attempt {
        match self.exchange(http, request).await {
            Ok(response) => Attempt::Answered(response),
            Err(error) if error.is_connect() || error.is_builder() => Attempt::NotSent(self.cause(&error)),
            Err(error) if error.is_timeout() => {
                Attempt::Lost(format!("timed out after {} seconds", REQUEST_TIMEOUT.as_secs()))
            }
            Err(error) => Attempt::Lost(self.cause(&error)),
        }
    }

    async fn exchange(&self, http: &reqwest::Client, request: &Request) -> Result<Response, reqwest::Error> {
        let mut outgoing = reqwest::Request::new(method(request.kind.method), request.url.clone());
        if !request.body.is_empty() {
            outgoing.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *outgoing.body_mut() = Some(request.body.clone().into());
        }
        let response = http.execute(outgoing).await?;
        let status = response.status().as_u16();
        let headers = ResponseHeaders::read(response.headers(), SystemTime::now());
        let headers = headers.map_text(|text| self.masked(text));
        let may_be_list = request.kind.method == Method::Get && status < 300;
        let mut body = read(response, if may_be_list { LONGEST_LIST } else { LONGEST_RECORD }).await?;
        super::surrogates::repair(&mut body);
        Ok(Response::new(status, headers, self.without_key(body, status)))
    }

    /// A body without the key. A success is data, of which only the whole key is taken out; anything else is a message.
    fn without_key(&self, mut body: Vec<u8>, status: u16) -> Vec<u8> {
        if (200..300).contains(&status) {
            // What is not UTF-8 is no JSON, and its text is shown in the log only.
            return match std::str::from_utf8(&body).map(|text| self.mask.apply(text, TextKind::Data)) {
                Ok(Cow::Owned(masked)) => masked.into_bytes(),
                Ok(Cow::Borrowed(_)) | Err(_) => body,
            };
        }
        body.truncate(LONGEST_ERROR);
        self.mask.apply(&String::from_utf8_lossy(&body), TextKind::Message).into_owned().into_bytes()
    }

    fn cause(&self, error: &reqwest::Error) -> String {
        self.masked(&describe(error))
    }

    /// A message without the key or a part of it.
    pub(super) fn masked(&self, message: &str) -> String {
        self.mask.apply(message, TextKind::Message).into_owned()
    }

    /// Method, path, status and milliseconds; bodies only at trace level, the key never: it is in no URL that we send, and
    /// masked in what comes back.
    fn log(&self, request: &Request, attempt: &Attempt, elapsed: Duration) {
        let (method, path, milliseconds) = (request.kind.method.as_str(), request.url.path(), elapsed.as_millis());
        match attempt {
            Attempt::Answered(response) => {
                info!(method, path, status = response.status, milliseconds, "answered");
                trace!(
                    query = request.url.query(),
                    sent = %String::from_utf8_lossy(&request.body),
                    received = %self.mask.apply(&String::from_utf8_lossy(response.body()), TextKind::Message),
                    "bodies"
                );
            }
            Attempt::NotSent(cause) => info!(method, path, cause, milliseconds, "not sent"),
            Attempt::Lost(cause) => info!(method, path, cause, milliseconds, "no response"),
        }
    }
}

fn headers(key: &Secret) -> Result<HeaderMap, ApiError> {
    // A secret contains nothing that a header cannot, so this fails only if that rule is broken.
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", key.reveal()))
        .map_err(|_| ApiError::Setup { cause: "the API key cannot be sent in a header".to_owned() })?;
    bearer.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, bearer);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    // Bodies are read as they are; without this, a proxy may compress them.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(headers)
}

/// Chooses the process's cryptography once. If the program has chosen another, that one stays.
pub(crate) fn install_cryptography() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
    }
}

/// The whole body, cut at so many bytes: a cut body is not valid JSON and is reported as such.
async fn read(mut response: reqwest::Response, longest: usize) -> Result<Vec<u8>, reqwest::Error> {
    let Some(first) = response.chunk().await? else { return Ok(Vec::new()) };
    let mut body = Vec::from(first);
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > longest {
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
