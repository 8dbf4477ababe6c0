//! Series made from a description: gauges, counters, requests and histograms that follow a level through events.
//!
//! # The same everywhere
//!
//! A generator makes the same bytes on every run, on every machine, with any number of threads, and in every version to
//! come: tests are written against its values, so a change of them is a breaking change. For this
//!
//! * chance is ChaCha8 (D. J. Bernstein; 64-bit block counter) with the key `seed` and xxHash64, with the seed 0, of the
//!   labels as Prometheus writes them (of requests and histograms those that all their series have, with the metric's
//!   name), both in 8 bytes, low ones first, and 16 bytes of 0. Stream 0 makes noise, stream 1
//!   counts. A number in `[0, 1)` is the upper 53 bits of the next 64, divided by 2^53;
//! * what a generator makes of one set of labels hangs on no other set;
//! * elementary functions are those of `libm`, never the platform's; everything else is IEEE 754 arithmetic in the order in
//!   which it is written here.
//!
//! # The rules of time
//!
//! Times count from the first sample of the [`Grid`]. An event covers `[at, until)`. A gauge has the level in force at the
//! time of its sample; the increment of a counter that ends at a sample is made by the rate in force at the sample before.
//! Of two events that say the same thing at one time, the one that was written later counts.

mod chance;
mod growth;
mod histogram;
mod level;
mod log_normal;
mod presence;
mod profile;

use std::collections::HashMap;

use rayon::prelude::*;

pub use self::histogram::{MAX_NATIVE_BUCKETS, native_buckets};
pub use self::level::{DAY, Season, Turn, Window};
pub use self::log_normal::LogNormal;

use self::chance::Chance;
use self::profile::Profile;
use crate::model::number::format_general;
use crate::model::{Labels, METRIC_NAME, Millis, Timestamp};
use crate::store::Points;

/// The times of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// The first sample.
    pub start: Timestamp,
    /// From one sample to the next; above 0.
    pub interval: Millis,
    /// No sample is later.
    pub end: Timestamp,
}

/// The description of some series that differ in their labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Generator {
    /// A set for each, with the metric's name; what a kind makes several series of has this in common.
    pub series: Vec<Labels>,
    /// What is made.
    pub kind: Kind,
    /// The value of a gauge, or how much is counted in a day: what people write by the second, minute or hour comes out
    /// exactly that way.
    pub level: f64,
    /// How the level comes and goes.
    pub season: Option<Season>,
    /// By which share of itself a value or an increment is off at most, 0 to 1, each as likely as the other.
    pub noise: f64,
    /// What is counted.
    pub counts: Counts,
    /// What makes the chance of this generator another one.
    pub seed: u64,
    /// What happens, in the order in which it was written.
    pub events: Vec<Event>,
}

/// What a [`Generator`] makes of a set of labels.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A value that rises and falls.
    Gauge,
    /// A value that grows.
    Counter {
        /// Its first value.
        start: f64,
    },
    /// Two counters: of which some are errors.
    Requests {
        /// Which share are errors.
        error_ratio: f64,
        /// How they are told apart.
        errors: Errors,
    },
    /// A classic histogram: `_bucket`, `_sum` and `_count`.
    Classic {
        /// What is observed.
        latency: LogNormal,
        /// Upper bounds of the buckets, rising, without `+Inf`.
        bounds: Vec<f64>,
    },
    /// A native histogram with exponential buckets.
    Native {
        /// What is observed.
        latency: LogNormal,
        /// Its resolution, -4 to 8.
        schema: i32,
    },
}

/// How [`Kind::Requests`] tells errors from the rest.
#[derive(Debug, Clone, PartialEq)]
pub enum Errors {
    /// By labels of the same metric.
    Labels {
        /// What all others have besides.
        good: Vec<(String, String)>,
        /// What errors have besides.
        bad: Vec<(String, String)>,
    },
    /// By a metric of their own; the first counts all.
    Metric(String),
}

/// What a counter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counts {
    /// What is expected, fractions too: rate times time.
    #[default]
    Expected,
    /// Whole numbers that vary as those of events do which know nothing of each other.
    Poisson,
}

/// Something that happens to series.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub window: Window,
    /// Only to series with one of these values of each of these labels.
    pub only: Vec<(String, Vec<String>)>,
    /// What.
    pub change: Change,
}

