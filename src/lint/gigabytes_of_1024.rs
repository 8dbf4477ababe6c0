//! `gigabytes-of-1024`: gibibytes called gigabytes.

use super::rules::Subject;
use super::tree::{chain, core, number, values};
use super::{Level, Lint, Look, template};
use crate::promql::ast::{BinaryOp, Expr};
use crate::rules::template::Used;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "gigabytes-of-1024",
    level: Level::Pedantic,
    doc: "bytes divided by 1024 and called KB, MB or GB",
    why: "1024 times 1024 times 1024 bytes are a gibibyte, GiB, 7% more than a gigabyte.",
    wrong: r#"
- alert: MuchMemory
  expr: process_resident_memory_bytes{job="a"} / 1024 / 1024 / 1024 > 1.5
  annotations:
    summary: "{{ $value }}GB in use"
"#,
    right: r#"
- alert: MuchMemory
  expr: process_resident_memory_bytes{job="a"} / 1024 / 1024 / 1024 > 1.5
  annotations:
    summary: "{{ $value }}GiB in use"
"#,
    look: Look::Rule(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let divided: f64 = values(subject.expr())
        .into_iter()
        .map(divisor)
        .fold(1.0, f64::max);
    let (wrong, right) = match divided.log2().round() as i64 {
        10 => ("KB", "KiB"),
        20 => ("MB", "MiB"),
        30 => ("GB", "GiB"),
        40 => ("TB", "TiB"),
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    for template in subject.templates() {
        for used in template.uses().iter().filter(|it| it.what == Used::Value) {
            if template::text_after(template, used.span)
                .trim_start()
                .starts_with(wrong)
            {
                let message = format!("divided by powers of 1024 these are {right}, not {wrong}");
                let found_here = subject.warn_in(template, used.span, message);
                found.push(found_here.help(format!("write {right}, or divide by powers of 1000")));
            }
        }
    }
    found
}

/// By what an expression is divided, where that is a power of 1024.
fn divisor(expr: &Expr) -> f64 {
    let Some(chain) = chain(core(expr)) else {
        return 1.0;
    };
    let by = chain.links.iter().filter(|link| link.op == BinaryOp::Div);
    let by: f64 = by.filter_map(|link| number(&link.rhs)).product();
    match by > 0.0 && (by.log2() / 10.0).fract() == 0.0 {
        true => by,
        false => 1.0,
    }
}
