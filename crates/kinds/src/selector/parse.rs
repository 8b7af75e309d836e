//! The grammar of label selectors in a query string.

use super::{Operator, Requirement, SelectorError};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Sign(&'a str),
    End,
}

impl Token<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Word(text) | Self::Sign(text) => text,
            Self::End => "",
        }
    }
}

struct Lexer<'a> {
    rest: &'a str,
}

impl<'a> Lexer<'a> {
    fn peek(&self) -> Token<'a> {
        Lexer { rest: self.rest }.next()
    }

    fn next(&mut self) -> Token<'a> {
        const SIGNS: [&str; 9] = ["==", "!=", "=", "!", ",", "(", ")", "<", ">"];
        self.rest = self.rest.trim_start();
        if self.rest.is_empty() {
            return Token::End;
        }
        if let Some(sign) = SIGNS.iter().find(|sign| self.rest.starts_with(**sign)) {
            self.rest = &self.rest[sign.len()..];
            return Token::Sign(sign);
        }
        let end = self.rest.find(|c: char| c.is_whitespace() || "=!,()<>".contains(c));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        Token::Word(word)
    }

    fn expect(&mut self, sign: &str) -> Result<(), SelectorError> {
        match self.next() {
            Token::Sign(found) if found == sign => Ok(()),
            found => Err(unexpected(&found, &format!("'{sign}'"))),
        }
    }

    /// A value: a word, or nothing at all before a comma or the end.
    fn value(&mut self) -> Result<String, SelectorError> {
        match self.peek() {
            Token::End | Token::Sign(",") => Ok(String::new()),
            Token::Word(word) => {
                self.next();
                Ok(word.to_owned())
            }
            found => Err(unexpected(&found, "identifier")),
        }
    }

    /// `(a,b)`; an empty place is the empty value.
    fn values(&mut self) -> Result<Vec<String>, SelectorError> {
        self.expect("(")?;
        let mut values = Vec::new();
        loop {
            let value = match self.peek() {
                Token::Word(word) => {
                    self.next();
                    word
                }
                _ => "",
            };
            values.push(value.to_owned());
            match self.next() {
                Token::Sign(",") => {}
                Token::Sign(")") => return Ok(values),
                found => return Err(unexpected(&found, "',', or ')'")),
            }
        }
    }

    fn bound(&mut self) -> Result<i64, SelectorError> {
        let value = self.value()?;
        let error = "for 'Gt', 'Lt' operators, the value must be an integer";
        value.parse().map_err(|_| SelectorError::Labels(error.to_owned()))
    }
}

fn unexpected(found: &Token<'_>, expected: &str) -> SelectorError {
    SelectorError::Labels(format!("found '{}', expected: {expected}", found.text()))
}

/// All requirements of the text, in its order.
pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, SelectorError> {
    let mut lexer = Lexer { rest: text };
    let mut requirements = Vec::new();
    if lexer.peek() == Token::End {
        return Ok(requirements);
    }
    loop {
        requirements.push(requirement(&mut lexer)?);
        match lexer.next() {
            Token::End => return Ok(requirements),
            Token::Sign(",") => {}
            found => return Err(unexpected(&found, "',' or 'end of string'")),
        }
    }
}

fn requirement(lexer: &mut Lexer<'_>) -> Result<Requirement, SelectorError> {
    let absent = lexer.peek() == Token::Sign("!");
    if absent {
        lexer.next();
    }
    let key = match lexer.next() {
        Token::Word(key) => key.to_owned(),
        found => return Err(unexpected(&found, "!, identifier, or 'end of string'")),
    };
    if absent {
        return Ok(Requirement { key, operator: Operator::DoesNotExist });
    }
    let operator = match lexer.peek() {
        Token::End | Token::Sign(",") => Operator::Exists,
        found => {
            lexer.next();
            match found {
                Token::Sign("=" | "==") => Operator::Equals(lexer.value()?),
                Token::Sign("!=") => Operator::NotEquals(lexer.value()?),
                Token::Sign(">") => Operator::GreaterThan(lexer.bound()?),
                Token::Sign("<") => Operator::LessThan(lexer.bound()?),
                Token::Word("in") => Operator::In(lexer.values()?),
                Token::Word("notin") => Operator::NotIn(lexer.values()?),
                other => return Err(unexpected(&other, "in, notin, =, ==, !=, gt, lt")),
            }
        }
    };
    Ok(Requirement { key, operator })
}
