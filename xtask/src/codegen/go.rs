//! Reads the structs of a `types.go`: not Go, but the lines that Kubernetes' generated and formatted
//! API packages consist of.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

/// What a package declares.
pub(super) struct Package {
    pub(super) structs: BTreeMap<String, Struct>,
    /// Named types that are no structs, such as `ResourceList`.
    pub(super) named: BTreeMap<String, String>,
    /// Import path by the name it has in this package.
    pub(super) imports: BTreeMap<String, String>,
}

pub(super) struct Struct {
    pub(super) fields: Vec<Field>,
    /// The lines `+name=value` of its comment.
    pub(super) markers: Markers,
}

pub(super) type Markers = Vec<(String, String)>;

#[derive(Clone)]
pub(super) struct Field {
    /// The type as it is written, such as `*metav1.Time`.
    pub(super) go_type: String,
    /// The name in JSON; empty for an embedded struct.
    pub(super) json: String,
    /// The number in protobuf; none for what protobuf does not carry.
    pub(super) number: Option<u8>,
    pub(super) merge_key: String,
    pub(super) merge_strategy: String,
    pub(super) markers: Markers,
}

impl Package {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut package =
            Self { structs: BTreeMap::new(), named: BTreeMap::new(), imports: BTreeMap::new() };
        let mut markers = Markers::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(marker) = marker(line) {
                markers.push(marker);
            } else if line.trim().is_empty() {
                markers.clear();
            } else if let Some(path) = line.trim().strip_suffix('"').filter(|_| line.contains('/'))
            {
                package.import(path);
            } else if let Some(declared) = line.strip_prefix("type ") {
                let (name, rest) = declared.split_once(' ').context("a type has a name")?;
                if rest == "struct {" {
                    let fields = fields(&mut lines).with_context(|| format!("in {name}"))?;
                    let markers = std::mem::take(&mut markers);
                    package.structs.insert(name.to_owned(), Struct { fields, markers });
                } else {
                    package.named.insert(name.to_owned(), rest.to_owned());
                }
            }
        }
        Ok(package)
    }

    /// Notes `alias "path"`, without its last quote.
    fn import(&mut self, line: &str) {
        if let Some((alias, path)) = line.split_once('"') {
            let last = path.rsplit('/').next().unwrap_or(path);
            let alias = if alias.trim().is_empty() { last } else { alias.trim() };
            self.imports.insert(alias.to_owned(), path.to_owned());
        }
    }
}

/// A comment line `+name=value`.
fn marker(line: &str) -> Option<(String, String)> {
    let (name, value) = line.trim().strip_prefix("// +")?.split_once('=')?;
    Some((name.to_owned(), value.to_owned()))
}

/// The fields up to the end of the struct.
fn fields<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    let mut markers = Markers::new();
    let mut comment = false;
    for line in lines {
        let code = line.trim();
        if comment || code.starts_with("/*") {
            comment = !code.ends_with("*/");
        } else if code == "}" {
            return Ok(fields);
        } else if let Some(marker) = marker(code) {
            markers.push(marker);
        } else if code.is_empty() {
            markers.clear();
        } else if !code.starts_with("//") {
            fields.extend(
                field(code, std::mem::take(&mut markers)).with_context(|| code.to_owned())?,
            );
        }
    }
    bail!("the struct does not end")
}

fn field(code: &str, markers: Markers) -> Result<Option<Field>> {
    let mut parts = code.split('`');
    let (declared, tags) = (parts.next().unwrap_or_default(), parts.next().context("no tags")?);
    let go_type = declared.split_whitespace().next_back().context("no type")?.to_owned();
    let tag = |name: &str| {
        let (_, rest) = tags.split_once(&format!("{name}:\""))?;
        rest.split('"').next()
    };
    let json = tag("json").context("no name in JSON")?.split(',').next().unwrap_or_default();
    let number = match tag("protobuf").filter(|tag| *tag != "-") {
        None => None,
        Some(tag) => {
            let number = tag.split(',').nth(1).context("no number")?;
            Some(number.parse().with_context(|| format!("the number {number}"))?)
        }
    };
    // The type itself is not part of the message.
    if json.is_empty() && go_type.ends_with("TypeMeta") || json == "-" {
        return Ok(None);
    }
    let text = |name: &str| tag(name).unwrap_or_default().to_owned();
    let (merge_key, merge_strategy) = (text("patchMergeKey"), text("patchStrategy"));
    Ok(Some(Field { go_type, json: json.to_owned(), number, merge_key, merge_strategy, markers }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
package v1

import (
	"k8s.io/apimachinery/pkg/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Amounts is a map.
type Amounts map[string]int64

// Thing is something.
// +structType=atomic
type Thing struct {
	metav1.TypeMeta `json:",inline"`
	// Items are told apart by two fields.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +listMapKey=port
	Items []Item `json:"items,omitempty" patchStrategy:"merge" patchMergeKey:"name" protobuf:"bytes,2,rep,name=items"`

	/*
		What is commented out is no field.
	*/
	Source `json:",inline" protobuf:"bytes,3,opt,name=source"`
	UID    *types.UID `json:"uid" protobuf:"bytes,4,opt,name=uid"` // a comment
	Hidden string `json:"-" protobuf:"bytes,5,opt,name=hidden"`
}
"#;

    #[test]
    fn structs_are_read_with_their_tags_and_markers() {
        let package = Package::parse(TEXT).expect("this is a types.go");
        assert_eq!(package.imports["types"], "k8s.io/apimachinery/pkg/types");
        assert_eq!(package.imports["metav1"], "k8s.io/apimachinery/pkg/apis/meta/v1");
        assert_eq!(package.named["Amounts"], "map[string]int64");
        let thing = &package.structs["Thing"];
        assert_eq!(thing.markers, [("structType".to_owned(), "atomic".to_owned())]);
        let shown: Vec<_> = thing
            .fields
            .iter()
            .map(|f| format!("{} {} {:?} {}", f.json, f.go_type, f.number, f.markers.len()))
            .collect();
        assert_eq!(
            shown,
            ["items []Item Some(2) 3", " Source Some(3) 0", "uid *types.UID Some(4) 0"]
        );
        let items = &thing.fields[0];
        assert_eq!((&*items.merge_key, &*items.merge_strategy), ("name", "merge"));
    }
}
