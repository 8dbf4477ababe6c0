//! What would have happened had a number been another: everything in rules and objectives that can move, by name, and what
//! moving it changes.
//!
//! A change is an edit of the text in which the number stands, and nothing else: the edited text is read again as any file
//! is, so what is replayed is what would be written. [`knobs`] names what can move, [`Change::parse`] reads what it is moved
//! to, [`RuleSet::changed`] yields the rules as they would be then,
//! [`RuleSet::edited`] those of any other edit. A [`World`] is what rules are replayed over, an
//! [`Outcome`] what an alert did there in numbers. A [`Grid`] holds many settings.
//! [`Live`] holds what alerts compare, so that a page can say what they would do without a replay.

mod change;
pub mod diff;
mod goals;
mod grid;
mod incidents;
mod insert;
mod judgement;
mod knob;
mod live;
mod name;
mod numbers;
mod outcome;
mod paging;
mod set;
mod specs;
mod sweep;
mod value;
mod world;

pub use change::{Change, Edit, splice};
pub use goals::{Goal, Ranking};
pub use grid::{Axis, Grid, MAX_POINTS};
pub use incidents::{Extent, Incident, Incidents};
pub use judgement::{Fit, Judgement, MEASURES, Measure, Unit};
pub use knob::{Knob, KnobKind, knobs};
pub use live::{
    Compare, Condition, Live, LiveAlert, LiveInstance, LiveKnob, LiveSeries, Node, Set, Step,
};
pub use name::find;
pub use numbers::{Comparison, comparisons};
pub use outcome::{FLAP, Outcome};
pub use paging::Paging;
pub use set::{Edited, RuleSet};
pub use specs::SpecFiles;
pub use sweep::{Sweep, SweepError, SweepMode, SweptAlert, sweep};
pub use value::worked_out;
pub use world::{AlertOutcome, World};
