//! Connections that a request handler can break.
//!
//! A handler can only return a reply, so it tells [`ConnectionControl`] what to do with the connection. The next write
//! to the [`FaultyStream`] under the HTTP server then fails, and the server closes the socket.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// A listener whose connections can be broken.
pub(in crate::sandbox) struct FaultyListener(pub(in crate::sandbox) TcpListener);

pub(in crate::sandbox) struct FaultyStream {
    stream: TcpStream,
    connection: ConnectionControl,
}

/// A request handler's control over its connection.
#[derive(Debug, Clone, Default)]
pub(in crate::sandbox) struct ConnectionControl(Arc<Mutex<State>>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Whole,
    /// Will be closed as soon as everything written so far is sent.
    Ending,
    /// Dropped; nothing more is sent.
    Cut,
}

impl ConnectionControl {
    /// Drops the connection: unsent data is discarded, and the client sees a reset.
    pub(super) fn cut(&self) {
        self.set(State::Cut);
    }

    /// Closes the connection after everything written so far is sent.
    pub(super) fn end(&self) {
        self.set(State::Ending);
    }

    fn set(&self, state: State) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn state(&self) -> State {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaultyListener {
    /// The next connection. Where the system has none left for a moment, it waits.
    pub(in crate::sandbox) async fn accept(&mut self) -> FaultyStream {
        let (stream, _) = Listener::accept(&mut self.0).await;
        // Small replies must not wait for a full packet.
        let _ = stream.set_nodelay(true);
        FaultyStream { stream, connection: ConnectionControl::default() }
    }
}

impl FaultyStream {
    pub(in crate::sandbox) fn control(&self) -> ConnectionControl {
        self.connection.clone()
    }

    /// Fails if the connection was cut, and makes the system send a reset to the client.
    fn check_not_cut(&self) -> io::Result<()> {
        if self.connection.state() == State::Cut {
            let _ = self.stream.set_zero_linger();
            return Err(broken_off());
        }
        Ok(())
    }

    fn stream(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.stream)
    }
}

fn broken_off() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "broken by a fault of the sandbox")
}

impl AsyncRead for FaultyStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buffer)
    }
}

impl AsyncWrite for FaultyStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check_not_cut()?;
        self.stream().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check_not_cut()?;
        self.stream().poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// The HTTP server flushes after it has written everything.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.stream().poll_flush(cx))?;
        match self.connection.state() {
            State::Ending => Poll::Ready(Err(broken_off())),
            State::Whole | State::Cut => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}
