//! Goals, and the points of a sweep that are worth a look.
//!
//! A point is *undominated* where no other is better in something that counts and at least as good in all of it. With incidents
//! two things count: how much is found (recall; where that is equal the time to detect, and then how few pages a week it takes)
//! and how many pages are false. So a setting that misses more is not better for being quick with the rest, nor one that finds
//! nothing for being silent. What goals speak of counts, too, unless it is a part of these. The *distance* of a point
//! is how far each knob moves from its present value as a share of the range that it is swept over (its present value
//! included), added up over the knobs.

use std::collections::BTreeMap;

use super::judgement::{MEASURES, Measure, Unit};
use super::{Axis, Fit, Grid, Judgement, value};
use crate::model::Duration;
use crate::text::{Diagnostic, closest_few};

/// What a setting should reach.
#[derive(Debug, Clone)]
pub struct Goal {
    /// As it was given.
    pub text: String,
    /// What it speaks of.
    pub measure: &'static Measure,
    relation: Relation,
    bound: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

/// As they are written; those first that begin like others.
const RELATIONS: [(&str, Relation); 6] = [
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("==", Relation::Equal),
    ("<", Relation::Less),
    (">", Relation::More),
    ("=", Relation::Equal),
];

impl Goal {
    /// Reads `recall = 1`, `pages_per_week < 2`, `time_to_detect <= 5m`.
    ///
    /// # Errors
    ///
    /// What is no such thing, measures that there are not, and those that need incidents where there are none.
    pub fn parse(text: &str, has_incidents: bool) -> Result<Goal, Diagnostic> {
        let refused = |reason: String, help: String| {
            Err(Diagnostic::error(format!("goal {text:?}: {reason}")).help(help))
        };
        let at = text.find(['<', '>', '=']).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(at).unwrap_or((text, ""));
        let relation = RELATIONS
            .iter()
            .find_map(|(sign, relation)| Some((rest.strip_prefix(sign)?, *relation)));
        let name = name.trim();
        let Some((bound, relation)) = relation else {
            return refused("there is no <, <=, =, >= or >".to_owned(), FORM.to_owned());
        };
        let Some(measure) = Measure::named(name) else {
            let names: Vec<&str> = MEASURES.iter().map(|measure| measure.name).collect();
            let near = closest_few(name, &names, 2);
            let help = match near.is_empty() {
                true => format!("there are {}", names.join(", ")),
                false => format!(
                    "did you mean {}? There are {}",
                    near.join(" or "),
                    names.join(", ")
                ),
            };
            return refused(format!("there is no measure {name:?}"), help);
        };
        if measure.needs_incidents && !has_incidents {
            let help = "give --incidents with a file that says what should have been found";
            return refused(
                format!("{name} speaks of incidents, and none are given"),
                help.to_owned(),
            );
        }
        let bound = bound.trim();
        let Some(number) = bound_of(bound, measure.unit) else {
            let (what, help) = match measure.unit {
                Unit::Count => ("number", "such as 2 or 0.5"),
                Unit::Length => ("duration", "such as 5m"),
                Unit::Share => ("share", "such as 0.9 or 90%"),
            };
            return refused(
                format!("{bound:?} is no {what}"),
                format!("give a {what} {help}"),
            );
        };
        Ok(Goal {
            text: text.trim().to_owned(),
            measure,
            relation,
            bound: number,
        })
    }

    /// Whether a setting reaches it; one that has no such value does not.
    pub fn is_met(&self, judgement: &Judgement) -> bool {
        self.measure
            .of(judgement)
            .is_some_and(|value| match self.relation {
                Relation::Less => value < self.bound,
                Relation::AtMost => value <= self.bound,
                Relation::Equal => value == self.bound,
                Relation::AtLeast => value >= self.bound,
                Relation::More => value > self.bound,
            })
    }

    /// How far a setting is from what is best; less is better.
    fn cost(&self, judgement: &Judgement) -> f64 {
        let value = self.measure.of(judgement);
        value.map_or(f64::INFINITY, |value| match self.relation {
            Relation::Less | Relation::AtMost => value,
            Relation::Equal => (value - self.bound).abs(),
            Relation::AtLeast | Relation::More => -value,
        })
    }
}

const FORM: &str =
    "write MEASURE, a relation and a value, such as 'recall = 1' or 'pages_per_week < 2'";

fn bound_of(text: &str, unit: Unit) -> Option<f64> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|it| it.is_finite());
    match unit {
        Unit::Count => number(text),
        Unit::Length => Some(Duration::parse(text).ok()?.millis() as f64),
        Unit::Share => match text.strip_suffix('%') {
            Some(percent) => Some(number(percent.trim())? / 100.0),
            None => number(text),
        },
    }
}

