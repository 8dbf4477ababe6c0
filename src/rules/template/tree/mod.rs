//! Builds the tree of a template from its words, complaining in Go's words and in Go's order.

mod pipeline;

use super::TemplateError;
use super::advice::advice;
use super::ast::{Branch, BranchKind, Invocation, List, Node, Program};
use super::literal;
use super::parse::{Kind, Word, words};
use super::runes;

/// How deep parentheses and blocks may nest; Go allows parentheses ten thousand deep.
const MAX_DEPTH: usize = 100;

/// Reads a text with all that it defines. `name` is the name of the template that the text itself is.
pub(super) fn build(name: &str, text: &str) -> Result<Program, TemplateError> {
    let mut reader = Reader {
        name,
        words: words(text),
        next: 0,
        depth: 0,
        program: Program::default(),
    };
    let mut tree = Tree::new(&mut reader);
    let root = tree.text()?;
    tree.add(name.to_owned(), root)?;
    Ok(reader.program)
}

type Built<T> = Result<T, TemplateError>;

/// What the text and the templates inside it share.
struct Reader<'t> {
    name: &'t str,
    words: Vec<Word<'t>>,
    next: usize,
    depth: usize,
    program: Program,
}

/// One template: the whole text, a `define` or a `block`.
struct Tree<'r, 't> {
    reader: &'r mut Reader<'t>,
    /// Words that were looked at and put back; the next one last.
    waiting: Vec<Word<'t>>,
    /// Line and offset of the word that was read last: where Go sees errors.
    seen: (usize, usize),
    variables: Vec<String>,
    /// The line on which the current action started.
    action_line: Option<usize>,
    range_depth: usize,
}

/// What can end a list of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    End,
    Else,
}

impl Ending {
    fn text(self) -> &'static str {
        match self {
            Ending::End => "{{end}}",
            Ending::Else => "{{else}}",
        }
    }
}

enum Piece {
    Node(Node),
    Ending(Ending),
}

// Words.
impl<'r, 't> Tree<'r, 't> {
    fn new(reader: &'r mut Reader<'t>) -> Tree<'r, 't> {
        Tree {
            reader,
            waiting: Vec::new(),
            seen: (0, 0),
            variables: vec!["$".to_owned()],
            action_line: None,
            range_depth: 0,
        }
    }

    fn next(&mut self) -> Word<'t> {
        if let Some(word) = self.waiting.pop() {
            return word;
        }
        // The last word stays: there is always an end.
        let last = self.reader.words.len().saturating_sub(1);
        let index = self.reader.next.min(last);
        self.reader.next = index + 1;
        let word = self.reader.words.get(index).cloned().unwrap_or(Word {
            kind: Kind::EndOfText,
            offset: 0,
            line: 1,
            text: "",
            complaint: String::new(),
        });
        self.seen = (word.line, word.offset);
        word
    }

    fn back(&mut self, word: Word<'t>) {
        self.waiting.push(word);
    }

    fn peek(&mut self) -> Word<'t> {
        let word = self.next();
        self.back(word.clone());
        word
    }

    fn next_word(&mut self) -> Word<'t> {
        loop {
            let word = self.next();
            if word.kind != Kind::Space {
                return word;
            }
        }
    }

    fn peek_word(&mut self) -> Word<'t> {
        let word = self.next_word();
        self.back(word.clone());
        word
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Built<Word<'t>> {
        let word = self.next_word();
        match word.kind == kind {
            true => Ok(word),
            false => Err(self.unexpected(&word, context)),
        }
    }
}

// Complaints.
impl Tree<'_, '_> {
    fn error(&self, message: &str) -> TemplateError {
        let (line, offset) = self.seen;
        self.error_at(line, offset, message)
    }

    fn error_at(&self, line: usize, offset: usize, message: &str) -> TemplateError {
        TemplateError {
            message: format!("template: {}:{line}: {message}", self.reader.name),
            offset,
            help: advice(message),
        }
    }

    fn unexpected(&self, word: &Word<'_>, context: &str) -> TemplateError {
        let message = match word.kind {
            Kind::Bad => self.with_start(word),
            _ => format!("unexpected {} in {context}", describe(word)),
        };
        self.error_at(self.seen.0, word.offset, &message)
    }

