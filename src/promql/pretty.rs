//! Prints trees over several lines as Prometheus's `format_query` does: what is longer than a line is split.

use std::fmt::{self, Display, Write};

use super::ast::{Aggregate, Chain, Expr, ExprKind, Subquery};
use super::print::{AggregateHead, LinkHead, SubqueryTail, sign};
use super::query::Query;

/// What is longer, in bytes, is split.
const LINE: usize = 100;

impl Query {
    /// The query over several lines where one is too short; `None` where that takes more than `limit` bytes, as long
    /// chains of operators do, each of which moves what stands before it to the right.
    pub fn pretty(&self, limit: usize) -> Option<String> {
        let mut printer = Printer {
            out: String::new(),
            limit,
        };
        printer.expr(&self.expr, 0).ok()?;
        Some(printer.out)
    }
}

struct Printer {
    out: String,
    limit: usize,
}

impl Write for Printer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match self.out.len().saturating_add(text.len()) > self.limit {
            true => Err(fmt::Error),
            false => self.out.write_str(text),
        }
    }
}

impl Printer {
    fn expr(&mut self, expr: &Expr, level: usize) -> fmt::Result {
        match &expr.kind {
            // Prometheus does not indent these where they fit a line.
            ExprKind::Subquery(subquery) => self.subquery(expr, subquery, level),
            ExprKind::Unary(op, inner) => {
                self.indent(level)?;
                self.write_str(sign(*op))?;
                let start = self.out.len();
                self.expr(inner, level)?;
                let blanks = self.out[start..].len() - self.out[start..].trim_start().len();
                self.out.replace_range(start..start + blanks, "");
                Ok(())
            }
            ExprKind::Aggregate(aggregate) if !fits(expr) => self.aggregate(aggregate, level),
            ExprKind::Chain(chain) => self.chain(chain, level),
            ExprKind::Call(call) if !fits(expr) => {
                self.indent(level)?;
                writeln!(self, "{}(", call.function.name)?;
                for (index, arg) in call.args.iter().enumerate() {
                    if index > 0 {
                        self.write_str(",\n")?;
                    }
                    self.expr(arg, level + 1)?;
                }
                self.close(level)
            }
            ExprKind::Paren(inner) if !fits(expr) => {
                self.indent(level)?;
                self.write_str("(\n")?;
                self.expr(inner, level + 1)?;
                self.close(level)
            }
            _ => {
                self.indent(level)?;
                write!(self, "{expr}")
            }
        }
    }

    fn indent(&mut self, level: usize) -> fmt::Result {
        (0..level).try_for_each(|_| self.write_str("  "))
    }

    fn close(&mut self, level: usize) -> fmt::Result {
        self.write_char('\n')?;
        self.indent(level)?;
        self.write_char(')')
    }

    fn aggregate(&mut self, aggregate: &Aggregate, level: usize) -> fmt::Result {
        self.indent(level)?;
        writeln!(self, "{}(", AggregateHead(aggregate))?;
        if let Some(param) = &aggregate.param {
            self.expr(param, level + 1)?;
            self.write_str(",\n")?;
        }
        self.expr(&aggregate.expr, level + 1)?;
        self.close(level)
    }

    fn subquery(&mut self, expr: &Expr, subquery: &Subquery, level: usize) -> fmt::Result {
        if fits(expr) {
            return write!(self, "{expr}");
        }
        self.expr(&subquery.expr, level)?;
        write!(self, "{}", SubqueryTail(subquery))
    }

    /// Each operator of a chain stands below all before it, which are one level deeper.
    fn chain(&mut self, chain: &Chain, level: usize) -> fmt::Result {
        let whole = chain.links.len();
        let together = links_that_fit(chain);
        let depth = |links: usize| level + whole - links;
        match together {
            None => self.expr(&chain.first, depth(0))?,
            Some(links) => {
                self.indent(depth(links))?;
                write!(self, "{}", chain.first)?;
                for link in &chain.links[..links] {
                    write!(self, " {} {}", LinkHead(link), link.rhs)?;
                }
            }
        }
        for (index, link) in chain.links.iter().enumerate().skip(together.unwrap_or(0)) {
            let depth = depth(index + 1);
            self.write_char('\n')?;
            self.indent(depth)?;
            writeln!(self, "{}", LinkHead(link))?;
            self.expr(&link.rhs, depth + 1)?;
        }
        Ok(())
    }
}

/// How many links of a chain fit a line together with its first operand; `None` where not even one does.
fn links_that_fit(chain: &Chain) -> Option<usize> {
    let mut room = Room(LINE);
    write!(room, "{}", chain.first).ok()?;
    let fitting = chain
        .links
        .iter()
        .take_while(|link| write!(room, " {} {}", LinkHead(link), link.rhs).is_ok());
    Some(fitting.count()).filter(|&links| links > 0)
}

/// Whether something fits a line.
fn fits(printed: &impl Display) -> bool {
    write!(Room(LINE), "{printed}").is_ok()
}

/// Takes so many bytes and then no more.
struct Room(usize);

impl Write for Room {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.checked_sub(text.len()).ok_or(fmt::Error)?;
        Ok(())
    }
}
