//! What PromQL has for what is only in MetricsQL, VictoriaMetrics's language.

/// Functions and aggregations that have something near in PromQL.
const ADVICE: [(&str, &str); 47] = [
    (
        "alias",
        "`label_replace(v, \"__name__\", \"name\", \"\", \"\")`",
    ),
    ("any", "`topk by (…) (1, v)` or `max by (…) (v)`"),
    ("ascent_over_time", "a recording rule of its growth"),
    ("bitmap_and", "arithmetic with `%` and `floor`"),
    ("count_eq_over_time", "`count_over_time((v == x)[5m:])`"),
    ("count_gt_over_time", "`count_over_time((v > x)[5m:])`"),
    ("count_le_over_time", "`count_over_time((v <= x)[5m:])`"),
    ("count_ne_over_time", "`count_over_time((v != x)[5m:])`"),
    ("default_rollup", "the selector alone"),
    ("deriv_fast", "`deriv(v[5m])`"),
    ("distinct", "`count(count_values(\"value\", v))`"),
    ("geomean", "`exp(avg(ln(v)))`"),
    ("geomean_over_time", "`exp(avg_over_time(ln(v)[5m:]))`"),
    (
        "histogram_share",
        "`histogram_fraction(0, x, h)`, or the bucket `le=\"x\"` over the count",
    ),
    ("increase_prometheus", "`increase(v[5m])`"),
    ("increase_pure", "`increase(v[5m])`"),
    (
        "integrate",
        "`sum_over_time(v[5m])` times the time between samples",
    ),
    ("interpolate", "`avg_over_time(v[5m])`"),
    ("keep_last_value", "`last_over_time(v[5m])`"),
    (
        "label_copy",
        "`label_replace(v, \"to\", \"$1\", \"from\", \"(.*)\")`",
    ),
    (
        "label_del",
        "`label_replace(v, \"name\", \"\", \"\", \"\")`, or `sum without (name) (v)`",
    ),
    ("label_keep", "`sum by (name) (v)`"),
    (
        "label_lowercase",
        "labels that are in lower case when they are scraped",
    ),
    ("label_map", "a `label_replace` for each value"),
    ("label_match", "a matcher: `v{name=~\"…\"}`"),
    ("label_mismatch", "a matcher: `v{name!~\"…\"}`"),
    (
        "label_move",
        "`label_replace` twice: once to the new name, once to nothing",
    ),
    (
        "label_set",
        "`label_replace(v, \"name\", \"value\", \"\", \"\")`",
    ),
    (
        "label_transform",
        "`label_replace(v, \"name\", \"$1…\", \"name\", \"…\")`",
    ),
    (
        "lag",
        "`time() - timestamp(v)`, or `time() - ts_of_last_over_time(v[5m])`",
    ),
    (
        "lifetime",
        "`count_over_time(v[5m])` times the time between samples",
    ),
    ("limit_offset", "`limitk(n, v)`"),
    ("median", "`quantile(0.5, v)`"),
    ("median_over_time", "`quantile_over_time(0.5, v[5m])`"),
    ("mode", "`topk(1, count_values(\"value\", v))`"),
    ("now", "`time()`"),
    (
        "range_over_time",
        "`max_over_time(v[5m]) - min_over_time(v[5m])`",
    ),
    ("rate_over_sum", "`sum_over_time(v[5m]) / 300`"),
    (
        "rollup",
        "`min_over_time`, `max_over_time` and `avg_over_time`",
    ),
    ("rollup_rate", "`rate(v[5m])`"),
    ("rollup_increase", "`increase(v[5m])`"),
    ("share", "`v / ignoring (…) group_left sum without (…) (v)`"),
    ("share_gt_over_time", "`avg_over_time((v > bool x)[5m:])`"),
    ("share_le_over_time", "`avg_over_time((v <= bool x)[5m:])`"),
    ("share_eq_over_time", "`avg_over_time((v == bool x)[5m:])`"),
    ("union", "`a or b`"),
    (
        "zscore",
        "`(v - avg(v)) / stddev(v)`, with labels of both sides matched",
    ),
];