    /// Why a word is bad, and where its action started if that was on another line.
    fn with_start(&self, word: &Word<'_>) -> String {
        let complaint = &word.complaint;
        match self.action_line {
            Some(line) if line != word.line => {
                let link = match complaint.ends_with(" action") {
                    true => "",
                    false => " in action",
                };
                format!("{complaint}{link} started at {}:{line}", self.reader.name)
            }
            _ => complaint.clone(),
        }
    }
}

fn describe(word: &Word<'_>) -> String {
    match word.kind {
        Kind::EndOfText => "EOF".to_owned(),
        Kind::Dot
        | Kind::Block
        | Kind::Break
        | Kind::Continue
        | Kind::Define
        | Kind::Else
        | Kind::End
        | Kind::If
        | Kind::Nil
        | Kind::Range
        | Kind::Template
        | Kind::With => format!("<{}>", word.text),
        _ if word.text.len() > 10 => {
            let head: String = word.text.chars().take(10).collect();
            format!("{}...", runes::quote(head.as_bytes()))
        }
        _ => runes::quote(word.text.as_bytes()),
    }
}

// Nodes.
impl<'t> Tree<'_, 't> {
    /// The whole text: the only place where `define` may stand.
    fn text(&mut self) -> Built<List> {
        let mut list = List::new();
        loop {
            let word = self.peek();
            match word.kind {
                Kind::EndOfText => return Ok(list),
                Kind::Open => {
                    let open = self.next();
                    let keyword = self.next_word();
                    if keyword.kind == Kind::Define {
                        Tree::new(self.reader).definition()?;
                        continue;
                    }
                    self.back(keyword);
                    self.back(open);
                }
                _ => {}
            }
            match self.piece()? {
                Piece::Node(node) => list.push(node),
                Piece::Ending(ending) => {
                    return Err(self.error(&format!("unexpected {}", ending.text())));
                }
            }
        }
    }

    fn definition(mut self) -> Built<()> {
        const CONTEXT: &str = "define clause";
        let word = self.next_word();
        let name = self.template_name(&word, CONTEXT)?;
        self.expect(Kind::Close, CONTEXT)?;
        let (list, ending) = self.list()?;
        if ending != Ending::End {
            return Err(self.error(&format!("unexpected {} in {CONTEXT}", ending.text())));
        }
        self.add(name, list)
    }

    /// Adds a template; one that is not empty but for space can't be replaced.
    fn add(&mut self, name: String, list: List) -> Built<()> {
        let templates = &mut self.reader.program.templates;
        match templates.get(&name) {
            Some(existing) if !is_blank(existing) => {
                if is_blank(&list) {
                    return Ok(());
                }
                let quoted = runes::quote(name.as_bytes());
                Err(self.error(&format!(
                    "template: multiple definition of template {quoted}"
                )))
            }
            _ => {
                templates.insert(name, list);
                Ok(())
            }
        }
    }

    /// Nodes up to an `end` or `else`.
    fn list(&mut self) -> Built<(List, Ending)> {
        self.enter("blocks nest too deeply")?;
        let mut list = List::new();
        while self.peek_word().kind != Kind::EndOfText {
            match self.piece()? {
                Piece::Node(node) => list.push(node),
                Piece::Ending(ending) => {
                    self.reader.depth -= 1;
                    return Ok((list, ending));
                }
            }
        }
        Err(self.error("unexpected EOF"))
    }

    fn enter(&mut self, message: &str) -> Built<()> {
        if self.reader.depth >= MAX_DEPTH {
            return Err(self.error(message));
        }
        self.reader.depth += 1;
        Ok(())
    }

    fn piece(&mut self) -> Built<Piece> {
        let word = self.next_word();
        match word.kind {
            Kind::Text => Ok(Piece::Node(Node::Text(word.text.to_owned()))),
            Kind::Open => {
                self.action_line = Some(word.line);
                let piece = self.action()?;
                self.action_line = None;
                Ok(piece)
            }
            _ => Err(self.unexpected(&word, "input")),
        }
    }

    fn action(&mut self) -> Built<Piece> {
        let word = self.next_word();
        let node = match word.kind {
            Kind::Block => self.block()?,
            Kind::Break => {
                self.leave_range("{{break}}")?;
                Node::Break
            }
            Kind::Continue => {
                self.leave_range("{{continue}}")?;
                Node::Continue
            }
            Kind::Else => {
                let next = self.peek_word();
                if !matches!(next.kind, Kind::If | Kind::With) {
                    self.expect(Kind::Close, "else")?;
                }
                return Ok(Piece::Ending(Ending::Else));
            }
            Kind::End => {
                self.expect(Kind::Close, "end")?;
                return Ok(Piece::Ending(Ending::End));
            }
            Kind::If => self.branch(BranchKind::If)?,
            Kind::Range => self.branch(BranchKind::Range)?,
            Kind::With => self.branch(BranchKind::With)?,
            Kind::Template => self.template()?,
            _ => {
                self.back(word);
                Node::Action(self.pipeline("command", Kind::Close)?)
            }
        };
        Ok(Piece::Node(node))
    }

    fn leave_range(&mut self, action: &str) -> Built<()> {
        let word = self.next_word();
        if word.kind != Kind::Close {
            return Err(self.unexpected(&word, action));
        }
        match self.range_depth {
            0 => Err(self.error(&format!("{action} outside {{{{range}}}}"))),
            _ => Ok(()),
        }
    }

    /// `if`, `with` or `range` behind its keyword. A chain of `else if` is one branch with many arms.
    fn branch(&mut self, kind: BranchKind) -> Built<Node> {
        let (context, keyword) = match kind {
            BranchKind::If => ("if", Some(Kind::If)),
            BranchKind::With => ("with", Some(Kind::With)),
            BranchKind::Range => ("range", None),
        };
        let visible = self.variables.len();
        let mut branch = Branch {
            kind,
            arms: Vec::new(),
            otherwise: None,
        };
        loop {
            let pipeline = self.pipeline(context, Kind::Close)?;
            let inside = usize::from(kind == BranchKind::Range);
            self.range_depth += inside;
            let (list, ending) = self.list()?;
            self.range_depth -= inside;
            branch.arms.push((pipeline, list));
            if ending == Ending::End {
                break;
            }
            if keyword.is_some_and(|keyword| self.peek().kind == keyword) {
                self.next();
                continue;
            }
            let (list, ending) = self.list()?;
            if ending != Ending::End {
                return Err(self.error(&format!("expected end; found {}", ending.text())));
            }
            branch.otherwise = Some(list);
            break;
        }
        self.variables.truncate(visible);
        Ok(Node::Branch(branch))
    }

    fn block(&mut self) -> Built<Node> {
        const CONTEXT: &str = "block clause";
        let word = self.next_word();
        let name = self.template_name(&word, CONTEXT)?;
        let pipeline = self.pipeline(CONTEXT, Kind::Close)?;
        let mut inside = Tree::new(self.reader);
        let (list, ending) = inside.list()?;
        if ending != Ending::End {
            return Err(self.error(&format!("unexpected {} in {CONTEXT}", ending.text())));
        }
        inside.add(name.clone(), list)?;
        Ok(Node::Template(Invocation {
            offset: word.offset,
            name,
            pipeline: Some(pipeline),
        }))
    }

    fn template(&mut self) -> Built<Node> {
        const CONTEXT: &str = "template clause";
        let word = self.next_word();
        let name = self.template_name(&word, CONTEXT)?;
        let next = self.next_word();
        let pipeline = match next.kind {
            Kind::Close => None,
            _ => {
                self.back(next);
                Some(self.pipeline(CONTEXT, Kind::Close)?)
            }
        };
        Ok(Node::Template(Invocation {
            offset: word.offset,
            name,
            pipeline,
        }))
    }

    fn template_name(&mut self, word: &Word<'t>, context: &str) -> Built<String> {
        match word.kind {
            Kind::Quoted | Kind::RawQuoted => {
                let name = literal::unquote(word.text).map_err(|why| self.error(&why))?;
                Ok(String::from_utf8_lossy(&name).into_owned())
            }
            _ => Err(self.unexpected(word, context)),
        }
    }
}

/// Whether there is nothing but space.
fn is_blank(list: &List) -> bool {
    list.iter().all(|node| match node {
        Node::Text(text) => text.trim().is_empty(),
        _ => false,
    })
}
