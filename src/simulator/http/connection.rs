//! Connections that can be reset in the middle of an exchange.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

pub(super) struct Connections(pub(super) TcpListener);

impl Listener for Connections {
    type Io = ResettableConnection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (ResettableConnection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Send small responses immediately; if that fails, they are only delayed.
        let _delayed = stream.set_nodelay(true);
        (ResettableConnection { stream, close_handle: CloseHandle::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

pub(super) struct ResettableConnection {
    stream: TcpStream,
    close_handle: CloseHandle,
}

#[derive(Clone, Debug, Default)]
pub(super) struct CloseHandle(Arc<AtomicBool>);

impl CloseHandle {
    pub(super) fn close(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, Connections>> for CloseHandle {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        stream.io().close_handle.clone()
    }
}

impl ResettableConnection {
    /// The stream, or the error of a closed connection.
    fn whole(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if self.close_handle.0.load(Ordering::Relaxed) {
            // With zero linger, closing sends a reset.
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(Pin::new(&mut self.stream))
    }
}

impl AsyncRead for ResettableConnection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.get_mut().whole()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for ResettableConnection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().whole()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().whole()?.poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().whole()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().whole()?.poll_shutdown(context)
    }
}
