//! A server with the part of the S3 API that an export needs: multipart uploads, lists and deletes in one bucket.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Response};
use tokio::sync::oneshot;

pub const BUCKET: &str = "backups";
pub const KEY_ID: &str = "AKIATALLYPORT";
pub const SECRET: &str = "never-to-be-seen-anywhere";

/// A bucket on loopback; stops on drop.
pub struct Server {
    address: SocketAddr,
    bucket: Arc<Mutex<BucketState>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Default)]
struct BucketState {
    objects: BTreeMap<String, Vec<u8>>,
    /// The key and parts of each upload, by upload id.
    uploads: BTreeMap<String, (String, BTreeMap<u32, Vec<u8>>)>,
    begun: usize,
    /// Requests in order of arrival: `METHOD key` and the operation.
    log: Vec<String>,
    refused: BTreeSet<String>,
}

impl Server {
    pub fn start() -> Self {
        let bucket = Arc::new(Mutex::new(BucketState::default()));
        let (stop, stopped) = oneshot::channel();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&bucket));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    served = async { axum::serve(listener, app).await } => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self { address, bucket, stop: Some(stop), thread: Some(thread) }
    }

    /// The environment variables of S3 tools.
    pub fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
            ("AWS_ALLOW_HTTP", String::from("true")),
            ("AWS_REGION", String::from("eu-central-1")),
            ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
    }

    pub fn keys(&self) -> Vec<String> {
        self.bucket.lock().unwrap().objects.keys().cloned().collect()
    }

    pub fn object(&self, key: &str) -> Vec<u8> {
        self.bucket.lock().unwrap().objects.get(key).unwrap_or_else(|| panic!("no object {key}")).clone()
    }

    pub fn put(&self, key: &str, bytes: &[u8]) {
        self.bucket.lock().unwrap().objects.insert(key.to_owned(), bytes.to_vec());
    }

    /// Refuses requests with 403, given as they appear in the log.
    pub fn refuse(&self, request: &str) {
        self.bucket.lock().unwrap().refused.insert(request.to_owned());
    }

    pub fn log(&self) -> Vec<String> {
        self.bucket.lock().unwrap().log.clone()
    }

    /// The number of uploads that were neither completed nor aborted.
    pub fn unfinished(&self) -> usize {
        self.bucket.lock().unwrap().uploads.len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
        self.thread.take().map(std::thread::JoinHandle::join);
    }
}

async fn answer(State(bucket): State<Arc<Mutex<BucketState>>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let path = decoded(head.uri.path());
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let mut bucket = bucket.lock().unwrap();
    let path = path.trim_start_matches('/');
    let (name, key) = path.split_once('/').unwrap_or((path, ""));
    bucket.log.push(told(&head.method, key, &query));
    if !is_signed(&head.headers) {
        return refusal(403, "InvalidAccessKeyId", "The key id does not exist in our records.");
    }
    if name != BUCKET {
        return refusal(404, "NoSuchBucket", "The specified bucket does not exist");
    }
    if bucket.log.last().is_some_and(|last| bucket.refused.contains(last)) {
        return refusal(403, "AccessDenied", "Access Denied");
    }
    bucket.done(&head.method, key, &query, body.to_vec())
}

impl BucketState {
    fn done(&mut self, method: &Method, key: &str, query: &BTreeMap<String, String>, body: Vec<u8>) -> Response<Body> {
        let upload = query.get("uploadId");
        match (method.as_str(), upload) {
            ("POST", None) => {
                self.begun += 1;
                let id = format!("upload-{}", self.begun);
                self.uploads.insert(id.clone(), (key.to_owned(), BTreeMap::new()));
                xml(format!(
                    "<InitiateMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId>\
                     </InitiateMultipartUploadResult>"
                ))
            }
            ("PUT", Some(id)) => {
                let part: u32 = query["partNumber"].parse().unwrap();
                self.uploads.get_mut(id).unwrap().1.insert(part, body);
                Response::builder().header("ETag", format!("\"{id}-{part}\"")).body(Body::empty()).unwrap()
            }
            ("POST", Some(id)) => {
                let (key, parts) = self.uploads.remove(id).unwrap();
                self.objects.insert(key, parts.into_values().flatten().collect());
                xml(String::from(
                    "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>",
                ))
            }
            ("DELETE", Some(id)) => {
                self.uploads.remove(id);
                Response::builder().status(204).body(Body::empty()).unwrap()
            }
            ("DELETE", None) => {
                self.objects.remove(key);
                Response::builder().status(204).body(Body::empty()).unwrap()
            }
            ("GET", _) => xml(self.list(query.get("prefix").map_or("", String::as_str))),
            _ => refusal(405, "MethodNotAllowed", "not here"),
        }
    }

    fn list(&self, prefix: &str) -> String {
        let contents = self.objects.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(key, bytes)| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>2026-11-24T00:00:00.000Z</LastModified><Size>{}</Size>\
                 <ETag>\"e\"</ETag></Contents>",
                bytes.len()
            )
        });
        format!("<ListBucketResult>{}</ListBucketResult>", contents.collect::<String>())
    }
}

/// `POST key begin`, `PUT key part 1`, `POST key complete`, `DELETE key abort`, `DELETE key`, `GET prefix list`.
fn told(method: &Method, key: &str, query: &BTreeMap<String, String>) -> String {
    match (method.as_str(), query.get("uploadId"), query.get("partNumber"), query.get("prefix")) {
        ("POST", None, ..) => format!("POST {key} begin"),
        ("POST", Some(_), ..) => format!("POST {key} complete"),
        ("PUT", _, Some(part), _) => format!("PUT {key} part {part}"),
        ("DELETE", Some(_), ..) => format!("DELETE {key} abort"),
        ("GET", _, _, prefix) => format!("GET {} list", prefix.map_or("", String::as_str)),
        (method, ..) => format!("{method} {key}"),
    }
}

fn is_signed(headers: &HeaderMap) -> bool {
    let words = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    words.starts_with("AWS4-HMAC-SHA256") && words.contains(&format!("Credential={KEY_ID}/"))
}

fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let hex = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn xml(body: String) -> Response<Body> {
    Response::builder().header("Content-Type", "application/xml").body(Body::from(body)).unwrap()
}

fn refusal(status: u16, code: &str, message: &str) -> Response<Body> {
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message><HostId>{SECRET}</HostId></Error>");
    Response::builder().status(status).body(Body::from(body)).unwrap()
}
