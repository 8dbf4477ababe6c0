//! Every route: a row each.

use super::query::Prepared;
use super::request::{Refusal, Request, Response};
use super::{Served, query, rules, select, status, tree};

/// A path and what answers there.
#[derive(Debug)]
pub(super) struct Route {
    /// `*` stands for one part of a path.
    path: &'static str,
    /// Beside `OPTIONS`.
    methods: &'static [&'static str],
    /// What answers.
    pub handler: Handler,
}

/// What answers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Handler {
    /// At once.
    Plain(fn(&Served, &Request) -> Result<Response, Refusal>),
    /// In its turn.
    Query(fn(&Served, &Request) -> Result<Prepared, Refusal>),
}

/// Where the API begins.
pub(super) const API: &str = "/api/v1/";

const GET: &[&str] = &["GET"];

const GET_HEAD: &[&str] = &["GET", "HEAD"];

const GET_POST: &[&str] = &["GET", "POST"];

static ROUTES: [Route; 19] = {
    use Handler::{Plain, Query};
    [
        route("/api/v1/query", GET_POST, Query(query::instant)),
        route("/api/v1/query_range", GET_POST, Query(query::range)),
        route("/api/v1/query_exemplars", GET_POST, Plain(query::exemplars)),
        route("/api/v1/format_query", GET_POST, Plain(query::format)),
        route("/api/v1/parse_query", GET_POST, Plain(tree::parse)),
        route("/api/v1/series", GET_POST, Plain(select::series)),
        route("/api/v1/labels", GET_POST, Plain(select::names)),
        route("/api/v1/label/*/values", GET, Plain(select::values)),
        route("/api/v1/rules", GET, Plain(rules::rules)),
        route("/api/v1/alerts", GET, Plain(rules::alerts)),
        route("/api/v1/metadata", GET, Plain(status::metadata)),
        route("/api/v1/targets", GET, Plain(status::targets)),
        route("/api/v1/alertmanagers", GET, Plain(status::alertmanagers)),
        route("/api/v1/status/buildinfo", GET, Plain(status::build)),
        route("/api/v1/status/config", GET, Plain(status::config)),
        route("/api/v1/status/flags", GET, Plain(status::flags)),
        route("/-/ready", GET_HEAD, Plain(status::ready)),
        route("/-/healthy", GET_HEAD, Plain(status::ready)),
        route("/", GET_HEAD, Plain(status::home)),
    ]
};

const fn route(path: &'static str, methods: &'static [&'static str], handler: Handler) -> Route {
    Route {
        path,
        methods,
        handler,
    }
}

/// The route of a request, or what is said where there is none, or none that takes its method.
pub(super) fn find(request: &Request) -> Result<&'static Route, Response> {
    let is_options = request.method == "OPTIONS";
    if is_options && request.path.starts_with(API) {
        return Err(Response::nothing());
    }
    let Some(route) = ROUTES.iter().find(|route| route.matches(&request.path)) else {
        return Err(Response::text(404, "404 page not found\n"));
    };
    match route.methods.contains(&request.method.as_str()) {
        true => Ok(route),
        false => {
            let (status, body) = match is_options {
                true => (200, ""),
                false => (405, "Method Not Allowed\n"),
            };
            Err(Response {
                allow: Some(route.allow()),
                ..Response::text(status, body)
            })
        }
    }
}

impl Route {
    fn matches(&self, path: &str) -> bool {
        let (mut own, mut asked) = (self.path.split('/'), path.split('/'));
        loop {
            match (own.next(), asked.next()) {
                (None, None) => return true,
                (Some("*"), Some(part)) if !part.is_empty() => {}
                (Some(a), Some(b)) if a == b => {}
                _ => return false,
            }
        }
    }

    fn allow(&self) -> String {
        let mut methods = self.methods.to_vec();
        methods.push("OPTIONS");
        methods.sort_unstable();
        methods.join(", ")
    }
}