/// The points of a sweep beside each other.
#[derive(Debug, Clone)]
pub struct Ranking {
    /// What points are compared in, in words; nothing where nothing tells better points from worse ones.
    pub compared: Vec<&'static str>,
    /// Whether each point is undominated: no other is as good in everything that is compared and better in something.
    pub undominated: Vec<bool>,
    /// Of the undominated points that score alike the nearest one; in the order of the grid.
    pub nearest: Vec<usize>,
    /// How far each point is from what is.
    pub distances: Vec<f64>,
    /// Of the points that meet every goal the nearest; none where there are no goals, too.
    pub best: Option<usize>,
}

impl Ranking {
    /// Ranks the points of a grid.
    pub fn of(grid: &Grid, judgements: &[Judgement], goals: &[Goal]) -> Ranking {
        let distances = distances(grid);
        let distance = |point: usize| distances.get(point).copied().unwrap_or(f64::INFINITY);
        let nearer = |a: &usize, b: &usize| distance(*a).total_cmp(&distance(*b)).then(a.cmp(b));
        let (compared, costs) = costs(judgements, goals);
        let mut alike: BTreeMap<Vec<Ordered>, Vec<usize>> = BTreeMap::new();
        for (point, costs) in costs.iter().enumerate() {
            let key = costs.iter().map(|cost| Ordered(cost + 0.0)).collect();
            alike.entry(key).or_default().push(point);
        }
        let (mut undominated, mut nearest) = (vec![false; judgements.len()], Vec::new());
        // In the order of costs nothing is dominated by what comes later.
        let mut front: Vec<&[Ordered]> = Vec::new();
        for (costs, points) in alike.iter().filter(|_| !compared.is_empty()) {
            let beats = |other: &&[Ordered]| other.iter().zip(costs).all(|(a, b)| a.0 <= b.0);
            if front.iter().any(beats) {
                continue;
            }
            front.push(costs);
            for point in points {
                if let Some(entry) = undominated.get_mut(*point) {
                    *entry = true;
                }
            }
            nearest.extend(points.iter().copied().min_by(nearer));
        }
        nearest.sort_unstable();
        let meets = |judgement: &Judgement| goals.iter().all(|goal| goal.is_met(judgement));
        let meeting = judgements
            .iter()
            .enumerate()
            .filter(|(_, it)| !goals.is_empty() && meets(it));
        let best = meeting.map(|(point, _)| point).min_by(nearer);
        Ranking {
            compared,
            undominated,
            nearest,
            distances,
            best,
        }
    }
}

