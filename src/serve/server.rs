//! The sockets: connections, their limits of time and size, and the end of it all.
//!
//! Whoever is slow or stuck holds a connection for a bounded time and nobody else up: heads, bodies and answers that
//! make no progress end it. Queries wait for a turn, run apart from the sockets and are stopped when their time is up,
//! when whoever asked has gone, and when the server ends.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use super::Served;
use super::lenient::Lenient;
use super::query::{self, Prepared};
use super::request::{Refusal, Request, Response, TEXT};
use super::routes::{self, Handler};
use crate::io::{Listener, asked_to_end};
use crate::report::api::ErrorType;

/// So many queries run at once; others wait.
pub const MAX_QUERIES: usize = 20;

/// So many queries are read at once, or other requests answered, each of which may take tens of MiB; others wait.
const MAX_HANDLED: usize = 8;

/// So many connections are open at once; others wait.
const MAX_CONNECTIONS: usize = 512;

/// No larger head of a request is read.
const MAX_HEAD: usize = 64 << 10;

/// No larger body of a request is read.
const MAX_BODY: usize = 1 << 20;

/// A head, or a body, that takes longer ends the connection, and so does one without a request.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// An answer of which nothing can be written for so long ends the connection.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Requests that run when the server ends have so much time left.
const GRACE: Duration = Duration::from_secs(5);

/// Queries that run then have no more than this: Prometheus lets them have none.
const QUERY_GRACE: Duration = Duration::from_millis(500);

/// Serves until somebody sends SIGTERM or SIGINT: requests that run then are answered if they are quick enough.
///
/// # Errors
/// Why it can't begin.
pub fn serve(listener: Listener, served: Served) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let result = runtime.block_on(accept(listener, served));
    // A query that is slow to notice that it was stopped keeps nobody waiting.
    runtime.shutdown_background();
    result
}

