//! Answers as Prometheus's HTTP API gives them, written as they are read, without a tree between.
//!
//! `{"status": "success", "data": …, "warnings": […], "infos": […]}` or `{"status": "error", "errorType", "error"}`. The
//! data of a query is `{"resultType": vector|matrix|scalar|string, "result": …}`: times in seconds with up to three
//! places, values as texts, native histograms with the buckets that hold something.

use std::borrow::Cow;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

use crate::model::bytes::shown;
use crate::model::number::{format_json, format_value};
use crate::model::{Bucket, Histogram, Labels, Timestamp};
use crate::promql::{Column, ColumnSeries, Columns, Evaluated, Sample, Ticks};
use crate::store::Points;

/// One answer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer<T> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<ErrorType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    infos: Vec<String>,
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorType {
    /// It took too long.
    Timeout,
    /// Whoever asked went away, or the server stops.
    Canceled,
    /// The query failed over the data.
    Execution,
    /// The request makes no sense.
    BadData,
    /// A fault of this program.
    Internal,
    /// Not now.
    Unavailable,
    /// There is no such thing.
    NotFound,
}

impl<T: Serialize> Answer<T> {
    /// An answer with its data.
    pub fn success(data: T) -> Answer<T> {
        Answer {
            status: "success",
            data: Some(data),
            error_type: None,
            error: None,
            warnings: Vec::new(),
            infos: Vec::new(),
        }
    }

    /// The same answer with what is to be said about it.
    pub fn with_notes(self, warnings: Vec<String>, infos: Vec<String>) -> Answer<T> {
        Answer {
            warnings,
            infos,
            ..self
        }
    }

    /// The answer as JSON without a newline.
    pub fn json(&self) -> Vec<u8> {
        // Texts, numbers and lists of them can't fail to be written to memory.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The same, or `None` if somebody sets `stop` meanwhile: millions of samples take seconds to write.
    pub fn json_unless(&self, stop: &AtomicBool) -> Option<Vec<u8>> {
        let mut out = Stoppable {
            text: Vec::new(),
            stop,
        };
        serde_json::to_writer(&mut out, self).ok()?;
        Some(out.text)
    }
}

/// Memory that takes no more text once it is told to stop.
struct Stoppable<'s> {
    text: Vec<u8>,
    stop: &'s AtomicBool,
}

impl Write for Stoppable<'_> {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        match self.stop.load(Relaxed) {
            true => Err(std::io::Error::other("stopped")),
            false => self.text.write(text),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Answer<()> {
    /// An error in Prometheus's words.
    pub fn failure(error_type: ErrorType, error: impl Into<String>) -> Answer<()> {
        Answer {
            status: "error",
            data: None,
            error_type: Some(error_type),
            error: Some(error.into()),
            warnings: Vec::new(),
            infos: Vec::new(),
        }
    }
}

