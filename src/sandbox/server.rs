//! The server: runs on its own thread, is listening when it is returned, and stops when it is dropped.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Extension};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::runtime::{Builder, Runtime};

use super::access::{AccessControl, AllowedHosts};
use super::error::SandboxError;
use super::faults::{CONTROL_PATH, FaultLayer, FaultyListener};
use super::options::{SandboxOptions, Seed, StoreLocation};
use super::routes::{self, BASE, SandboxService};
use super::seed;
use super::store::{AccountId, RecordStore, start_queue};
use crate::shutdown::ShutdownSignal;

/// How long a stopping server waits for requests in progress. A client that never finishes its request must not block
/// it.
const GRACE: Duration = Duration::from_secs(1);

/// How long a client may take to send the head of a request, and a connection may be idle. Clients that stop halfway
/// must not use up the server's connections.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// A running sandbox. Dropping it finishes the requests in progress, stops the server and closes its file.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    shutdown: ShutdownSignal,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a sandbox on its own thread. It accepts requests when this returns.
    pub fn start(options: SandboxOptions) -> Result<Self, SandboxError> {
        options.check()?;
        let store = open(&options)?;
        let (listener, address) = listen(options.listen)?;
        let runtime = Builder::new_current_thread().enable_io().enable_time().build().map_err(SandboxError::Start)?;
        let shutdown = ShutdownSignal::new();
        let stopping = shutdown.clone();
        let serving = thread::Builder::new().name("sandbox".into());
        let thread =
            serving.spawn(move || serve(&runtime, listener, store, options, &stopping)).map_err(SandboxError::Start)?;
        Ok(Self { address, shutdown, thread: Some(thread) })
    }

    /// The base URL for clients: `http://127.0.0.1:PORT/api/v1`.
    pub fn base_url(&self) -> String {
        format!("{}{BASE}", self.origin())
    }

    /// The URL of the control endpoint for faults, if [`super::FaultControl::On`].
    pub fn control_url(&self) -> String {
        format!("{}{CONTROL_PATH}", self.origin())
    }

    fn origin(&self) -> String {
        // The unspecified address is for listening on all interfaces, not for connecting.
        let host = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(host, self.address.port()))
    }

    /// The address it listens on, with the actual port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shutdown.request();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn open(options: &SandboxOptions) -> Result<RecordStore, SandboxError> {
    let mut store = match &options.store {
        StoreLocation::Memory => RecordStore::in_memory()?,
        StoreLocation::File(path) => RecordStore::in_file(path)?,
    };
    let accounts: Vec<AccountId> = match &options.tenants[..] {
        [] => vec![AccountId::ONLY],
        tenants => tenants.iter().map(|(id, _)| AccountId(*id)).collect(),
    };
    store.transaction(|store| {
        for account in accounts {
            if store.open_account(account)? && options.seed == Seed::SampleLookups {
                seed::fill(store, account)?;
            }
        }
        Ok(())
    })?;
    Ok(store)
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), SandboxError> {
    let failed = |source| SandboxError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

fn serve(
    runtime: &Runtime,
    listener: TcpListener,
    store: RecordStore,
    options: SandboxOptions,
    shutdown: &ShutdownSignal,
) {
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let is_local = listener.local_addr()?.ip().is_loopback();
        let (queue, working) = start_queue(store);
        let worker = tokio::spawn(working);
        let hosts = if is_local { AllowedHosts::Local } else { AllowedHosts::Any };
        let access = AccessControl::new(hosts, options.api_key, options.quota, options.tenants);
        let faults = FaultLayer::new(options.faults, BASE);
        let service =
            SandboxService { access, queue, page_limit: options.page_limit, faults, control: options.control };
        let router = routes::router(service);
        let listener = FaultyListener(listener);
        let finishing = async {
            accept(listener, router, shutdown.clone()).await;
            // The last handle of the queue is dropped with the router and with delayed requests, so the worker runs
            // what was queued and closes the store.
            let _ = worker.await;
            std::io::Result::Ok(())
        };
        tokio::select! {
            finished = finishing => finished,
            // Clients that are cut off here got no reply. The worker commits between its waits, never during them.
            () = grace_period(shutdown.clone()) => Ok(()),
        }
    });
    if let Err(error) = served {
        tracing::error!(%error, "the sandbox stopped serving");
    }
}

/// Serves connections until the server is asked to stop, and then finishes the requests in progress.
async fn accept(mut listener: FaultyListener, router: Router, mut shutdown: ShutdownSignal) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    let connections = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            stream = listener.accept() => stream,
            () = shutdown.next() => break,
        };
        let router = router.clone().layer(Extension(ConnectInfo(stream.control())));
        let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the sandbox ended");
            }
        });
    }
    drop((listener, router));
    connections.shutdown().await;
}

/// Ends [`GRACE`] after the server was asked to stop.
async fn grace_period(mut shutdown: ShutdownSignal) {
    shutdown.next().await;
    tokio::time::sleep(GRACE).await;
}