async fn accept(listener: Listener, served: Served) -> std::io::Result<()> {
    let mut end = pin!(asked_to_end()?);
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (ending, is_ending) = watch::channel(false);
    let server = Arc::new(Server {
        served,
        is_ending,
        turns: Arc::new(Semaphore::new(MAX_QUERIES)),
        handled: Arc::new(Semaphore::new(MAX_HANDLED)),
    });
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let next = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (permit.ok(), listener.accept().await)
        };
        tokio::select! {
            () = &mut end => break,
            (permit, accepted) = next => match accepted {
                Ok((stream, _)) => connect(stream, permit, &server, &graceful),
                // Too many open files, for example: others may close theirs.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    ending.send_replace(true);
    // Who is not done by then is cut off.
    drop(timeout(GRACE, graceful.shutdown()).await);
    Ok(())
}

/// Answers the requests of one connection, which holds `permit`.
fn connect(
    stream: TcpStream,
    permit: Option<OwnedSemaphorePermit>,
    server: &Arc<Server>,
    graceful: &GracefulShutdown,
) {
    // Without it small answers may wait for others; that they then do is no fault.
    drop(stream.set_nodelay(true));
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let server = Arc::clone(server);
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(server.handle(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(Lenient::new(Box::pin(stream))), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // A connection that broke off has nobody to be told.
        drop(connection.await);
        drop(permit);
    });
}

/// What all connections share.
struct Server {
    served: Served,
    /// Whether somebody asked for the end.
    is_ending: watch::Receiver<bool>,
    /// A query runs that holds one of them.
    turns: Arc<Semaphore>,
    /// A request is read, or answered at once, that holds one of them.
    handled: Arc<Semaphore>,
}

impl Server {
    async fn handle(self: &Arc<Server>, request: hyper::Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let origin = head.headers.contains_key(header::ORIGIN);
        let path = head.uri.path().to_owned();
        let response = self
            .respond(&head, body)
            .await
            .unwrap_or_else(Refusal::response);
        let is_api = path.starts_with(routes::API) && response.content_type != TEXT;
        written(response, is_api, origin)
    }

    async fn respond(
        self: &Arc<Server>,
        head: &hyper::http::request::Parts,
        body: Incoming,
    ) -> Result<Response, Refusal> {
        let (method, path) = (head.method.as_str(), head.uri.path());
        let query = head.uri.query().unwrap_or_default();
        let route = match routes::find(&Request::new(method, path, "", "")) {
            Ok(route) => route,
            Err(response) => return Ok(response),
        };
        let form = match method {
            "POST" => match form(&head.headers, body).await {
                Ok(form) => form,
                Err(response) => return Ok(response),
            },
            _ => String::new(),
        };
        let request = Request::new(method, path, query, &form);
        let server = Arc::clone(self);
        // Given back by the work itself, which goes on when whoever asked has gone.
        let permit = Arc::clone(&self.handled).acquire_owned().await;
        match route.handler {
            Handler::Plain(handle) => {
                let work = move || handle(&server.served, &request);
                apart(holding(permit, work)).await
            }
            Handler::Query(prepare) => {
                let work = move || prepare(&server.served, &request);
                let prepared = apart(holding(permit, work)).await?;
                self.run(prepared).await
            }
        }
    }

    /// Runs a query when its turn comes, until its time is up or that of the server.
    async fn run(self: &Arc<Server>, prepared: Prepared) -> Result<Response, Refusal> {
        let limit = prepared.timeout;
        let stop = StopOnDrop::default();
        let flag = Arc::clone(&stop.0);
        let started = AtomicBool::new(false);
        let work = async {
            let turn = Arc::clone(&self.turns).acquire_owned().await;
            started.store(true, Ordering::Relaxed);
            let server = Arc::clone(self);
            let work = move || prepared.run(&server.served, &flag);
            apart(holding(turn, work)).await
        };
        let done = tokio::select! {
            done = timeout(limit, work) => done,
            () = self.ended() => return Err(query::stopped()),
        };
        match done {
            Ok(response) => response,
            Err(_) if started.load(Ordering::Relaxed) => {
                Err(query::timed_out("expression evaluation"))
            }
            Err(_) => Err(query::timed_out("query queue")),
        }
    }

    /// Waits until somebody asked for the end and the queries that ran then had some time.
    async fn ended(&self) {
        let mut is_ending = self.is_ending.clone();
        // Nobody can ask any more once there is nobody to tell of it, which is the end too.
        drop(is_ending.wait_for(|is_ending| *is_ending).await);
        sleep(QUERY_GRACE).await;
    }
}

/// Stops a query as soon as nobody waits for it.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Work that gives `held` back when it is done.
fn holding<H, T>(held: H, work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    move || {
        let done = work();
        drop(held);
        done
    }
}

/// Does work that takes long where it holds up no socket.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // It panicked, which has been written on standard error.
        Err(_) => Err(Refusal::new(ErrorType::Internal, "unexpected error")),
    }
}

/// The body of a form; nothing of other bodies, which mean nothing here.
async fn form(headers: &HeaderMap, body: Incoming) -> Result<String, Response> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(String::new());
    }
    let refuse = |status: u16, message: &str| {
        let body = Refusal::bad_data(message).response().body;
        Err(Response::json(status, body))
    };
    match timeout(READ_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            refuse(413, "the body of the request is larger than 1 MiB")
        }
        Ok(Err(_)) => refuse(400, "the body of the request broke off"),
        Err(_) => refuse(408, "the body of the request took too long"),
    }
}

type Answer = hyper::Response<Full<Bytes>>;

/// The answer on the wire; one of the API may be read by scripts of any page, as Prometheus's may.
fn written(response: Response, is_api: bool, has_origin: bool) -> Answer {
    let is_text = response.content_type == TEXT;
    let is_empty = response.body.is_empty();
    let mut answer = Answer::new(Full::new(Bytes::from(response.body)));
    *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or_default();
    let headers = answer.headers_mut();
    if !is_empty {
        let kind = HeaderValue::from_static(response.content_type);
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if is_text && response.status >= 400 {
        let no_guess = HeaderValue::from_static("nosniff");
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, no_guess);
    }
    if let Some(Ok(methods)) = response.allow.map(HeaderValue::try_from) {
        headers.insert(header::ALLOW, methods);
    }
    if is_api {
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    }
    if is_api && has_origin {
        for (name, value) in CORS {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    answer
}

/// What lets scripts of any page read an answer.
const CORS: [(HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Accept, Authorization, Content-Type, Origin",
    ),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Date"),
];
