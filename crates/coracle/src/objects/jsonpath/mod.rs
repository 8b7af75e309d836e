//! kubectl's JSONPath templates, the part of them that people type: text, fields, indexes, slices,
//! `[*]`, filters that compare with a constant, and `range`. What is not part of it is refused by
//! name.

mod eval;
mod parse;

pub(crate) use eval::{scalar, text};
pub(crate) use parse::{path, template};

/// One step from values to values below them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// `.name` or `['name']`
    Field(String),
    /// `[2]`, from the end where negative
    Index(i64),
    /// `[1:3]`; from the end where negative
    Slice(Option<i64>, Option<i64>),
    /// `[*]` or `.*`
    All,
    /// `[?(@.type=="Ready")]`
    Filter(Filter),
}

/// What elements have to fulfil.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filter {
    /// From the element.
    path: Path,
    /// What the value there is compared with; it only has to be there where there is nothing.
    wanted: Option<(Comparison, serde_json::Value)>,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Steps from an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Path(Vec<Step>);

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// As it is.
    Text(String),
    /// What is found there, with spaces between.
    Values(Path),
    /// For each of what is found there.
    Range(Path, Vec<Part>),
}

/// A whole template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template(Vec<Part>);
