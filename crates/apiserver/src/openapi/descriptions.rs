//! What Kubernetes says about its types: read from the text that the build took from the library.

use std::collections::HashMap;

/// A line per type and field; `build.rs` says how it is written.
const TEXT: &str = include_str!(concat!(env!("OUT_DIR"), "/descriptions.txt"));

/// What is said about one type.
#[derive(Debug, Default)]
pub(super) struct About {
    /// The full name, such as `io.k8s.api.batch.v1.JobSpec`.
    pub(super) name: &'static str,
    text: &'static str,
    fields: HashMap<&'static str, Field>,
}

#[derive(Debug)]
struct Field {
    text: &'static str,
    required: bool,
}

/// What is said about all types, by their names without package.
pub(super) fn read() -> HashMap<&'static str, About> {
    let mut types: HashMap<&str, About> = HashMap::new();
    let mut current = "";
    for line in TEXT.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(word), Some(name), Some(text)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        if word == "type" {
            current = name.rsplit('.').next().unwrap_or(name);
            let about = About { name, text, fields: HashMap::new() };
            let other = types.insert(current, about);
            debug_assert!(other.is_none(), "two types are called {current}");
        } else if let Some(about) = types.get_mut(current) {
            about.fields.insert(name, Field { text, required: word == "required" });
        }
    }
    types
}

impl About {
    /// The description of the type.
    pub(super) fn text(&self) -> String {
        unquote(self.text)
    }

    /// The description of a field; empty where there is none.
    pub(super) fn field(&self, name: &str) -> String {
        self.fields.get(name).map(|field| unquote(field.text)).unwrap_or_default()
    }

    /// Whether a field has to be there.
    pub(super) fn requires(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|field| field.required)
    }
}

fn unquote(literal: &str) -> String {
    serde_json::from_str(literal).unwrap_or_default()
}
