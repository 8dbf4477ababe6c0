//! Reads test files: what promtool would not load is a fault of the file, what it would find out only
//! while it runs is kept in the check.

mod checks;

use std::collections::HashMap;
use std::sync::Arc;

pub(super) use self::checks::{
    ALERT_CHECK_FIELDS, EXPECTED_ALERT_FIELDS, EXPECTED_SAMPLE_FIELDS, EXPR_CHECK_FIELDS,
};
use super::file::{Spanned, TestCase, TestFile};
use super::include::{self, Load};
use super::shared::Shared;
use super::slos;
use crate::model::{Labels, Millis, Timestamp};
use crate::promql::Query;
use crate::replay::Schedule;
use crate::rules::{ReadOptions, decode_duration, diagnose_query};
use crate::series::notation::NotationError;
use crate::slo::own;
use crate::text::yaml::{
    self, Decoder, Dialect, Document, Embedded, Field, Fields, Node, UnknownFields,
};
use crate::text::{Diagnostic, Source, Span, distinct};

/// The keys of a test file: first those that promtool knows.
pub(super) const FILE_FIELDS: [&str; 11] = [
    "rule_files",
    "evaluation_interval",
    "group_eval_order",
    "tests",
    "fuzzy_compare",
    "schedule",
    "include",
    "defaults",
    "series",
    "slos",
    "slo_files",
];

/// The keys of a test that promtool knows.
const PROMTOOL_TEST_FIELDS: [&str; 8] = [
    "interval",
    "input_series",
    "alert_rule_test",
    "promql_expr_test",
    "external_labels",
    "external_url",
    "name",
    "start_timestamp",
];

/// The key of a test that vmalert-tool has for `promql_expr_test`.
const METRICSQL_CHECKS: &str = "metricsql_expr_test";

/// The keys of a test that say where its parts come from.
const COMPOSING_TEST_FIELDS: [&str; 2] = ["matrix", "use"];

/// The keys that make a test an extended one.
const EXTENDED_TEST_FIELDS: [&str; 6] = [
    "duration",
    "generate",
    "fixtures",
    "expect",
    "rule_errors",
    "warmup",
];

/// The keys of a test.
pub(super) fn test_fields() -> Vec<&'static str> {
    let lists = [
        &PROMTOOL_TEST_FIELDS[..],
        &[METRICSQL_CHECKS],
        &COMPOSING_TEST_FIELDS,
        &EXTENDED_TEST_FIELDS,
    ];
    lists.concat()
}

/// Evaluations are a minute apart unless the file says otherwise.
const DEFAULT_INTERVAL: Millis = 60_000;

/// Reads a test file. Unknown fields are refused whatever the options say, as in promtool.
///
/// # Errors
///
/// Every fault for which promtool would not run the file, in the order of the file.
pub fn read(source: &Source, options: &ReadOptions) -> Result<TestFile, Vec<Diagnostic>> {
    let nothing = |_: &Source, path: &str| {
        let fault = Diagnostic::error(format!("{path} can't be included: no file is read here"));
        Err(fault.help("put what it holds into this file"))
    };
    read_with(source, options, &mut { nothing })
}

/// The same for a file that may include others, which are read by their paths.
///
/// # Errors
///
/// Those of [`read`], in all files.
pub fn read_with(
    source: &Source,
    options: &ReadOptions,
    load: &mut Load<'_>,
) -> Result<TestFile, Vec<Diagnostic>> {
    let files = include::find(source, load)?;
    let all = match files.sources.as_slice() {
        [_] => source.clone(),
        _ => Source::joined(files.sources.clone()),
    };
    let document = yaml::parse_joined(&all)?;
    let mut reader = Reader {
        decoder: Decoder::new(&all, Dialect::V2),
        options,
        warnings: Vec::new(),
        shared: Shared::default(),
        queries: HashMap::new(),
    };
    let mut file = reader.file(&document, &files.includes);
    let mut faults = reader.decoder.faults;
    faults.extend(slos::add(&mut file, options, load));
    if faults.is_empty() {
        file.warnings.extend(reader.warnings);
        file.warnings = distinct(file.warnings);
        return Ok(file);
    }
    let order = |fault: &Diagnostic| {
        let place = fault.place.as_ref()?;
        let file = place.source.name();
        let is_other = file != source.name();
        Some((is_other, file.to_owned(), place.span.start))
    };
    faults.sort_by_cached_key(order);
    Err(distinct(faults))
}

