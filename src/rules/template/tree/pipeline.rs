//! Builds pipelines: declarations, commands, operands.

use super::{Built, Tree};
use crate::rules::template::ast::{Command, Operand, OperandKind, Pipeline};
use crate::rules::template::functions;
use crate::rules::template::literal;
use crate::rules::template::parse::{Kind, Word};
use crate::rules::template::runes;

impl<'t> Tree<'_, 't> {
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Built<Pipeline> {
        let mut pipeline = Pipeline {
            offset: self.peek_word().offset,
            assigns: false,
            variables: Vec::new(),
            commands: Vec::new(),
        };
        self.declarations(&mut pipeline, context)?;
        loop {
            let word = self.next_word();
            match word.kind {
                kind if kind == end => {
                    self.check(&pipeline, context)?;
                    return Ok(pipeline);
                }
                Kind::Bool
                | Kind::Character
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawQuoted
                | Kind::Quoted
                | Kind::Variable
                | Kind::LeftParenthesis => {
                    self.back(word);
                    pipeline.commands.push(self.command()?);
                }
                _ => return Err(self.unexpected(&word, context)),
            }
        }
    }

    /// `$a :=`, `$a =` or in a range `$a, $b :=`.
    fn declarations(&mut self, pipeline: &mut Pipeline, context: &str) -> Built<()> {
        while self.peek_word().kind == Kind::Variable {
            let variable = self.next_word();
            let adjacent = self.next();
            let next = match adjacent.kind {
                Kind::Space => self.next_word(),
                _ => adjacent.clone(),
            };
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    pipeline.assigns = next.kind == Kind::Assign;
                    self.declare(pipeline, &variable);
                    return Ok(());
                }
                Kind::Other if next.text == "," => {
                    self.declare(pipeline, &variable);
                    if context != "range" || pipeline.variables.len() >= 2 {
                        return Err(self.error(&format!("too many declarations in {context}")));
                    }
                    let follows = self.peek_word().kind;
                    if !matches!(
                        follows,
                        Kind::Variable | Kind::Close | Kind::RightParenthesis
                    ) {
                        return Err(self.error("range can only initialize variables"));
                    }
                }
                // An operand: put back what was read, with the space that separates it.
                _ => {
                    self.back(next);
                    if adjacent.kind == Kind::Space {
                        self.back(adjacent);
                    }
                    self.back(variable);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn declare(&mut self, pipeline: &mut Pipeline, variable: &Word<'t>) {
        pipeline.variables.push(variable.text.to_owned());
        self.variables.push(variable.text.to_owned());
    }

    /// Only the first command may be a mere value.
    fn check(&self, pipeline: &Pipeline, context: &str) -> Built<()> {
        if pipeline.commands.is_empty() {
            return Err(self.error(&format!("missing value for {context}")));
        }
        for (index, command) in pipeline.commands.iter().enumerate().skip(1) {
            let first = command.operands.first().map(|operand| &operand.kind);
            if matches!(
                first,
                Some(
                    OperandKind::Bool(_)
                        | OperandKind::Dot
                        | OperandKind::Nil
                        | OperandKind::Number(_)
                        | OperandKind::String(..)
                )
            ) {
                let stage = index + 1;
                return Err(
                    self.error(&format!("non executable command in pipeline stage {stage}"))
                );
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Built<Command> {
        let mut command = Command {
            offset: self.peek_word().offset,
            operands: Vec::new(),
        };
        loop {
            self.skip_space();
            if let Some(operand) = self.operand()? {
                command.operands.push(operand);
            }
            let word = self.next();
            match word.kind {
                Kind::Space => continue,
                Kind::Close | Kind::RightParenthesis => self.back(word),
                Kind::Pipe => {}
                _ => return Err(self.unexpected(&word, "operand")),
            }
            break;
        }
        match command.operands.is_empty() {
            true => Err(self.error("empty command")),
            false => Ok(command),
        }
    }

    fn skip_space(&mut self) {
        let word = self.next_word();
        self.back(word);
    }

    /// A term and the fields behind it; `None` if the next word starts none.
    fn operand(&mut self) -> Built<Option<Operand>> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        let first = self.peek();
        if first.kind != Kind::Field {
            return Ok(Some(term));
        }
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(self.next().text.trim_start_matches('.').to_owned());
        }
        let kind = match term.kind {
            OperandKind::Field(mut head) => {
                head.append(&mut fields);
                OperandKind::Field(head)
            }
            OperandKind::Variable(name, _) => OperandKind::Variable(name, fields),
            OperandKind::Bool(_)
            | OperandKind::String(..)
            | OperandKind::Number(_)
            | OperandKind::Nil
            | OperandKind::Dot => {
                let quoted = runes::quote(term.to_string().as_bytes());
                return Err(self.error(&format!("unexpected . after term {quoted}")));
            }
            _ => OperandKind::Chain(Box::new(term), fields),
        };
        Ok(Some(Operand {
            offset: first.offset,
            kind,
        }))
    }

    fn term(&mut self) -> Built<Option<Operand>> {
        let word = self.next_word();
        let kind = match word.kind {
            Kind::Identifier => self.function(&word)?,
            Kind::Dot => OperandKind::Dot,
            Kind::Nil => OperandKind::Nil,
            Kind::Variable => self.variable(&word)?,
            Kind::Field => OperandKind::Field(vec![word.text.trim_start_matches('.').to_owned()]),
            Kind::Bool => OperandKind::Bool(word.text == "true"),
            Kind::Character | Kind::Complex | Kind::Number => {
                let number = match word.kind {
                    Kind::Character => literal::character(word.text),
                    Kind::Complex => literal::complex(word.text),
                    _ => literal::real(word.text),
                };
                OperandKind::Number(number.map_err(|why| self.error(&why))?)
            }
            Kind::LeftParenthesis => return self.parentheses().map(Some),
            Kind::Quoted | Kind::RawQuoted => {
                let text = literal::unquote(word.text).map_err(|why| self.error(&why))?;
                OperandKind::String(word.text.to_owned(), text)
            }
            _ => {
                self.back(word);
                return Ok(None);
            }
        };
        Ok(Some(Operand {
            offset: word.offset,
            kind,
        }))
    }

    fn parentheses(&mut self) -> Built<Operand> {
        self.enter("max expression depth exceeded")?;
        let pipeline = self.pipeline("parenthesized pipeline", Kind::RightParenthesis)?;
        self.reader.depth -= 1;
        Ok(Operand {
            offset: pipeline.offset,
            kind: OperandKind::Pipeline(Box::new(pipeline)),
        })
    }

    fn function(&self, word: &Word<'t>) -> Built<OperandKind> {
        match functions::find(word.text) {
            Some(_) => Ok(OperandKind::Identifier(word.text.to_owned())),
            None => {
                let quoted = runes::quote(word.text.as_bytes());
                let message = format!("function {quoted} not defined");
                Err(self.error_at(self.seen.0, word.offset, &message))
            }
        }
    }

    fn variable(&self, word: &Word<'t>) -> Built<OperandKind> {
        let name = word.text.to_owned();
        if self.variables.contains(&name) {
            return Ok(OperandKind::Variable(name, Vec::new()));
        }
        let quoted = runes::quote(name.as_bytes());
        let message = format!("undefined variable {quoted}");
        Err(self.error_at(self.seen.0, word.offset, &message))
    }
}
