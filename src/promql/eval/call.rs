//! Calls: arguments are evaluated as a function's shape asks, and its row does the rest.

use super::frame::Frame;
use super::select::Take;
use super::{Evaluator, Row, Sink, emit, merge};
use crate::model::Labels;
use crate::promql::annotation::{Note, Site};
use crate::promql::ast::{Call, Expr, ExprKind, ValueType, VectorSelector};
use crate::promql::column::{Column, ColumnSeries, Sample};
use crate::promql::functions::{
    Argument, Arguments, Body, Function, Moment, Samples, Validate, labels_of_absence,
    refuse_extension,
};
use crate::promql::window::{Notes, Window, Windows};
use crate::text::Span;

/// How a range function fills the column of a series.
struct Kernel {
    samples: Samples,
    body: KernelBody,
    validate: Option<Validate>,
}

enum KernelBody {
    Column(fn(&Windows<'_>, &mut Column)),
    EachWindow(fn(&Window<'_>) -> f64),
}

impl Evaluator<'_> {
    /// Streams the result of a function that yields a vector; `node` is where the call stands.
    pub(super) fn call(&self, call: &Call, node: Span, frame: &Frame, sink: &mut Sink<'_>) {
        if let Some(message) = refused_extension(call) {
            return frame.fail_all(&message);
        }
        match call.function.body {
            Body::Pointwise(body) => {
                self.over_first(call, frame, sink, &|column| column.map_floats(false, body))
            }
            Body::HistogramPart(body) => {
                if let Some(argument) = call.args.first() {
                    self.without_metric_names(argument, frame, sink, &|column| {
                        column.map_histograms(body);
                        true
                    });
                }
            }
            Body::PointwiseWith { body, .. } => self.pointwise_with(call, body, frame, sink),
            Body::Calendar(body) => self.calendar(call, body, frame, sink),
            Body::EachWindow(body) => {
                let kernel = Kernel {
                    samples: Samples::Floats,
                    body: KernelBody::EachWindow(body),
                    validate: None,
                };
                self.over_windows(call, node, kernel, frame, sink);
            }
            Body::Window {
                samples,
                kernel,
                validate,
                ..
            } => {
                let kernel = Kernel {
                    samples,
                    body: KernelBody::Column(kernel),
                    validate,
                };
                self.over_windows(call, node, kernel, frame, sink);
            }
            Body::Vector { body, .. } => self.over_vectors(call, node, body, frame, sink),
            Body::Timestamp => self.timestamp(call, frame, sink),
            Body::StartTimestamp => self.start_timestamp(call, frame, sink),
            Body::AbsentOverTime => self.absent_over_time(call, frame, sink),
            Body::Info => self.info(call, frame, sink),
            Body::Scalar { .. } => {
                frame.fail_all(&format!("{} yields a scalar", call.function.name))
            }
        }
    }

    /// Evaluates a function that yields a scalar.
    pub(super) fn scalar_call(&self, call: &Call, node: Span, frame: &Frame) -> Column {
        match call.function.body {
            Body::Scalar { body, .. } => body(&self.arguments(call, node, frame)),
            _ => {
                frame.fail_all(&format!("{} yields a vector", call.function.name));
                Column::constant(frame.count(), f64::NAN)
            }
        }
    }

    fn over_first(
        &self,
        call: &Call,
        frame: &Frame,
        sink: &mut Sink<'_>,
        change: &dyn Fn(&mut Column),
    ) {
        if let Some(argument) = call.args.first() {
            self.without_names(argument, frame, sink, &|column| {
                change(column);
                true
            });
        }
    }

    fn pointwise_with(
        &self,
        call: &Call,
        body: fn(f64, &[f64]) -> Option<f64>,
        frame: &Frame,
        sink: &mut Sink<'_>,
    ) {
        let Some((vector, scalars)) = call.args.split_first() else {
            return;
        };
        let scalars: Vec<Column> = scalars
            .iter()
            .map(|scalar| self.scalar(scalar, frame))
            .collect();
        self.without_names(vector, frame, sink, &|column| {
            column.drop_histograms();
            let mut given = vec![0.0; scalars.len()];
            for tick in 0..column.len() {
                for (slot, scalar) in given.iter_mut().zip(&scalars) {
                    *slot = scalar.values()[tick];
                }
                match body(column.values()[tick], &given) {
                    Some(value) if column.is_present(tick) => column.set(tick, value),
                    Some(_) => {}
                    None => column.clear(tick),
                }
            }
            true
        });
    }

    fn calendar(&self, call: &Call, body: fn(Moment) -> i64, frame: &Frame, sink: &mut Sink<'_>) {
        if !call.args.is_empty() {
            return self.over_first(call, frame, sink, &|column| {
                column.map_floats(false, |value| body(Moment::of_value(value)) as f64);
            });
        }
        let mut column = Column::absent(frame.count());
        for (tick, time) in frame.ticks.iter().enumerate() {
            column.set(tick, body(Moment::of_time(time)) as f64);
        }
        sink(Row {
            labels: Labels::empty(),
            drop_name: false,
            column: &mut column,
        });
    }

    fn over_vectors(
        &self,
        call: &Call,
        node: Span,
        body: fn(&mut Arguments<'_>) -> Result<Vec<ColumnSeries>, crate::promql::EvalError>,
        frame: &Frame,
        sink: &mut Sink<'_>,
    ) {
        let mut arguments = self.arguments(call, node, frame);
        if call.function.sorts && frame.lasts && !arguments.is_constant {
            frame.note(&Site::new(node, node, ""), Note::SortInRange);
        }
        let result = body(&mut arguments);
        frame.absorb(arguments.errors);
        frame.absorb_annotations(arguments.annotations);
        if let Ok(series) = &result
            && call.function.keeps_name
            && merge::are_twins_unlike(series)
        {
            // Joined they would lose their name at every tick, or at none.
            self.must_part_ticks.set(true);
        }
        match result {
            // Functions of labels join even what has lost its name with what has not.
            Ok(series) if call.function.keeps_name && self.is_root(call) => {
                emit(merge::joined(series, frame), sink);
            }
            Ok(series) if call.function.keeps_name => {
                emit(merge::joined_within(series, frame), sink);
            }
            Ok(series) => emit(merge::distinct(series, frame), sink),
            Err(error) => frame.fail_all(&error.message),
        }
    }

    /// Whether a call is the whole of a query.
    fn is_root(&self, call: &Call) -> bool {
        matches!(&self.root.kind, ExprKind::Call(root) if std::ptr::eq(root, call))
    }

    /// Evaluates the arguments of a call that takes no range vector.
    fn arguments<'e>(&self, call: &'e Call, node: Span, frame: &Frame) -> Arguments<'e> {
        let values = call
            .args
            .iter()
            .map(|argument| match argument.value_type() {
                ValueType::Scalar => Argument::Scalar(self.scalar(argument, frame)),
                ValueType::String => match &argument.unwrap_parens().kind {
                    ExprKind::String(text) => Argument::String(text.clone()),
                    _ => Argument::String(String::new()),
                },
                ValueType::Vector | ValueType::Matrix => {
                    Argument::Vector(self.vector(argument, frame))
                }
            });
        Arguments {
            ticks: frame.ticks,
            values: values.collect(),
            exprs: &call.args,
            node,
            is_seen: self.is_one_moment(node, frame),
            delayed_name_removal: self.view.features.delayed_name_removal,
            query: frame.query.span(),
            is_constant: self.is_constant(node, frame),
            errors: Default::default(),
            annotations: Default::default(),
        }
    }

    fn timestamp(&self, call: &Call, frame: &Frame, sink: &mut Sink<'_>) {
        let Some(argument) = call.args.first() else {
            return;
        };
        if let ExprKind::Vector(selector) = &argument.unwrap_parens().kind {
            return self.of_samples(selector, argument.span, Take::Stamps, frame, sink);
        }
        self.without_names(argument, frame, sink, &|column| {
            for tick in 0..column.len() {
                if column.is_present(tick) {
                    column.set(tick, frame.ticks.time(tick) as f64 / 1000.0);
                }
            }
            true
        });
    }

    /// There is nothing to say of samples that were computed.
    fn start_timestamp(&self, call: &Call, frame: &Frame, sink: &mut Sink<'_>) {
        if let Some(argument) = call.args.first()
            && let ExprKind::Vector(selector) = &argument.unwrap_parens().kind
        {
            self.of_samples(selector, argument.span, Take::Starts, frame, sink);
        }
    }

    /// Streams what is taken of the samples of a selector.
    fn of_samples(
        &self,
        selector: &VectorSelector,
        node: Span,
        take: Take,
        frame: &Frame,
        sink: &mut Sink<'_>,
    ) {
        let mut series = Vec::new();
        self.vector_selector(selector, node, frame, take, &mut |row: Row<'_>| {
            let labels = match row.drop_name {
                true => row.labels,
                false => row.labels.without_metadata(),
            };
            series.push(ColumnSeries {
                labels,
                drop_name: row.drop_name,
                column: std::mem::take(row.column),
            });
        });
        emit(merge::distinct(series, frame), sink);
    }

    fn absent_over_time(&self, call: &Call, frame: &Frame, sink: &mut Sink<'_>) {
        let Some(argument) = call.args.first() else {
            return;
        };
        let mut column = Column::constant(frame.count(), 1.0);
        self.ranges(argument, Samples::Any, frame, &mut |range| {
            for (tick, (first, past)) in range.bounds.iter().enumerate() {
                if first < past {
                    column.clear(tick);
                }
            }
        });
        if column.has_any() {
            sink(Row {
                labels: labels_of_absence(argument.unwrap_parens()),
                drop_name: false,
                column: &mut column,
            });
        }
    }

    /// A range function: the kernel fills the column of each series of its range vector.
    fn over_windows(
        &self,
        call: &Call,
        node: Span,
        kernel: Kernel,
        frame: &Frame,
        sink: &mut Sink<'_>,
    ) {
        let (ranges, scalars): (Vec<&Expr>, Vec<&Expr>) = call
            .args
            .iter()
            .partition(|argument| argument.value_type() == ValueType::Matrix);
        let (Some(&argument), Some(first)) = (ranges.first(), call.args.first()) else {
            return;
        };
        let params: Vec<Column> = scalars
            .into_iter()
            .map(|scalar| self.scalar(scalar, frame))
            .collect();
        if let Some(validate) = kernel.validate {
            let ticks = self.ticks_with_samples(argument, frame);
            validate_ticks(&params, validate, ticks, frame);
        }
        let naming = Naming {
            function: call.function,
            delayed: self.view.features.delayed_name_removal,
        };
        let streamed =
            naming.delayed || call.function.keeps_name || self.is_unique_without_name(argument);
        let mut kept: Vec<ColumnSeries> = Vec::new();
        let mut column = Column::default();
        self.ranges(argument, kernel.samples, frame, &mut |range| {
            column.reset(frame.count());
            let notes = Notes::new(frame.annotations(), node, first, range.labels);
            if range.ignores_histograms {
                notes.add(Note::HistogramsIgnoredInRange);
            }
            let windows = range.windows(frame.ticks, &params, notes);
            match kernel.body {
                KernelBody::Column(fill) => fill(&windows, &mut column),
                KernelBody::EachWindow(body) => {
                    windows.fill(&mut column, |window| Some(body(window)))
                }
            }
            if !column.has_any() {
                return;
            }
            if call.function.wants_counter
                && column.has_floats()
                && let Some(note) = self.doubt_counter(range.labels)
            {
                notes.add(note);
            }
            let (labels, drop_name) = naming.of(range.labels, range.drop_name);
            match streamed {
                true => sink(Row {
                    labels,
                    drop_name,
                    column: &mut column,
                }),
                false => kept.push(ColumnSeries {
                    labels,
                    drop_name,
                    column: std::mem::take(&mut column),
                }),
            }
        });
        emit(merge::distinct_ranges(kept, frame), sink);
    }
}

impl Evaluator<'_> {
    /// Why a series is perhaps no counter: its name does not end in the way of counters, or where types are labels, it has
    /// another type. Nothing is said of series without a name.
    fn doubt_counter<'l>(&self, labels: &'l Labels) -> Option<Note<'l>> {
        const ENDINGS: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];
        const TYPES: [&str; 2] = ["counter", "histogram"];
        let metric = labels.metric();
        if metric.is_empty() {
            return None;
        }
        if self.view.features.type_and_unit_labels {
            let found = labels.value("__type__");
            return (!TYPES.contains(&found)).then_some(Note::PossibleNonCounterType(found));
        }
        let is_called_like_one = ENDINGS.iter().any(|ending| metric.ends_with(ending));
        (!is_called_like_one).then_some(Note::PossibleNonCounter)
    }
}