/// The data of a query's answer.
#[derive(Debug, Clone, Serialize)]
pub struct QueryData<'r> {
    #[serde(rename = "resultType")]
    result_type: &'static str,
    result: QueryResult<'r>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum QueryResult<'r> {
    Vector(Vec<VectorElement<'r>>),
    Matrix(Vec<MatrixElement<'r>>),
    Scalar(Seconds, String),
    String(Seconds, Cow<'r, str>),
}

/// One series of an instant query.
#[derive(Debug, Clone, Serialize)]
struct VectorElement<'r> {
    metric: Metric<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<(Seconds, Float)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    histogram: Option<(Seconds, Buckets<'r>)>,
}

/// One series of a range query or of an instant query that yields windows.
#[derive(Debug, Clone, Serialize)]
struct MatrixElement<'r> {
    metric: Metric<'r>,
    #[serde(skip_serializing_if = "Floats::is_empty")]
    values: Floats<'r>,
    #[serde(skip_serializing_if = "Histograms::is_empty")]
    histograms: Histograms<'r>,
}

impl<'r> QueryData<'r> {
    /// What an instant query evaluated to; of several ticks the first counts.
    pub fn instant(evaluated: &'r Evaluated, time: Timestamp) -> QueryData<'r> {
        let (result_type, result) = match evaluated {
            Evaluated::Vector(columns) => {
                let series = columns.series.iter();
                let elements = series.filter_map(|series| VectorElement::new(series, time));
                ("vector", QueryResult::Vector(elements.collect()))
            }
            Evaluated::Scalar(columns) => {
                let text = format_value(first_float(columns).unwrap_or(f64::NAN));
                ("scalar", QueryResult::Scalar(Seconds(time), text))
            }
            Evaluated::String(text) => ("string", QueryResult::String(Seconds(time), shown(text))),
        };
        QueryData {
            result_type,
            result,
        }
    }

    /// What a range query evaluated to, one entry a series; texts have no series.
    pub fn range(evaluated: &'r Evaluated) -> QueryData<'r> {
        match evaluated {
            Evaluated::Vector(columns) | Evaluated::Scalar(columns) => {
                let series = columns.series.iter();
                QueryData::matrix(series.map(|series| {
                    let run = Run::Column(&series.column, columns.ticks);
                    MatrixElement::new(&series.labels, run)
                }))
            }
            Evaluated::String(_) => QueryData::matrix(std::iter::empty()),
        }
    }

    /// What an instant query for windows evaluated to.
    pub fn windows(series: &'r [(Labels, Points)]) -> QueryData<'r> {
        let series = series.iter();
        QueryData::matrix(
            series.map(|(labels, points)| MatrixElement::new(labels, Run::Points(points))),
        )
    }

    fn matrix(elements: impl Iterator<Item = MatrixElement<'r>>) -> QueryData<'r> {
        QueryData {
            result_type: "matrix",
            result: QueryResult::Matrix(elements.collect()),
        }
    }
}

fn first_float(columns: &Columns) -> Option<f64> {
    match columns.series.first()?.column.get(0)? {
        Sample::Float(value) => Some(value),
        Sample::Histogram(_) => None,
    }
}

impl<'r> VectorElement<'r> {
    fn new(series: &'r ColumnSeries, time: Timestamp) -> Option<VectorElement<'r>> {
        let (value, histogram) = match series.column.get(0)? {
            Sample::Float(value) => (Some((Seconds(time), Float(value))), None),
            Sample::Histogram(histogram) => (None, Some((Seconds(time), Buckets(histogram)))),
        };
        Some(VectorElement {
            metric: Metric(&series.labels),
            value,
            histogram,
        })
    }
}

impl<'r> MatrixElement<'r> {
    fn new(labels: &'r Labels, run: Run<'r>) -> MatrixElement<'r> {
        MatrixElement {
            metric: Metric(labels),
            values: Floats(run),
            histograms: Histograms(run),
        }
    }
}

/// Labels as a mapping, in their order.
#[derive(Debug, Clone, Copy)]
pub struct Metric<'r>(pub &'r Labels);

/// A moment in seconds: as many places as it takes, at most three.
#[derive(Debug, Clone, Copy)]
pub struct Seconds(pub Timestamp);

/// A value as a text: the shortest digits that read back the same, with an exponent below 1e-6 and from 1e21 on.
#[derive(Debug, Clone, Copy)]
pub struct Float(pub f64);

/// A native histogram: `{"count", "sum", "buckets": [[boundaries, lower, upper, count], …]}`.
///
/// Boundaries: 0 only the upper belongs to the bucket, 1 only the lower, 2 neither, 3 both.
#[derive(Debug, Clone, Copy)]
pub struct Buckets<'r>(pub &'r Histogram);

/// Samples of one series, of which some are floats and some histograms.
#[derive(Debug, Clone, Copy)]
enum Run<'r> {
    Column(&'r Column, Ticks),
    Points(&'r Points),
}

#[derive(Debug, Clone, Copy)]
struct Floats<'r>(Run<'r>);

#[derive(Debug, Clone, Copy)]
struct Histograms<'r>(Run<'r>);

impl<'r> Run<'r> {
    fn len(self) -> usize {
        match self {
            Run::Column(column, _) => column.len(),
            Run::Points(points) => points.len(),
        }
    }

    fn has_histograms(self) -> bool {
        match self {
            Run::Column(column, _) => column.has_histograms(),
            Run::Points(points) => points.has_histograms(),
        }
    }

    fn get(self, index: usize) -> Option<(Seconds, Sample<'r>)> {
        match self {
            Run::Column(column, ticks) => Some((Seconds(ticks.time(index)), column.get(index)?)),
            Run::Points(points) => {
                let sample = match points.histogram(index) {
                    Some(histogram) => Sample::Histogram(histogram),
                    None => Sample::Float(*points.values().get(index)?),
                };
                Some((Seconds(points.time(index)), sample))
            }
        }
    }

    fn iter(self) -> impl Iterator<Item = (Seconds, Sample<'r>)> {
        (0..self.len()).filter_map(move |index| self.get(index))
    }
}

impl<'r> Floats<'r> {
    fn iter(&self) -> impl Iterator<Item = (Seconds, Float)> + use<'r> {
        self.0.iter().filter_map(|(at, sample)| match sample {
            Sample::Float(value) => Some((at, Float(value))),
            Sample::Histogram(_) => None,
        })
    }

    fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl<'r> Histograms<'r> {
    fn iter(&self) -> impl Iterator<Item = (Seconds, Buckets<'r>)> + use<'r> {
        self.0.iter().filter_map(|(at, sample)| match sample {
            Sample::Float(_) => None,
            Sample::Histogram(histogram) => Some((at, Buckets(histogram))),
        })
    }

    fn is_empty(&self) -> bool {
        !self.0.has_histograms() || self.iter().next().is_none()
    }
}

impl Serialize for Floats<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl Serialize for Histograms<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl Serialize for Metric<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let labels = self.0.iter();
        serializer.collect_map(labels.map(|(name, value)| (shown(name), shown(value))))
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 1000 {
            0 => serializer.serialize_i64(self.0 / 1000),
            // The shortest digits of the nearest float are the milliseconds again for 30,000 years.
            _ => serializer.serialize_f64(self.0 as f64 / 1000.0),
        }
    }
}

impl Serialize for Float {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_json(self.0))
    }
}