/// What an [`Event`] does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// To the value of a gauge, or the amount counted in a day.
    Level(Turn),
    /// To the share of errors.
    ErrorRatio(Turn),
    /// Other latencies, at once or little by little up to the end of the window.
    Latency {
        /// What is observed then.
        to: LogNormal,
        /// Whether it comes to that little by little.
        ramp: bool,
    },
    /// No samples.
    Gap,
    /// A stale marker, then no samples.
    Stale,
    /// At the first sample of the window a counter begins at 0 again.
    Reset,
}

impl Grid {
    /// How many samples there are.
    pub fn len(&self) -> usize {
        match self.end.checked_sub(self.start) {
            Some(length) if length >= 0 => usize::try_from(length / self.interval.max(1))
                .map_or(usize::MAX, |last| last.saturating_add(1)),
            _ => 0,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When a sample is, after the first.
    pub(self) fn after(&self, index: usize) -> Millis {
        (index as Millis).saturating_mul(self.interval)
    }

    /// The first sample at or after a time that counts from the first.
    pub(self) fn first_from(&self, at: Millis) -> usize {
        let interval = self.interval.max(1);
        let index = at.max(0) / interval + Millis::from(at.max(0) % interval != 0);
        usize::try_from(index).unwrap_or(usize::MAX)
    }
}

impl Generator {
    /// The series that it makes of one of its sets of labels.
    pub fn names(&self, series: &Labels) -> Vec<Labels> {
        let renamed =
            |ending: &str| series.with(METRIC_NAME, &format!("{}{ending}", series.metric()));
        match &self.kind {
            Kind::Gauge | Kind::Counter { .. } | Kind::Native { .. } => vec![series.clone()],
            Kind::Requests {
                errors: Errors::Labels { good, bad },
                ..
            } => vec![with_all(series, good), with_all(series, bad)],
            Kind::Requests {
                errors: Errors::Metric(name),
                ..
            } => vec![series.clone(), series.with(METRIC_NAME, name)],
            Kind::Classic { bounds, .. } => {
                let bucket = renamed("_bucket");
                let ends = bounds
                    .iter()
                    .map(|&bound| bound_text(bound))
                    .chain(["+Inf".to_owned()]);
                let buckets = ends.map(|end| bucket.with("le", &end));
                buckets
                    .chain([renamed("_sum"), renamed("_count")])
                    .collect()
            }
        }
    }

    /// How many samples it makes on a grid; a native histogram is as many as it has buckets.
    pub fn samples(&self, grid: &Grid) -> u64 {
        let series = match &self.kind {
            Kind::Gauge | Kind::Counter { .. } => 1,
            Kind::Requests { .. } => 2,
            Kind::Classic { bounds, .. } => bounds.len() as u64 + 3,
            Kind::Native { schema, .. } => native_buckets(&self.latencies(), *schema),
        };
        (self.series.len() as u64)
            .saturating_mul(series)
            .saturating_mul(grid.len() as u64)
    }

    /// All latencies that it comes to.
    fn latencies(&self) -> Vec<LogNormal> {
        let own = match self.kind {
            Kind::Classic { latency, .. } | Kind::Native { latency, .. } => Some(latency),
            _ => None,
        };
        let later = self.events.iter().filter_map(|event| match event.change {
            Change::Latency { to, .. } => Some(to),
            _ => None,
        });
        own.into_iter().chain(later).collect()
    }

    /// Whether two sets of labels with the same events may differ in their values.
    fn has_chance(&self) -> bool {
        self.noise > 0.0 || self.counts == Counts::Poisson
    }

    /// Which events happen to a series.
    fn events_of(&self, series: &Labels) -> Vec<usize> {
        let events = self.events.iter().enumerate();
        let meant = events.filter(|(_, event)| event.is_of(series));
        meant.map(|(index, _)| index).collect()
    }
}

impl Event {
    /// Whether it happens to a series.
    pub fn is_of(&self, series: &Labels) -> bool {
        let has = |(name, values): &(String, Vec<String>)| {
            values.iter().any(|value| series.value(name) == value)
        };
        self.only.iter().all(has)
    }
}

/// A set with more labels.
fn with_all(series: &Labels, more: &[(String, String)]) -> Labels {
    let mut labels = series.to_builder();
    for (name, value) in more {
        labels.set(name, value);
    }
    labels.build()
}

/// A bound as Prometheus writes it into `le`.
fn bound_text(bound: f64) -> String {
    match format_general(bound) {
        text if text.contains(['e', '.']) => text,
        text => format!("{text}.0"),
    }
}

/// Samples above which series are made on several threads.
const PARALLEL_SAMPLES: u64 = 20_000;

/// Makes the series of some generators, in the order of the generators, of their sets of labels and of
/// [`Generator::names`].
pub fn generate<'g>(
    generators: impl IntoIterator<Item = &'g Generator>,
    grid: &Grid,
) -> Vec<(Labels, Points)> {
    let plans: Vec<Plan<'_>> = generators
        .into_iter()
        .map(|generator| Plan::new(generator, grid))
        .collect();
    let jobs: Vec<(&Plan<'_>, usize)> = plans
        .iter()
        .flat_map(|plan| (0..plan.generator.series.len()).map(move |index| (plan, index)))
        .collect();
    let samples = plans.iter().map(|plan| plan.generator.samples(grid));
    let make = |&(plan, index): &(&Plan<'_>, usize)| plan.make(index);
    let made: Vec<Vec<(Labels, Points)>> =
        match samples.fold(0, u64::saturating_add) < PARALLEL_SAMPLES {
            true => jobs.iter().map(make).collect(),
            false => jobs.par_iter().map(make).collect(),
        };
    made.into_iter().flatten().collect()
}

/// A generator on a grid: what series have in common is found once.
struct Plan<'g> {
    generator: &'g Generator,
    grid: &'g Grid,
    courses: Vec<Course>,
    /// The course of each set of labels.
    course_of: Vec<usize>,
}

/// What sets of labels with the same events have in common.
struct Course {
    profile: Profile,
    /// Their series, where chance has no part in them.
    points: Option<Vec<Points>>,
}

impl<'g> Plan<'g> {
    fn new(generator: &'g Generator, grid: &'g Grid) -> Plan<'g> {
        let mut courses = Vec::new();
        let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
        let course_of = generator.series.iter().map(|series| {
            let events = generator.events_of(series);
            *known.entry(events).or_insert_with_key(|events| {
                let profile = Profile::new(generator, events, grid);
                let points =
                    (!generator.has_chance()).then(|| points(generator, grid, &profile, None));
                courses.push(Course { profile, points });
                courses.len() - 1
            })
        });
        let course_of = course_of.collect();
        Plan {
            generator,
            grid,
            courses,
            course_of,
        }
    }

    /// The series of one of the sets of labels.
    fn make(&self, index: usize) -> Vec<(Labels, Points)> {
        let course = self
            .course_of
            .get(index)
            .and_then(|&course| self.courses.get(course));
        let (Some(course), Some(series)) = (course, self.generator.series.get(index)) else {
            return Vec::new();
        };
        let points = match &course.points {
            Some(points) => points.clone(),
            None => {
                let chance = Chance::new(self.generator.seed, series);
                points(self.generator, self.grid, &course.profile, Some(chance))
            }
        };
        self.generator
            .names(series)
            .into_iter()
            .zip(points)
            .collect()
    }
}

/// The samples of all series of one set of labels, in the order of their names.
fn points(
    generator: &Generator,
    grid: &Grid,
    profile: &Profile,
    chance: Option<Chance>,
) -> Vec<Points> {
    let mut chance = chance.unwrap_or_else(|| Chance::new(0, &Labels::empty()));
    let rows = match &generator.kind {
        Kind::Gauge => vec![growth::gauge(generator, grid, profile, &mut chance)],
        Kind::Counter { start } => growth::counter(generator, grid, profile, &mut chance, *start),
        Kind::Requests { errors, .. } => {
            growth::requests(generator, grid, profile, &mut chance, errors)
        }
        Kind::Classic { bounds, .. } => {
            histogram::classic(generator, grid, profile, &mut chance, bounds)
        }
        Kind::Native { schema, .. } => {
            return vec![histogram::native(
                generator,
                grid,
                profile,
                &mut chance,
                *schema,
            )];
        }
    };
    rows.into_iter()
        .map(|values| profile.presence.points(grid, values))
        .collect()
}
