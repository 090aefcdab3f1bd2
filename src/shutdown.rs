//! The one way to ask work to stop: once to finish what is in flight, twice to stop at once.

use std::sync::Arc;

use tokio::sync::watch;

/// Carries requests to stop, such as Ctrl-C, to whatever is at work. Clones share the requests; each clone sees every
/// request once.
#[derive(Debug, Clone)]
pub struct ShutdownSignal {
    sender: Arc<watch::Sender<u32>>,
    receiver: watch::Receiver<u32>,
    /// The requests that [`next`](Self::next) has returned.
    seen: u32,
}

impl ShutdownSignal {
    /// A signal that nobody has raised yet.
    pub fn new() -> Self {
        let (sender, receiver) = watch::channel(0);
        Self { sender: Arc::new(sender), receiver, seen: 0 }
    }

    /// Asks to stop. May be called from any thread.
    pub fn request(&self) {
        self.sender.send_modify(|requests| *requests = requests.saturating_add(1));
    }

    /// Whether anybody has asked to stop: for work that waits for nothing and looks now and then.
    pub fn is_requested(&self) -> bool {
        *self.receiver.borrow() > 0
    }

    /// Resolves at the next request that this clone has not returned yet. Dropping the future loses none.
    pub async fn next(&mut self) {
        let seen = self.seen;
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.receiver.wait_for(|requests| *requests > seen).await;
        self.seen += 1;
    }
}

impl Default for ShutdownSignal {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::ShutdownSignal;

    #[test]
    fn two_requests_before_anyone_listens_are_two() {
        let mut signal = ShutdownSignal::new();
        let sender = signal.clone();
        assert!(signal.next().now_or_never().is_none());
        assert!(!signal.is_requested());
        sender.request();
        sender.request();
        assert!(signal.is_requested());
        assert!(signal.next().now_or_never().is_some());
        assert!(signal.next().now_or_never().is_some());
        assert!(signal.next().now_or_never().is_none());
    }

    #[test]
    fn every_clone_sees_every_request() {
        let mut first = ShutdownSignal::new();
        let mut second = first.clone();
        first.request();
        assert!(first.next().now_or_never().is_some());
        assert!(second.next().now_or_never().is_some());
    }
}