/// Whether a text has a top-level `tests:`, by a look at the beginnings of its lines.
pub fn looks_like_test_file(text: &str) -> bool {
    yaml::has_top_level_key(text, "tests")
}

pub(super) struct Reader<'d, 'o> {
    pub(super) decoder: Decoder<'d>,
    pub(super) options: &'o ReadOptions,
    pub(super) warnings: Vec<Diagnostic>,
    pub(super) shared: Shared<'d>,
    /// Expressions that were asked already: a file asks the same ones at many times.
    queries: HashMap<String, Arc<Query>>,
}

impl<'d> Reader<'d, '_> {
    fn file(&mut self, document: &'d Document<'d>, includes: &[Vec<usize>]) -> TestFile {
        let source = self.decoder.source();
        let mut file = TestFile {
            source: source.clone(),
            rule_files: Vec::new(),
            evaluation_interval: DEFAULT_INTERVAL,
            group_eval_order: Vec::new(),
            fuzzy_compare: false,
            schedule: None,
            is_vmalert: false,
            slos: Vec::new(),
            slo_files: Vec::new(),
            tests: Vec::new(),
            warnings: Vec::new(),
        };
        if let Some(more) = document.more {
            let message = "only the first YAML document of a test file is read";
            self.warn(more, message, "make a file of its own of every document");
        }
        let fields = document
            .root()
            .and_then(|root| self.fields(root, "a test file", &FILE_FIELDS));
        let Some(fields) = fields else {
            return file;
        };
        file.rule_files = self.texts(&fields, "rule_files");
        file.group_eval_order = self.texts(&fields, "group_eval_order");
        self.refuse_repeated_groups(&file.group_eval_order);
        if let Some(interval) = self
            .duration(&fields, "evaluation_interval")
            .filter(|&it| it != 0)
        {
            file.evaluation_interval = interval;
        }
        if let Some(node) = fields.node("fuzzy_compare") {
            let fuzzy = self.decoder.boolean(node, "`fuzzy_compare`");
            file.fuzzy_compare = fuzzy.unwrap_or(false);
        }
        file.schedule = self.schedule(&fields);
        if let Some(list) = fields.node("slos") {
            file.slos = own::read_list(&mut self.decoder, list, &self.options.features);
        }
        file.slo_files = self.texts(&fields, "slo_files");
        self.shared(document, &fields, includes);
        for (item, node) in self.list(&fields, "tests").into_iter().enumerate() {
            let tests = self.tests_of(node, item, file.evaluation_interval);
            file.tests.extend(tests);
        }
        self.warn_of_idle(&file);
        self.refuse_missing_groups(&mut file);
        file
    }

    fn refuse_repeated_groups(&mut self, order: &[Spanned<String>]) {
        for (index, group) in order.iter().enumerate() {
            if order.iter().take(index).any(|it| it.value == group.value) {
                let message = format!("group name repeated in evaluation order: {}", group.value);
                self.decoder
                    .error(group.span, message, "remove one of the two");
            }
        }
    }

    pub(super) fn test(&mut self, node: Node<'d>, evaluation_interval: Millis) -> TestCase {
        let mut test = TestCase {
            name: None,
            span: node.span(),
            item: 0,
            values: Vec::new(),
            interval: evaluation_interval,
            start: 0,
            duration: None,
            warmup: None,
            is_extended: false,
            input_series: Vec::new(),
            fixtures: Vec::new(),
            generated: Vec::new(),
            alert_checks: Vec::new(),
            expr_checks: Vec::new(),
            has_metricsql_checks: false,
            expectations: Vec::new(),
            rule_errors_expected: None,
            external_labels: Labels::empty(),
            external_url: String::new(),
        };
        let Some(fields) = self.fields_of_test(node) else {
            return test;
        };
        test.is_extended = EXTENDED_TEST_FIELDS
            .iter()
            .any(|name| fields.lists(name).next().is_some());
        test.name = self.text(&fields, "name").filter(|it| !it.value.is_empty());
        if let Some(interval) = self.duration(&fields, "interval").filter(|&it| it != 0) {
            test.interval = interval;
        }
        test.start = self.start(&fields);
        test.duration = self.length(&fields);
        test.warmup = self.warmup(&fields);
        let series = self.list(&fields, "input_series");
        test.input_series = self.input_series(&series);
        let generated = self.list(&fields, "generate");
        test.generated = self.generated(&generated, &test);
        test.fixtures = self.fixtures(&fields, test.start);
        for node in self.list(&fields, "alert_rule_test") {
            let check = self.alert_check(node);
            test.alert_checks.extend(check);
        }
        for node in self.list(&fields, "promql_expr_test") {
            test.expr_checks.push(self.expr_check(node));
        }
        for node in self.list(&fields, METRICSQL_CHECKS) {
            test.expr_checks.push(self.expr_check(node));
        }
        test.has_metricsql_checks = fields.lists(METRICSQL_CHECKS).next().is_some();
        let times = test.eval_times();
        self.refuse_after_end(&test, &times);
        test.expectations = self.expectations(&fields, &test);
        let rule_errors = self.word(&fields, "rule_errors", &["expected", "refused"]);
        test.rule_errors_expected =
            (rule_errors == Some("expected")).then(|| fields.key_span("rule_errors"));
        if let Some(field) = fields.get("external_labels") {
            test.external_labels = Labels::from_pairs(self.pairs(field, "`external_labels`"));
        }
        let url = self.text(&fields, "external_url");
        test.external_url = url.map(|url| url.value).unwrap_or_default();
        test
    }

    /// As vmalert-tool does it: where one check names a group, alerts have its name as a label, and every check needs it.
    fn refuse_missing_groups(&mut self, file: &mut TestFile) {
        let checks = || file.tests.iter().flat_map(|test| &test.alert_checks);
        let (with, without): (Vec<_>, Vec<_>) = checks().partition(|check| check.group.is_some());
        if !with.is_empty() {
            for check in without {
                let message = "other checks of this file name the alert's group, this one does not";
                let help = "write `groupname:`, or leave it out everywhere";
                self.decoder.error(check.alertname.span, message, help);
            }
        }
        let is_metricsql = file.tests.iter().any(|test| test.has_metricsql_checks);
        file.is_vmalert = is_metricsql || !with.is_empty();
    }

    fn start(&mut self, fields: &Fields<'d>) -> Timestamp {
        let Some(node) = fields
            .node("start_timestamp")
            .filter(|node| !node.is_null())
        else {
            return 0;
        };
        let text = self.decoder.text(node, "`start_timestamp`");
        let Some(text) = text else {
            return 0;
        };
        match parse_time(&text) {
            Some(ZERO_TIME) => 0,
            Some(time) => time,
            None => {
                let message = format!("cannot parse {text:?} to a valid timestamp");
                let help = "write seconds since 1970, or a time such as 2021-01-01T00:00:00Z";
                self.decoder.error(node.target().span(), message, help);
                0
            }
        }
    }

    fn schedule(&mut self, fields: &Fields<'d>) -> Option<Schedule> {
        let text = self.text(fields, "schedule")?;
        match text.value.as_str() {
            "promtool" => Some(Schedule::Promtool),
            "production" => Some(Schedule::Production),
            other => {
                let message = format!("there is no schedule {other:?}");
                let help = "write `promtool` (every group at each evaluation_interval) or `production` (each group on its \
                            own interval, as a server does)";
                self.decoder.error(text.span, message, help);
                None
            }
        }
    }

    /// The length that a test says it has.
    fn length(&mut self, fields: &Fields<'d>) -> Option<Spanned<Millis>> {
        let node = fields.node("duration")?;
        let span = node.target().span();
        let value = self.duration(fields, "duration")?;
        if value <= 0 {
            let help = "write how long the test lasts, such as `2h`";
            self.decoder.error(span, "a test of no length", help);
            return None;
        }
        Some(Spanned { value, span })
    }

    /// A parsed expression, or what is wrong with it.
    pub(super) fn query(&mut self, expr: &Embedded) -> Result<Arc<Query>, Vec<Diagnostic>> {
        if let Some(known) = self.queries.get(&expr.text) {
            return Ok(known.clone());
        }
        match Query::parse(&expr.text, &self.options.features) {
            Ok(query) => {
                let query = Arc::new(query);
                self.queries.insert(expr.text.clone(), query.clone());
                Ok(query)
            }
            Err(errors) => {
                let diagnose = |error| diagnose_query(expr, error, "");
                Err(errors.iter().map(diagnose).collect())
            }
        }
    }

    pub(super) fn fields(
        &mut self,
        node: Node<'d>,
        what: &str,
        known: &[&str],
    ) -> Option<Fields<'d>> {
        self.decoder
            .fields(node, what, known, UnknownFields::Refuse)
    }

    pub(super) fn list(&mut self, fields: &Fields<'d>, name: &str) -> Vec<Node<'d>> {
        let mut all = Vec::new();
        for node in fields.lists(name) {
            let list = self.decoder.list(node, format_args!("`{name}`"));
            match all.is_empty() {
                true => all = list,
                false => all.extend(list),
            }
        }
        all
    }

    fn texts(&mut self, fields: &Fields<'d>, name: &str) -> Vec<Spanned<String>> {
        let mut texts = Vec::new();
        for node in self.list(fields, name) {
            if let Some(value) = self
                .decoder
                .text(node, format_args!("an element of `{name}`"))
            {
                let span = node.target().span();
                texts.push(Spanned { value, span });
            }
        }
        texts
    }

    pub(super) fn text(&mut self, fields: &Fields<'d>, name: &str) -> Option<Spanned<String>> {
        let node = fields.node(name)?;
        let value = self.decoder.text(node, format_args!("`{name}`"))?;
        let span = node.target().span();
        Some(Spanned { value, span })
    }

    pub(super) fn duration(&mut self, fields: &Fields<'d>, name: &str) -> Option<Millis> {
        let node = fields.node(name)?;
        decode_duration(&mut self.decoder, node, format_args!("`{name}`"))
    }

    pub(super) fn pairs(&mut self, field: &Field<'d>, what: &str) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for entry in self.decoder.map(field, what) {
            if let Some(value) = self
                .decoder
                .text(entry.value, format_args!("`{}`", entry.name))
            {
                pairs.push((entry.name.to_owned(), value));
            }
        }
        pairs
    }

    pub(super) fn warn(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let warning = Diagnostic::warning(message).at(self.decoder.source(), span);
        self.warnings.push(warning.help(help));
    }
}

pub(super) fn diagnose_notation(
    text: &Embedded,
    error: &NotationError,
    before: &str,
) -> Diagnostic {
    let place = text.span(Span::new(error.offset, error.offset.saturating_add(1)));
    Diagnostic::error(format!("{before}{}", error.message))
        .at(text.source(), place)
        .help(error.help.as_str())
}

/// The first moment of the year 1, which Go takes for no time at all.
const ZERO_TIME: Timestamp = -62_135_596_800_000;

/// Seconds since 1970 with a fraction, or RFC 3339.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<f64>() {
        let whole = seconds.trunc();
        let nanoseconds = ((seconds - whole) * 1e9) as i64;
        return (whole as i64)
            .checked_mul(1000)?
            .checked_add(nanoseconds.div_euclid(1_000_000));
    }
    let strict = text.as_bytes().get(10) == Some(&b'T') && !text.ends_with('z');
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    strict.then(|| time.timestamp_millis())
}
