//! The ways a user, a script or the system asks a program to end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::sync::Notify;

use crate::run;

/// Listens from its start on, in tasks of its own, so that none is missed while a loop is busy.
pub(super) struct Interrupts(Arc<Notify>);

impl Interrupts {
    /// Must be called within a runtime.
    ///
    /// # Errors
    /// Where the system does not let us listen.
    pub(super) fn listen() -> io::Result<Self> {
        let asked = Arc::new(Notify::new());
        listen(&asked)?;
        Ok(Self(asked))
    }

    /// Resolves at the next one.
    pub(super) async fn next(&mut self) {
        self.0.notified().await;
    }
}

/// Whether somebody has asked the program to end: for work that waits for nothing and looks now and then.
#[derive(Debug, Clone)]
pub(super) struct Asked(Arc<AtomicBool>);

impl Asked {
    /// Listens from now on, on a thread of its own.
    ///
    /// # Errors
    /// Where the system does not let us listen.
    pub(super) fn listen() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let told = Arc::clone(&asked);
        let mut interrupts = {
            let _within = runtime.enter();
            Interrupts::listen()?
        };
        thread::spawn(move || {
            runtime.block_on(interrupts.next());
            told.store(true, Ordering::Relaxed);
        });
        Ok(Self(asked))
    }

    pub(super) fn to_end(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl run::Interrupts for Interrupts {
    async fn next(&mut self) {
        Interrupts::next(self).await;
    }
}

/// Ctrl-C, the system's wish that we end, and a terminal that goes away.
#[cfg(unix)]
fn listen(asked: &Arc<Notify>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let (mut signals, asked) = (signal(kind)?, Arc::clone(asked));
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                asked.notify_one();
            }
        });
    }
    Ok(())
}

/// Ctrl-C, Ctrl-Break, and a console, session or machine that is closed.
#[cfg(windows)]
fn listen(asked: &Arc<Notify>) -> io::Result<()> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
    macro_rules! listen_to {
        ($($signals:expr),*) => {$(
            let (mut signals, asked_by_it) = ($signals?, Arc::clone(asked));
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    asked_by_it.notify_one();
                }
            });
        )*};
    }
    listen_to!(ctrl_c(), ctrl_break(), ctrl_close(), ctrl_logoff(), ctrl_shutdown());
    Ok(())
}
