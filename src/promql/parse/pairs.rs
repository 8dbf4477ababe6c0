//! The pairs of a text that the grammar read, in a fifth of the memory of the tokens that they are made from.
//!
//! The tokens go before the tree comes: of a long query that is as much memory as the tree itself.

use super::Rule;
use crate::text::Span;

/// Every pair of a text, each before those in it.
pub(super) struct Tree<'i> {
    text: &'i str,
    nodes: Vec<Node>,
}

/// A pair. Places fit, since a longer text is refused.
struct Node {
    rule: Rule,
    start: u32,
    end: u32,
    /// The place among the nodes of the first that is not in it.
    behind: u32,
}

/// What a rule of the grammar matched.
#[derive(Clone, Copy)]
pub(super) struct Pair<'i> {
    tree: &'i Tree<'i>,
    node: &'i Node,
    at: usize,
}

/// Pairs that follow each other.
#[derive(Clone)]
pub(super) struct Pairs<'i> {
    tree: &'i Tree<'i>,
    at: usize,
    behind: usize,
}

impl<'i> Tree<'i> {
    /// The pairs of a text of at most [`u32::MAX`] bytes.
    pub(super) fn new(text: &'i str, pairs: pest::iterators::Pairs<'i, Rule>) -> Tree<'i> {
        let tokens = pairs.tokens();
        let mut nodes: Vec<Node> = Vec::with_capacity(tokens.len() / 2);
        let mut open = Vec::new();
        for token in tokens {
            match token {
                pest::Token::Start { rule, pos } => {
                    open.push(nodes.len());
                    nodes.push(Node {
                        rule,
                        start: pos.pos() as u32,
                        end: 0,
                        behind: 0,
                    });
                }
                pest::Token::End { pos, .. } => {
                    let behind = nodes.len() as u32;
                    if let Some(node) = open.pop().and_then(|at| nodes.get_mut(at)) {
                        node.end = pos.pos() as u32;
                        node.behind = behind;
                    }
                }
            }
        }
        Tree { text, nodes }
    }

    /// The pairs that are in no other.
    pub(super) fn pairs(&'i self) -> Pairs<'i> {
        Pairs {
            tree: self,
            at: 0,
            behind: self.nodes.len(),
        }
    }
}

impl<'i> Pair<'i> {
    pub(super) fn as_rule(&self) -> Rule {
        self.node.rule
    }

    /// The text that was matched.
    pub(super) fn as_str(&self) -> &'i str {
        let Span { start, end } = self.span();
        self.tree.text.get(start..end).unwrap_or_default()
    }

    /// Where that text stands.
    pub(super) fn span(&self) -> Span {
        Span::new(self.node.start as usize, self.node.end as usize)
    }

    /// The pairs in it.
    pub(super) fn into_inner(self) -> Pairs<'i> {
        Pairs {
            tree: self.tree,
            at: self.at + 1,
            behind: self.node.behind as usize,
        }
    }
}

impl<'i> Pairs<'i> {
    /// What comes next, without taking it.
    pub(super) fn peek(&self) -> Option<Pair<'i>> {
        let node = self.tree.nodes.get(self.at..self.behind)?.first()?;
        Some(Pair {
            tree: self.tree,
            node,
            at: self.at,
        })
    }

    /// Takes what comes next if it is wanted.
    pub(super) fn next_if(&mut self, is_wanted: impl FnOnce(Rule) -> bool) -> Option<Pair<'i>> {
        let pair = self.peek().filter(|pair| is_wanted(pair.as_rule()))?;
        self.at = pair.node.behind as usize;
        Some(pair)
    }
}

impl<'i> Iterator for Pairs<'i> {
    type Item = Pair<'i>;

    fn next(&mut self) -> Option<Pair<'i>> {
        self.next_if(|_| true)
    }
}
