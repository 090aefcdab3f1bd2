//! The ways a user, a script or the system asks a program to end.

use std::io;
#[cfg(unix)]
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::thread;

#[cfg(unix)]
use tokio::signal::unix::SignalKind;

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

/// Has a write fail that would make a file larger than this user may have (`ulimit -f`): unless the signal for it has a
/// handler, it ends the process without a word. Without a runtime to register the handler, it stays like that.
#[cfg(unix)]
pub(super) fn fail_writes_over_the_size_limit() {
    use tokio::signal::unix::signal;
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
        let _within = runtime.enter();
        // The handler outlives the runtime; nobody needs to hear of the signal.
        let _ = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
    }
}

#[cfg(not(unix))]
pub(super) fn fail_writes_over_the_size_limit() {}

/// Ctrl-C, the system's wish that we end, and a terminal that goes away. `nohup` and shells that start a program in the
/// background have it ignore some of them, which it goes on to do.
#[cfg(unix)]
fn listen_to_all(signal: &ShutdownSignal) -> io::Result<()> {
    let has_terminal = io::stdout().is_terminal() || io::stderr().is_terminal();
    let status = if cfg!(target_os = "linux") { std::fs::read_to_string("/proc/self/status").ok() } else { None };
    let ignored = ignored_signals(status.as_deref(), has_terminal);
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        if ignored & mask_of(kind.as_raw_value()) != 0 && kind != SignalKind::terminate() {
            continue;
        }
        let (mut signals, signal) = (tokio::signal::unix::signal(kind)?, signal.clone());
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                signal.request();
            }
        });
    }
    Ok(())
}

/// The signals that this process was started to ignore, as a mask. Only Linux tells without unsafe code.
///
/// `nohup` has what a program says go to a file, so elsewhere a process that says nothing on a terminal may be one that
/// is to outlive it, and leaves SIGHUP as it is. If the signal was not ignored after all, it ends the process at once, as
/// if it was killed: `resume` continues.
#[cfg(unix)]
fn ignored_signals(status: Option<&str>, has_terminal: bool) -> u64 {
    let unknown = || if has_terminal { 0 } else { mask_of(SignalKind::hangup().as_raw_value()) };
    status.and_then(parse_ignored_signals).unwrap_or_else(unknown)
}

/// The mask of ignored signals in `/proc/self/status`: proc_pid_status(5).
#[cfg(unix)]
fn parse_ignored_signals(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

/// Signal 1 is the lowest bit.
#[cfg(unix)]
fn mask_of(signal: i32) -> u64 {
    u32::try_from(signal - 1).ok().and_then(|shift| 1_u64.checked_shl(shift)).unwrap_or_default()
}

/// Ctrl-C, Ctrl-Break, and a console, session or machine that is closed.
#[cfg(windows)]
fn listen_to_all(signal: &ShutdownSignal) -> io::Result<()> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
    macro_rules! listen_to {
        // A block each: the next one clones the signal that was passed in, not the one that was moved.
        ($($signals:expr),*) => {$({
            let (mut signals, signal) = ($signals?, signal.clone());
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    signal.request();
                }
            });
        })*};
    }
    listen_to!(ctrl_c(), ctrl_break(), ctrl_close(), ctrl_logoff(), ctrl_shutdown());
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_which_signals_are_ignored() {
        let status =
            "Name:\ttallyport\nSigBlk:\t0000000000000004\nSigIgn:\t0000000000001003\nSigCgt:\t0000000000000000\n";
        let ignored = parse_ignored_signals(status).unwrap_or_default();
        for (kind, is_ignored) in [
            (SignalKind::hangup(), true),
            (SignalKind::interrupt(), true),
            (SignalKind::terminate(), false),
            (SignalKind::quit(), false),
        ] {
            assert_eq!(ignored & mask_of(kind.as_raw_value()) != 0, is_ignored, "{kind:?}");
        }
        assert_eq!(parse_ignored_signals("Name:\ttallyport\n"), None);
        assert_eq!((ignored_signals(Some(status), true), ignored_signals(Some(status), false)), (ignored, ignored));
        assert_eq!((mask_of(64), mask_of(65), mask_of(0)), (1 << 63, 0, 0));
    }

    #[test]
    fn a_terminal_that_goes_away_does_not_end_what_says_nothing_on_it() {
        let hangup = mask_of(SignalKind::hangup().as_raw_value());
        assert_eq!((ignored_signals(None, false), ignored_signals(None, true)), (hangup, 0));
    }
}