impl Serialize for Buckets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("count", &Float(self.0.count))?;
        map.serialize_entry("sum", &Float(self.0.sum))?;
        if self.filled().next().is_some() {
            map.serialize_entry("buckets", &Filled(*self))?;
        }
        map.end()
    }
}

impl<'r> Buckets<'r> {
    fn filled(self) -> impl Iterator<Item = Bucket> + use<'r> {
        self.0.all().filter(|bucket| bucket.count != 0.0)
    }
}

/// The buckets that hold something.
struct Filled<'r>(Buckets<'r>);

impl Serialize for Filled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for bucket in self.0.filled() {
            let boundaries = match (bucket.lower_inclusive, bucket.upper_inclusive) {
                (false, true) => 0,
                (true, false) => 1,
                (false, false) => 2,
                (true, true) => 3,
            };
            list.serialize_element(&(
                boundaries,
                Float(bucket.lower),
                Float(bucket.upper),
                Float(bucket.count),
            ))?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::series::notation::parse_histogram;

    fn json(data: QueryData<'_>) -> String {
        String::from_utf8_lossy(&Answer::success(data).json()).into_owned()
    }

    fn columns(column: Column, ticks: Ticks) -> Columns {
        Columns {
            series: vec![ColumnSeries {
                labels: Labels::from_pairs([("__name__", "m"), ("a", "<\"é")]),
                drop_name: false,
                column,
            }],
            ..Columns::new(ticks)
        }
    }

    #[test]
    fn vectors() {
        let time = 1_700_000_000_120;
        let constant = |value| columns(Column::constant(1, value), Ticks::instant(time));
        assert_eq!(
            json(QueryData::instant(&Evaluated::Vector(constant(1e-7)), time)),
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"m","a":"<\"é"},"value":[1700000000.12,"1e-07"]}]}}"#
        );
        assert_eq!(
            json(QueryData::instant(&Evaluated::Scalar(constant(1e-7)), -5)),
            r#"{"status":"success","data":{"resultType":"scalar","result":[-0.005,"0.0000001"]}}"#
        );
        assert_eq!(
            json(QueryData::instant(
                &Evaluated::String("a\nb".to_owned()),
                2000
            )),
            r#"{"status":"success","data":{"resultType":"string","result":[2,"a\nb"]}}"#
        );
        let none = Evaluated::Vector(Columns::new(Ticks::instant(time)));
        assert_eq!(
            json(QueryData::instant(&none, time)),
            r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#
        );
    }

    #[test]
    fn matrices_hold_floats_and_histograms() {
        let text =
            "{{schema:0 sum:3.5 count:7 z_bucket:1 z_bucket_w:0.5 buckets:[2 0 1] n_buckets:[3]}}";
        let histogram = parse_histogram(text).map(Arc::new);
        let mut column = Column::absent(4);
        column.set(0, f64::NEG_INFINITY);
        column.set(2, f64::NAN);
        if let Ok(histogram) = histogram {
            column.set_histogram(3, histogram);
        }
        let ticks = Ticks {
            start: 1000,
            step: 250,
            count: 4,
        };
        let evaluated = Evaluated::Vector(columns(column, ticks));
        assert_eq!(
            json(QueryData::range(&evaluated)),
            concat!(
                r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"m","a":"<\"é"},"#,
                r#""values":[[1,"-Inf"],[1.5,"NaN"]],"histograms":[[1.75,{"count":"7","sum":"3.5","buckets":"#,
                r#"[[1,"-1","-0.5","3"],[3,"-0.5","0.5","1"],[0,"0.5","1","2"],[0,"2","4","1"]]}]]}]}}"#
            )
        );
        let mut points = Points::default();
        points.push(7, 1e21);
        assert_eq!(
            json(QueryData::windows(&[(Labels::empty(), points)])),
            r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[0.007,"1e+21"]]}]}}"#
        );
    }

    #[test]
    fn errors_and_notes() {
        let error = Answer::failure(ErrorType::BadData, "no \"query\"");
        assert_eq!(
            String::from_utf8_lossy(&error.json()),
            r#"{"status":"error","errorType":"bad_data","error":"no \"query\""}"#
        );
        let noted = Answer::success(["a"])
            .with_notes(vec!["careful".to_owned()], vec!["by the way".to_owned()]);
        assert_eq!(
            String::from_utf8_lossy(&noted.json()),
            r#"{"status":"success","data":["a"],"warnings":["careful"],"infos":["by the way"]}"#
        );
    }

    #[test]
    fn what_nobody_waits_for_is_not_written() {
        let answer = Answer::success(["a"]);
        let unless = |stop| answer.json_unless(&AtomicBool::new(stop));
        assert_eq!(unless(false), Some(answer.json()));
        assert_eq!(unless(true), None);
    }
}
