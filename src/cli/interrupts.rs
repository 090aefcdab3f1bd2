//! The ways a user, a script or the system asks a program to end.

use std::io;
use std::sync::OnceLock;
use std::thread;

use crate::shutdown::ShutdownSignal;

/// The signal of this process, for a question that waits for an answer.
static LISTENING: OnceLock<ShutdownSignal> = OnceLock::new();

/// Whether an end was asked for.
pub(super) fn is_requested() -> bool {
    LISTENING.get().is_some_and(ShutdownSignal::is_requested)
}

/// Raises a signal at every request of the system or the user to end, from now to the end of the process. It listens
/// on a thread of its own, so that none is missed while other work is busy.
///
/// # Errors
/// Where the system does not let us listen.
pub(super) fn listen() -> io::Result<ShutdownSignal> {
    let signal = ShutdownSignal::new();
    let _ = LISTENING.set(signal.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    {
        let _within = runtime.enter();
        listen_to_all(&signal)?;
    }
    thread::Builder::new()
        .name("interrupts".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(signal)
}

/// Ctrl-C, the system's wish that we end, and a terminal that goes away.
#[cfg(unix)]
fn listen_to_all(signal: &ShutdownSignal) -> io::Result<()> {
    use tokio::signal::unix::SignalKind;
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let (mut signals, signal) = (tokio::signal::unix::signal(kind)?, signal.clone());
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                signal.request();
            }
        });
    }
    Ok(())
}

/// Ctrl-C, Ctrl-Break, and a console, session or machine that is closed.
#[cfg(windows)]
fn listen_to_all(signal: &ShutdownSignal) -> io::Result<()> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
    macro_rules! listen_to {
        ($($signals:expr),*) => {$(
            let (mut signals, signal) = ($signals?, signal.clone());
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    signal.request();
                }
            });
        )*};
    }
    listen_to!(ctrl_c(), ctrl_break(), ctrl_close(), ctrl_logoff(), ctrl_shutdown());
    Ok(())
}
