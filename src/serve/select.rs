//! `series`, `labels` and `label/<name>/values`: which series there are.

use std::collections::BTreeSet;

use super::Served;
use super::params;
use super::request::{Refusal, Request, Response};
use crate::model::bytes::{is_utf8, shown};
use crate::model::number::quote;
use crate::model::{Labels, Matcher, Timestamp};
use crate::report::api::{Answer, Metric};
use crate::store::{Points, SeriesId};

/// Which series a request asks for.
struct Wanted {
    /// One of these; every series where there are none.
    matchers: Vec<Vec<Matcher>>,
    /// With a sample from then on.
    start: Timestamp,
    /// With a sample until then.
    end: Timestamp,
    limit: Option<usize>,
}

/// `/api/v1/series`.
pub(super) fn series(served: &Served, request: &Request) -> Result<Response, Refusal> {
    if let Some(fault) = request.fault() {
        return Err(Refusal::bad_data(format!(
            "error parsing form values: {fault}"
        )));
    }
    if request.values("match[]").next().is_none() {
        return Err(Refusal::bad_data("no match[] parameter provided"));
    }
    let wanted = Wanted::read(served, request, |fault| {
        Refusal::parameter("match[]", fault)
    })?;
    let mut found: Vec<&Labels> = wanted.find(served).into_iter().collect();
    let cut = params::truncate(&mut found, wanted.limit);
    let metrics: Vec<Metric<'_>> = found.into_iter().map(Metric).collect();
    let answer = Answer::success(metrics).with_notes(params::truncation(cut), Vec::new());
    Ok(Response::answer(&answer))
}

/// `/api/v1/labels`.
pub(super) fn names(served: &Served, request: &Request) -> Result<Response, Refusal> {
    let wanted = Wanted::read(served, request, Refusal::bad_data)?;
    let mut names = BTreeSet::new();
    for labels in wanted.find(served) {
        names.extend(labels.iter().map(|(name, _)| name));
    }
    Ok(texts(names, wanted.limit))
}

/// `/api/v1/label/<name>/values`.
pub(super) fn values(served: &Served, request: &Request) -> Result<Response, Refusal> {
    let path = request.path.strip_prefix("/api/v1/label/");
    let name = path.and_then(|rest| rest.strip_suffix("/values"));
    let name = unescaped(name.unwrap_or_default());
    if name.is_empty() || !is_utf8(&name) {
        return Err(Refusal::bad_data(format!(
            "invalid label name: {}",
            quote(&name)
        )));
    }
    let wanted = Wanted::read(served, request, Refusal::bad_data)?;
    let found = wanted.find(served);
    let values = found.iter().filter_map(|labels| labels.get(&name));
    Ok(texts(values.collect(), wanted.limit))
}

fn texts(texts: BTreeSet<&str>, limit: Option<usize>) -> Response {
    let mut texts: Vec<_> = texts.into_iter().map(shown).collect();
    let cut = params::truncate(&mut texts, limit);
    Response::answer(&Answer::success(texts).with_notes(params::truncation(cut), Vec::new()))
}

impl Wanted {
    fn read(
        served: &Served,
        request: &Request,
        refuse: impl Fn(String) -> Refusal,
    ) -> Result<Wanted, Refusal> {
        let limit = params::limit(request)?;
        let start = params::time(request, "start")?.unwrap_or(Timestamp::MIN);
        let end = params::time(request, "end")?.unwrap_or(Timestamp::MAX);
        let matchers = params::matchers(served, request).map_err(refuse)?;
        Ok(Wanted {
            matchers,
            start,
            end,
            limit,
        })
    }

    /// The label sets in order, each once.
    fn find<'s>(&self, served: &'s Served) -> BTreeSet<&'s Labels> {
        let mut ids: BTreeSet<SeriesId> = BTreeSet::new();
        match self.matchers.is_empty() {
            true => ids.extend(served.store.select(&[])),
            false => {
                for matchers in &self.matchers {
                    ids.extend(served.store.select(matchers));
                }
            }
        }
        let series = ids.into_iter().map(|id| served.store.get(id));
        series
            .filter(|series| self.overlaps(&series.points))
            .map(|series| &series.labels)
            .collect()
    }

    /// Whether there is a sample between start and end.
    fn overlaps(&self, points: &Points) -> bool {
        let first = points.count_until(self.start.saturating_sub(1));
        first < points.len() && points.time(first) <= self.end
    }
}

/// A name as it was before it was made fit for old servers: `U__` in front, `_2e_` for a dot, `__` for `_`. One that is
/// not made like this stays as it is.
fn unescaped(name: &str) -> String {
    let plain = name.strip_prefix("U__").and_then(|escaped| {
        let mut out = String::new();
        let mut rest = escaped;
        while let Some((before, after)) = rest.split_once('_') {
            out.push_str(before);
            let (digits, after) = after.split_once('_')?;
            match digits {
                "" => out.push('_'),
                digits if digits.len() > 5 || digits.starts_with('+') => return None,
                digits => out.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?),
            }
            rest = after;
        }
        out.push_str(rest);
        Some(out)
    });
    plain.unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_names() {
        let cases = [
            ("job", "job"),
            ("U__job", "job"),
            ("U__a_2e_b", "a.b"),
            ("U__a__b", "a_b"),
            ("U__a_1f600_", "a😀"),
            ("U__a_zz_b", "U__a_zz_b"),
            ("U__a_+2e_b", "U__a_+2e_b"),
            ("U__a_01f600_", "U__a_01f600_"),
            ("U__a_2e", "U__a_2e"),
            ("U__a_d800_", "U__a_d800_"),
        ];
        for (escaped, plain) in cases {
            assert_eq!(unescaped(escaped), plain);
        }
    }
}
