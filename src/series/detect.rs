//! Which format a text of series has, by what it begins with.

use super::csv::header::delimiter_of_time;

/// A format that series are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// OpenMetrics or the Prometheus text format.
    Exposition,
    /// Answers of Prometheus's HTTP API.
    Json,
    /// A table with a header.
    Csv,
}

/// The format of a text. What looks like none of the others is taken for an exposition format, which says best what is
/// wrong with a line.
pub(super) fn format(text: &str) -> Format {
    let text = text.trim_start();
    if is_json(text) {
        return Format::Json;
    }
    match is_table(text.lines().next().unwrap_or_default()) {
        true => Format::Csv,
        false => Format::Exposition,
    }
}

/// Whether a text begins with a list, or with an object: a series too may begin with a brace and a quote, but no colon
/// follows in it.
fn is_json(text: &str) -> bool {
    let Some(inside) = text.strip_prefix('{') else {
        return text.starts_with('[');
    };
    let inside = inside.trim_start();
    let Some(key) = inside.strip_prefix('"') else {
        return inside.is_empty() || inside.starts_with('}');
    };
    let mut escaped = false;
    let end = key.find(|c: char| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    // A text that ends here was cut off.
    let after = end.map_or("", |end| key.get(end + 1..).unwrap_or_default());
    after.trim_start().is_empty() || after.trim_start().starts_with(':')
}

/// Whether a first line is one of a table: a cell of it names the time, or there are commas outside of braces, which no
/// sample has.
fn is_table(line: &str) -> bool {
    if line.starts_with('#') {
        return false;
    }
    let before_braces = line.split('{').next().unwrap_or_default();
    line.starts_with("sep=")
        || delimiter_of_time(line).is_some()
        || before_braces.contains([',', ';'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_their_beginning() {
        for (text, expected) in [
            ("", Format::Exposition),
            ("# EOF\n", Format::Exposition),
            ("m{a=\"x,y\"} 1 2\n", Format::Exposition),
            ("{\"m\",a=\"b\"} 1 2", Format::Exposition),
            ("{\"m\"} 1 2", Format::Exposition),
            ("{\"a\\\":\"} 1 2", Format::Exposition),
            ("{a=\"b\"} 1 2", Format::Exposition),
            ("m\t1\t1000", Format::Exposition),
            ("# time,value\nm 1 2", Format::Exposition),
            ("{\"status\" :", Format::Json),
            ("\n {\n \"status\"\n: 1", Format::Json),
            ("{}", Format::Json),
            ("{\"sta", Format::Json),
            ("{", Format::Json),
            ("[]", Format::Json),
            ("time,up", Format::Csv),
            ("\"Time\",\"{a=\"\"b\"\"}\"", Format::Csv),
            ("up;timestamp", Format::Csv),
            ("metric\tvalue\ttime", Format::Csv),
            ("time", Format::Csv),
            ("when,value\n", Format::Csv),
            ("sep=;\nTime;a", Format::Csv),
        ] {
            assert_eq!(format(text), expected, "{text:?}");
        }
    }
}