/// Those that have nothing near.
const OTHERS: [&str; 92] = [
    "aggr_over_time",
    "bitmap_or",
    "bitmap_xor",
    "bottomk_avg",
    "bottomk_last",
    "bottomk_max",
    "bottomk_median",
    "bottomk_min",
    "buckets_limit",
    "count_values_over_time",
    "decreases_over_time",
    "delta_prometheus",
    "descent_over_time",
    "distinct_over_time",
    "drop_common_labels",
    "drop_empty_series",
    "duration_over_time",
    "histogram",
    "histogram_over_time",
    "hoeffding_bound_lower",
    "hoeffding_bound_upper",
    "increases_over_time",
    "iqr_over_time",
    "keep_next_value",
    "label_graphite_group",
    "label_uppercase",
    "label_value",
    "labels_equal",
    "mad",
    "mode_over_time",
    "outlier_iqr_over_time",
    "outliers_iqr",
    "outliers_mad",
    "outliersk",
    "prometheus_buckets",
    "quantiles",
    "quantiles_over_time",
    "rand",
    "rand_exponential",
    "rand_normal",
    "range_avg",
    "range_first",
    "range_last",
    "range_linear_regression",
    "range_mad",
    "range_max",
    "range_median",
    "range_min",
    "range_normalize",
    "range_quantile",
    "range_stddev",
    "range_stdvar",
    "range_sum",
    "range_trim_outliers",
    "range_trim_spikes",
    "range_trim_zscore",
    "range_zscore",
    "rate_prometheus",
    "remove_resets",
    "rollup_candlestick",
    "rollup_delta",
    "rollup_deriv",
    "rollup_scrape_interval",
    "ru",
    "running_avg",
    "running_max",
    "running_min",
    "running_sum",
    "scrape_interval",
    "smooth_exponential",
    "sort_by_label_numeric",
    "sort_by_label_numeric_desc",
    "stale_samples_over_time",
    "sum2",
    "sum2_over_time",
    "sum_eq_over_time",
    "sum_gt_over_time",
    "sum_le_over_time",
    "tfirst_over_time",
    "timestamp_with_name",
    "timezone_offset",
    "tlast_change_over_time",
    "tlast_over_time",
    "tmax_over_time",
    "tmin_over_time",
    "topk_avg",
    "topk_last",
    "topk_max",
    "topk_median",
    "topk_min",
    "ttf",
    "zscore_over_time",
];

/// What to write instead of a function that only MetricsQL has.
pub(super) fn function(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let whose = format!("`{name}` is a function of MetricsQL, which PromQL does not have");
    if let Some((_, advice)) = ADVICE.iter().find(|(known, _)| *known == lower) {
        return Some(format!("{whose}: write {advice}"));
    }
    let is_known = OTHERS.contains(&lower.as_str());
    is_known.then(|| format!("{whose}; it has nothing like it"))
}

/// What to write instead of a word of MetricsQL between two operands.
pub(super) fn operator(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "default" => {
            "`default` is MetricsQL's: write `a or b`, with labels of `b` that are those of `a`"
        }
        "if" => "`if` is MetricsQL's: write `a and b`",
        "ifnot" => "`ifnot` is MetricsQL's: write `a unless b`",
        "keep_metric_names" => {
            "`keep_metric_names` is MetricsQL's: remove it, or give the result a name with `label_replace`"
        }
        "limit" => "`limit` is MetricsQL's: write `limitk(n, …)`",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::{aggregations, functions};

    #[test]
    fn promql_has_none_of_them() {
        let names = ADVICE.iter().map(|(name, _)| *name).chain(OTHERS);
        let own = || {
            let functions = functions::functions().map(|row| row.name);
            functions.chain(aggregations::AGGREGATIONS.iter().map(|row| row.name))
        };
        for name in names {
            assert!(own().all(|own| own != name), "{name}");
            assert!(function(name).is_some());
        }
        assert_eq!(function("rate"), None);
    }
}
