//! Addresses as people type them.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection whose first line, that of its first request, may have quotes, angle brackets and letters beyond ASCII in
/// its address, as `curl -g 'http://…?query=up{job="api"}'` sends them: hyper refuses them, Go's server doesn't.
pub(super) struct Lenient<S> {
    stream: S,
    /// Whether the first line has not ended yet.
    is_first_line: bool,
    /// What has been read and not been asked for.
    ahead: Vec<u8>,
}

/// So much of a first line is read at a time; an escaped byte takes three.
const CHUNK: usize = 4096;

impl<S> Lenient<S> {
    pub fn new(stream: S) -> Lenient<S> {
        Lenient {
            stream,
            is_first_line: true,
            ahead: Vec::new(),
        }
    }

    fn escape(&mut self, read: &[u8]) {
        for &byte in read {
            self.is_first_line &= byte != b'\n';
            match byte {
                b'"' | b'<' | b'>' | 0x80.. if self.is_first_line => {
                    self.ahead.extend(format!("%{byte:02X}").into_bytes());
                }
                _ => self.ahead.push(byte),
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lenient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let this = &mut *self;
        if this.ahead.is_empty() && !this.is_first_line {
            return Pin::new(&mut this.stream).poll_read(context, buffer);
        }
        if this.ahead.is_empty() {
            let mut chunk = [0; CHUNK];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut chunk))?;
            this.escape(chunk.filled());
        }
        let count = this.ahead.len().min(buffer.remaining());
        buffer.put_slice(this.ahead.get(..count).unwrap_or_default());
        this.ahead.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lenient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