/// A number in the order of all of them.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Ordered) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Ordered) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// What counts, and how much of it each point has, less being better.
fn costs(judgements: &[Judgement], goals: &[Goal]) -> (Vec<&'static str>, Vec<Vec<f64>>) {
    let (mut compared, mut columns): (Vec<&'static str>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    let fits: Vec<(&Judgement, &Fit)> = judgements
        .iter()
        .filter_map(|judgement| Some((judgement, judgement.fit.as_ref()?)))
        .collect();
    let has_incidents = !fits.is_empty();
    if has_incidents {
        let found = fits.iter().map(|(all, fit)| {
            let delay = fit.time_to_detect.unwrap_or(f64::INFINITY);
            [-fit.recall, delay, all.pages_per_week]
        });
        columns.push(ranks(&found.collect::<Vec<_>>()));
        columns.push(fits.iter().map(|(_, fit)| fit.false_pages as f64).collect());
        compared.extend(RANKED_BY);
    }
    for goal in goals {
        let name = goal.measure.name;
        if RANKED.contains(&name) && has_incidents {
            continue;
        }
        columns.push(judgements.iter().map(|it| goal.cost(it)).collect());
        if !compared.contains(&name) {
            compared.push(name);
        }
    }
    let of_point = |point: usize| -> Vec<f64> {
        let costs = columns.iter().filter_map(|column| column.get(point));
        costs.copied().collect()
    };
    let costs = (0..judgements.len()).map(of_point);
    (compared, costs.collect())
}

/// What points are compared in wherever incidents are known.
const RANKED_BY: [&str; 2] = [
    "recall (where equal time_to_detect, then pages_per_week)",
    "false_pages",
];

/// The measures that are in these, and those that say the same.
const RANKED: [&str; 5] = ["recall", "found", "missed", "time_to_detect", "false_pages"];

/// The place of each score in the order of all: by its first number, then by the next.
fn ranks(scores: &[[f64; 3]]) -> Vec<f64> {
    let key = |score: &[f64; 3]| score.map(|number| Ordered(number + 0.0));
    let mut order: Vec<[Ordered; 3]> = scores.iter().map(key).collect();
    order.sort_unstable();
    order.dedup();
    let place = |score| order.partition_point(|other| *other < key(score)) as f64;
    scores.iter().map(place).collect()
}

/// How far each point of a grid is from what is.
fn distances(grid: &Grid) -> Vec<f64> {
    let axes: Vec<Vec<f64>> = grid.axes().iter().map(shares).collect();
    let of_point = |point: usize| {
        let mut rest = point;
        let moved = axes.iter().rev().map(|shares| {
            let share = shares.get(rest % shares.len().max(1));
            rest /= shares.len().max(1);
            share.copied().unwrap_or(0.0)
        });
        moved.sum()
    };
    (0..grid.len()).map(of_point).collect()
}

/// How far each value of an axis is from the present one, as a share of the way between the lowest and the highest of them; 1
/// for what is no number.
fn shares(axis: &Axis) -> Vec<f64> {
    let number = |text: &str| value::quantity(text).filter(|it| it.is_finite());
    let present = number(&axis.knob.value);
    let values: Vec<Option<f64>> = axis.values.iter().map(|text| number(text)).collect();
    let all = || values.iter().chain([&present]).flatten().copied();
    let range = all().fold(f64::NEG_INFINITY, f64::max) - all().fold(f64::INFINITY, f64::min);
    let share = |(value, text): (&Option<f64>, &String)| match (value, present) {
        _ if *text == axis.knob.value => 0.0,
        (Some(value), Some(present)) if range > 0.0 => (value - present).abs() / range,
        (Some(value), Some(present)) if *value == present => 0.0,
        _ => 1.0,
    };
    values.iter().zip(&axis.values).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Fit, RuleSet};
    use super::*;
    use crate::rules::{self, ReadOptions};
    use crate::text::Source;

    fn judgement(pages: f64, recall: f64, false_pages: usize) -> Judgement {
        Judgement {
            firings: 0,
            firing: 300_000,
            longest: 0,
            instances: 0,
            flaps: 0,
            first: None,
            pages: 0,
            pages_per_week: pages,
            fit: Some(Fit {
                found: 0,
                missed: 0,
                false_pages,
                precision: None,
                recall,
                time_to_detect: Some(60_000.0),
            }),
        }
    }

    fn goal(text: &str) -> Goal {
        let goal = Goal::parse(text, true);
        goal.unwrap_or_else(|fault| panic!("{text}: {}", fault.message))
    }

    #[test]
    fn goals_are_met_or_not() {
        let judgement = judgement(2.0, 0.9, 3);
        for (text, is_met) in [
            ("pages_per_week < 2", false),
            ("pages_per_week<=2", true),
            (" pages_per_week  ==  2 ", true),
            ("pages_per_week > 1.99", true),
            ("recall = 90%", true),
            ("recall >= 0.91", false),
            ("firing <= 5m", true),
            ("firing < 5m", false),
            ("time_to_detect = 1m", true),
            // There is no such value, whatever is asked for.
            ("precision >= 0", false),
        ] {
            assert_eq!(goal(text).is_met(&judgement), is_met, "{text}");
        }
    }

    #[test]
    fn what_is_no_goal_is_refused() {
        for (text, has_incidents, reason) in [
            ("", true, "there is no <"),
            ("recall", true, "there is no <"),
            ("recal = 1", true, "did you mean recall?"),
            ("= 1", true, "there is no measure \"\""),
            ("recall = 1", false, "none are given"),
            ("recall = lots", true, "no share"),
            ("pages = 5m", true, "no number"),
            ("pages < Inf", true, "no number"),
            ("firing < 5", true, "no duration"),
            ("pages =< 5", true, "no number"),
        ] {
            let Err(fault) = Goal::parse(text, has_incidents) else {
                panic!("{text} is taken");
            };
            let told = format!("{} {:?}", fault.message, fault.help);
            assert!(told.contains(reason), "{text}: {told}");
        }
    }

    fn grid(axes: &[&str]) -> Grid {
        let text = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: m > 10, for: 2m}\n";
        let reading = ReadOptions::default();
        let file = rules::read(&Source::new("rules.yml", text), &reading);
        let rules = RuleSet {
            files: file.into_iter().collect(),
            specs: None,
            reading,
        };
        let knobs = rules.knobs();
        let axes = axes.iter().map(|text| Axis::parse(text, &knobs));
        let grid = axes
            .collect::<Result<Vec<Axis>, Diagnostic>>()
            .and_then(Grid::new);
        grid.unwrap_or_else(|fault| panic!("{}", fault.message))
    }

    #[test]
    fn distances_are_shares_of_what_is_swept() {
        let near = |grid: &Grid, expected: &[f64]| {
            let found = distances(grid);
            let is_near = found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-12);
            assert!(is_near && found.len() == expected.len(), "{found:?}");
        };
        near(&grid(&["A.threshold=10,20,50"]), &[0.0, 0.25, 1.0]);
        // What is there now counts among the values.
        near(&grid(&["A.threshold=20,30"]), &[0.5, 1.0]);
        near(
            &grid(&["A.threshold=10,20", "A.for=0s,2m,4m"]),
            &[0.5, 0.0, 0.5, 1.5, 1.0, 1.5],
        );
        near(&grid(&["A.threshold=10,Inf"]), &[0.0, 1.0]);
    }

    #[test]
    fn points_that_no_other_beats_are_ranked() {
        let grid = grid(&["A.threshold=0,10,20,30,40"]);
        let judgements = [
            judgement(9.0, 1.0, 5),
            judgement(5.0, 1.0, 2),
            judgement(3.0, 0.5, 2),
            judgement(3.0, 0.5, 1),
            judgement(3.0, 0.5, 1),
        ];
        let ranking = Ranking::of(&grid, &judgements, &[]);
        assert_eq!(ranking.compared, RANKED_BY);
        assert_eq!(ranking.undominated, [false, true, false, true, true]);
        assert_eq!(ranking.nearest, [1, 3]);
        assert_eq!(ranking.best, None, "there is no goal");
        let goals = [goal("recall >= 0.5"), goal("pages_per_week < 5")];
        let ranking = Ranking::of(&grid, &judgements, &goals);
        assert_eq!(ranking.best, Some(2), "the nearest that meets all");
        let goals = [goal("recall = 1"), goal("pages_per_week < 5")];
        assert_eq!(Ranking::of(&grid, &judgements, &goals).best, None);
    }

    /// What is quick because it misses the rest is no better, nor what is silent.
    #[test]
    fn points_are_compared_in_what_is_found_and_in_false_pages() {
        let grid = grid(&["A.threshold=0,10,20,30,40,50"]);
        let with = |pages, recall, false_pages, delay| {
            let mut judgement = judgement(pages, recall, false_pages);
            if let Some(fit) = &mut judgement.fit {
                fit.time_to_detect = Some(delay);
            }
            judgement
        };
        let judgements = [
            with(5.0, 1.0, 1, 60.0),
            // As much and quicker, with more noise.
            with(9.0, 1.0, 3, 30.0),
            // Quick with the little that it finds.
            with(5.0, 0.5, 1, 1.0),
            // As the first, with more pages.
            with(7.0, 1.0, 1, 60.0),
            // Less, and none of it false.
            with(1.0, 0.125, 0, 60.0),
            with(0.0, 0.0, 0, f64::INFINITY),
        ];
        let expected = [true, true, false, false, true, false];
        for goals in [
            &[][..],
            &["recall = 1", "time_to_detect < 1m", "false_pages < 2"],
        ] {
            let goals: Vec<Goal> = goals.iter().map(|text| goal(text)).collect();
            let ranking = Ranking::of(&grid, &judgements, &goals);
            assert_eq!(ranking.undominated, expected);
        }
        let goals = [
            goal("flaps < 1"),
            goal("pages_per_week < 6"),
            goal("flaps < 2"),
        ];
        let ranking = Ranking::of(&grid, &judgements, &goals);
        assert_eq!(ranking.compared[2..], ["flaps", "pages_per_week"]);
        // Who asks for few pages has those that are fewest.
        let expected = [true, true, false, false, true, true];
        assert_eq!(ranking.undominated, expected);
        // Without incidents only goals tell.
        let bare = |mut it: Judgement| {
            it.fit = None;
            it
        };
        let judgements = judgements.map(bare);
        assert!(Ranking::of(&grid, &judgements, &[]).compared.is_empty());
        let ranking = Ranking::of(&grid, &judgements, &goals[1..2]);
        assert_eq!(
            ranking.undominated,
            [false, false, false, false, false, true]
        );
    }
}
