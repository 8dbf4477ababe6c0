//! The shapes of rules until the rules room has them.

use crate::model::Millis;
use crate::promql::Query;
use crate::rules::template::Template;

#[derive(Debug, Clone)]
pub struct RuleGroup {
    pub name: String,
    pub interval: Option<Millis>,
    pub query_offset: Option<Millis>,
    pub limit: usize,
    pub rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
pub struct Rule {
    pub name: String,
    pub expr: Query,
    pub kind: RuleKind,
}

#[derive(Debug, Clone)]
pub enum RuleKind {
    Recording { labels: Vec<(String, String)> },
    Alert(AlertRule),
}

#[derive(Debug, Clone)]
pub struct AlertRule {
    pub hold: Millis,
    pub keep_firing_for: Millis,
    pub labels: Vec<(String, Template)>,
    pub annotations: Vec<(String, Template)>,
}
