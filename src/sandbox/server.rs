//! The running server: a thread of its own, listening before it is handed out, stopped when it is dropped.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::access::AccessControl;
use super::faults::{CONTROL_PATH, ConnectionControl, FaultLayer, FaultyListener};
use super::routes::{self, BASE, SandboxService};
use super::store::{AccountId, RecordStore, start_queue};
use super::{SandboxError, SandboxOptions, Seed, StoreLocation, seed};

/// How long a stopping server waits for requests under way. A client that never finishes its own must not hold it.
const GRACE: Duration = Duration::from_secs(1);

/// A sandbox that is serving. Dropping it finishes the requests under way, stops it and closes its file.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a sandbox on a thread of its own. It takes requests as soon as this returns.
    pub fn start(options: SandboxOptions) -> Result<Self, SandboxError> {
        options.check()?;
        let store = open(&options)?;
        let (listener, address) = listen(options.listen)?;
        let runtime = Builder::new_current_thread().enable_io().enable_time().build().map_err(SandboxError::Start)?;
        let (stop, stopped) = oneshot::channel();
        let serving = thread::Builder::new().name("sandbox".into());
        let thread =
            serving.spawn(move || serve(&runtime, listener, store, options, stopped)).map_err(SandboxError::Start)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// The base link to give to clients: `http://127.0.0.1:PORT/api/v1`.
    pub fn base_url(&self) -> String {
        format!("{}{BASE}", self.origin())
    }

    /// Where faults are seen and changed, if [`super::FaultControl::On`].
    pub fn control_url(&self) -> String {
        format!("{}{CONTROL_PATH}", self.origin())
    }

    fn origin(&self) -> String {
        // Every interface is an address to listen on, but none to connect to.
        let host = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(host, self.address.port()))
    }

    /// Where it listens, with the port the system chose.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
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
    store.at_once(|store| {
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
    let told = |source| SandboxError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(told)?;
    listener.set_nonblocking(true).map_err(told)?;
    let address = listener.local_addr().map_err(told)?;
    Ok((listener, address))
}

fn serve(
    runtime: &Runtime,
    listener: TcpListener,
    store: RecordStore,
    options: SandboxOptions,
    stopped: oneshot::Receiver<()>,
) {
    let served = runtime.block_on(async {
        let (queue, working) = start_queue(store);
        let worker = tokio::spawn(working);
        let access = AccessControl::new(options.api_key, options.quota, options.tenants);
        let faults = FaultLayer::new(options.faults);
        let service =
            SandboxService { access, queue, page_limit: options.page_limit, faults, control: options.control };
        let router = routes::router(service).into_make_service_with_connect_info::<ConnectionControl>();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (closing, closed) = oneshot::channel();
        let stopping = async {
            let _ = stopped.await;
            let _ = closing.send(());
        };
        let serving = axum::serve(FaultyListener(listener), router).with_graceful_shutdown(stopping);
        let finishing = async {
            serving.await?;
            // The last desk goes with the router and with work that a fault puts off, so the worker finishes what is
            // handed in and closes the store.
            let _ = worker.await;
            std::io::Result::Ok(())
        };
        tokio::select! {
            finished = finishing => finished,
            // Whoever is cut off was never answered. The worker commits between its waits, never during them.
            () = grace(closed) => Ok(()),
        }
    });
    if let Err(error) = served {
        tracing::error!(%error, "the sandbox stopped serving");
    }
}

/// Ends [`GRACE`] after the server was told to stop.
async fn grace(closed: oneshot::Receiver<()>) {
    if closed.await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(GRACE).await;
}