/// Why a function can't take the extended window that it is given, if it is.
fn refused_extension(call: &Call) -> Option<String> {
    call.args
        .iter()
        .find_map(|argument| match &argument.unwrap_parens().kind {
            ExprKind::Matrix(matrix) => refuse_extension(call.function, matrix.selector.extension?),
            _ => None,
        })
}

/// What a range function calls its results.
struct Naming {
    function: &'static Function,
    delayed: bool,
}

impl Naming {
    fn of(&self, labels: &Labels, drop_name: bool) -> (Labels, bool) {
        match (self.function.keeps_name, self.delayed) {
            (true, _) => (labels.clone(), drop_name),
            (false, true) => (labels.clone(), true),
            (false, false) => (labels.without_metadata(), false),
        }
    }
}

fn validate_ticks(params: &[Column], validate: Validate, ticks: Vec<bool>, frame: &Frame) {
    for tick in (0..frame.count()).filter(|&tick| ticks[tick]) {
        let given: Vec<f64> = params.iter().map(|param| param.values()[tick]).collect();
        if let Err(message) = validate(&given) {
            frame.fail(tick, || message);
        }
    }
}

impl Column {
    /// Turns every histogram into a float; floats go.
    fn map_histograms(&mut self, body: fn(&crate::model::Histogram) -> f64) {
        for tick in 0..self.len() {
            let value = match self.get(tick) {
                Some(Sample::Histogram(histogram)) => Some(body(histogram)),
                _ => None,
            };
            match value {
                Some(value) => self.set(tick, value),
                None => self.clear(tick),
            }
        }
    }
}
