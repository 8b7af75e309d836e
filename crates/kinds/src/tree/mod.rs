//! A document as it was written: order, duplicates, lines and spelling are kept, so that what is
//! wrong can be said in the writer's own terms. YAML and JSON both become this.

pub(crate) mod json;
pub(crate) mod yaml;

/// A value and the line it starts on (0 where lines mean nothing, as in API bodies).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: u32,
    pub(crate) value: Value,
}

/// A value as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    /// `written` is the spelling, which in YAML may be `yes` or `off`.
    Bool {
        value: bool,
        written: String,
    },
    /// `json` is the number as JSON has it, `written` the spelling, which in YAML may be `0644`.
    Number {
        json: String,
        written: String,
    },
    String(String),
    List(Vec<Node>),
    /// In the order of writing; a key may stand more than once.
    Map(Vec<Entry>),
}

/// One key of a map with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// The line of the key.
    pub(crate) line: u32,
    pub(crate) node: Node,
    /// The line on which the same key stood first, if it stood before.
    pub(crate) doubled: Option<u32>,
    /// The same key comes again: of doubled keys the last counts.
    pub(crate) overridden: bool,
}

impl Entry {
    pub(crate) fn new(key: String, line: u32, node: Node) -> Self {
        Self { key, line, node, doubled: None, overridden: false }
    }
}

impl Value {
    /// A map; finds the doubled keys.
    pub(crate) fn map(mut entries: Vec<Entry>) -> Self {
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by(|a, b| entries[*a].key.cmp(&entries[*b].key));
        let same = |a: &usize, b: &usize| entries[*a].key == entries[*b].key;
        let mut doubles: Vec<(u32, usize, usize)> = Vec::new();
        for places in order.chunk_by(same) {
            let first_line = entries[places[0]].line;
            doubles.extend(places.windows(2).map(|pair| (first_line, pair[0], pair[1])));
        }
        for (first_line, before, after) in doubles {
            entries[before].overridden = true;
            entries[after].doubled = Some(first_line);
        }
        Self::Map(entries)
    }
}

impl Node {
    /// The value of a key; of the last one if it stands more than once.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().rev().find(|e| e.key == key).map(|e| &e.node)
    }

    /// The text of a key that holds text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match &self.get(key)?.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The line of a key, or of the whole.
    pub(crate) fn line_of(&self, key: &str) -> u32 {
        let Value::Map(entries) = &self.value else { return self.line };
        entries.iter().rev().find(|e| e.key == key).map_or(self.line, |e| e.line)
    }

    /// How many values there are in it, itself included.
    pub(crate) fn size(&self) -> usize {
        1 + match &self.value {
            Value::List(items) => items.iter().map(Node::size).sum(),
            Value::Map(entries) => entries.iter().map(|e| e.node.size()).sum(),
            _ => 0,
        }
    }
}
