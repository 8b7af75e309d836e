//! Turns Go structs into the text of the tables.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    Packages,
    go::{Field, Markers},
};

/// Longest line of the written tables.
const LINE_LENGTH_MAX: usize = 100;

/// The variants of `Shape`, of which a file imports what it uses.
const SHAPES: [&str; 13] = [
    "Any",
    "Bool",
    "Bytes",
    "Int32",
    "Int64",
    "IntOrString",
    "List",
    "Map",
    "MicroTime",
    "Object",
    "Quantity",
    "String",
    "Time",
];

/// One written file.
pub(super) struct File {
    pub(super) text: String,
    pub(super) types: usize,
}

/// The files by name.
pub(super) fn write(
    packages: &mut Packages,
    roots: &[(&str, &'static str, &'static str)],
) -> Result<BTreeMap<&'static str, File>> {
    let mut writer = Writer { packages, seen: BTreeMap::new(), types: Vec::new() };
    for (package, name, home) in roots {
        writer.visit(package, name, home, true)?;
    }
    let Writer { seen, types, .. } = writer;
    let homes: BTreeMap<String, &str> =
        seen.into_iter().map(|((_, name), home)| (static_name(&name), home)).collect();
    ensure!(homes.len() == types.len(), "two types have the same name");
    let mut files: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for (home, text) in types {
        files.entry(home).or_default().push(text);
    }
    let file = |name: &'static str, texts: &Vec<String>| File {
        text: file_text(name, &texts.join("\n"), &homes),
        types: texts.len(),
    };
    Ok(files.iter().map(|(name, texts)| (*name, file(name, texts))).collect())
}

struct Writer<'a> {
    packages: &'a mut Packages,
    /// The file of every type, by package and name.
    seen: BTreeMap<(String, String), &'static str>,
    types: Vec<(&'static str, String)>,
}

/// One line of a table: the field's name in JSON and the whole entry.
type Entry = (String, String);

impl Writer<'_> {
    /// Writes a struct and everything that it reaches.
    fn visit(&mut self, package: &str, name: &str, home: &'static str, root: bool) -> Result<()> {
        let home = match package.rsplit('/').nth(1) {
            Some("core") if name.contains("Volume") => "volume",
            Some("meta") => "meta",
            _ => home,
        };
        let key = (package.to_owned(), name.to_owned());
        if self.seen.contains_key(&key) {
            return Ok(());
        }
        self.seen.insert(key, home);
        let place = self.types.len();
        self.types.push((home, String::new()));
        let mut entries = self.entries(package, name, home, None)?;
        if root {
            for name in ["apiVersion", "kind"] {
                entries.push((name.to_owned(), format!("f(\"{name}\", 0, String)")));
            }
        }
        entries.sort();
        let markers = &self.packages.get(package)?.structs[name].markers;
        let atomic = has(markers, "structType", "atomic");
        self.types[place].1 = type_text(name, atomic, &entries);
        Ok(())
    }

    /// The entries of a struct; `inside` is the number of the message it is embedded as.
    fn entries(
        &mut self,
        package: &str,
        name: &str,
        home: &'static str,
        inside: Option<u8>,
    ) -> Result<Vec<Entry>> {
        let declared = self.packages.get(package)?.structs.get(name);
        let fields =
            declared.with_context(|| format!("no struct {package}.{name}"))?.fields.clone();
        let mut entries = Vec::new();
        for field in fields {
            if field.json.is_empty() {
                ensure!(inside.is_none(), "{name} embeds in what is embedded");
                entries.extend(self.entries(package, &field.go_type, home, field.number)?);
                continue;
            }
            let entry = self.entry(package, &field, home, inside);
            entries.push((
                field.json.clone(),
                entry.with_context(|| format!("{name}.{}", field.json))?,
            ));
        }
        Ok(entries)
    }

    fn entry(
        &mut self,
        package: &str,
        field: &Field,
        home: &'static str,
        inside: Option<u8>,
    ) -> Result<String> {
        let number = field.number.context("no number in protobuf")?;
        let (function, go_type) = match field.go_type.strip_prefix('*') {
            Some(pointed) => ("p", pointed),
            None => ("f", &*field.go_type),
        };
        let shape = self.shape(package, go_type, home)?;
        let mut entry = format!("{function}(\"{}\", {number}, {shape})", field.json);
        if let Some(inside) = inside {
            write!(entry, ".inside({inside})")?;
        }
        entry += &merge(field, &shape)?;
        Ok(entry)
    }

    /// The shape of a Go type as it is written in `package`.
    fn shape(&mut self, package: &str, go_type: &str, home: &'static str) -> Result<String> {
        if go_type == "[]byte" {
            return Ok("Bytes".to_owned());
        }
        if let Some(item) = go_type.strip_prefix("[]") {
            return Ok(format!("List(&{})", self.shape(package, item, home)?));
        }
        if let Some(map) = go_type.strip_prefix("map[") {
            let (_, item) = map.split_once(']').context("a map of what?")?;
            return Ok(format!("Map(&{})", self.shape(package, item, home)?));
        }
        let (package, name) = match go_type.split_once('.') {
            None => (package.to_owned(), go_type),
            Some((alias, name)) => {
                let path = self.packages.get(package)?.imports.get(alias);
                (path.with_context(|| format!("no import {alias}"))?.clone(), name)
            }
        };
        if let Some(scalar) = scalar(&package, name) {
            return Ok(scalar.to_owned());
        }
        if let Some(underlying) = self.packages.get(&package)?.named.get(name) {
            let underlying = underlying.clone();
            return self.shape(&package, &underlying, home);
        }
        self.visit(&package, name, home, false)?;
        Ok(format!("Object(&{})", static_name(name)))
    }
}

fn scalar(package: &str, name: &str) -> Option<&'static str> {
    Some(match (package.rsplit('/').next()?, name) {
        (_, "string") | ("types", "UID" | "NodeName") => "String",
        (_, "int32") => "Int32",
        (_, "int64") => "Int64",
        (_, "bool") => "Bool",
        ("resource", "Quantity") => "Quantity",
        ("intstr", "IntOrString") => "IntOrString",
        ("runtime", "RawExtension") | ("v1", "FieldsV1") => "Any",
        ("v1", "Time") => "Time",
        ("v1", "MicroTime") => "MicroTime",
        _ => return None,
    })
}

fn has(markers: &Markers, name: &str, value: &str) -> bool {
    markers.iter().any(|(n, v)| n == name && v == value)
}

/// How patches and server-side apply take the field apart, where that is not what its shape says.
fn merge(field: &Field, shape: &str) -> Result<String> {
    let markers = &field.markers;
    let (merges, retains) = match &*field.merge_strategy {
        "" | "replace" => (false, ""),
        "merge" => (true, ""),
        "retainKeys" => (false, ".retain_keys()"),
        "merge,retainKeys" => (true, ".retain_keys()"),
        other => bail!("no such patch strategy: {other}"),
    };
    let merge_key = &*field.merge_key;
    let all_keys = markers.iter().filter(|(name, _)| name == "listMapKey");
    let keys: Vec<&str> = all_keys.map(|(_, key)| &**key).collect();
    let list = markers.iter().find(|(n, _)| n == "listType").map_or("atomic", |(_, v)| v);
    let whole = ["mapType", "structType"].iter().any(|name| has(markers, name, "atomic"));
    let parts = match list {
        "map" if merges && keys == [merge_key] => return Ok(format!(".by(&{keys:?}){retains}")),
        "map" => format!(".keys(&{keys:?})"),
        "set" => ".set()".to_owned(),
        "atomic" if whole && !shape.starts_with("List") => ".atomic()".to_owned(),
        "atomic" => String::new(),
        other => bail!("no such list type: {other}"),
    };
    let merges = if merges { format!(".merge({merge_key:?})") } else { String::new() };
    Ok(merges + retains + &parts)
}

/// `POD_SPEC` for `PodSpec`.
fn static_name(name: &str) -> String {
    let mut out = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let after_lower = at > 0 && !letters[at - 1].is_uppercase();
        let before_lower = letters.get(at + 1).is_some_and(|c| c.is_lowercase());
        if at > 0 && letter.is_uppercase() && (after_lower || before_lower) {
            out.push('_');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out
}

fn type_text(name: &str, atomic: bool, entries: &[Entry]) -> String {
    let function = if atomic { "atomic" } else { "t" };
    let mut text =
        format!("pub(super) static {}: Type = {function}(\"{name}\", &[", static_name(name));
    let mut line = String::new();
    for (_, entry) in entries {
        if line.len() + entry.len() + 5 > LINE_LENGTH_MAX {
            text += &format!("\n    {}", line.trim_end());
            line.clear();
        }
        line += &format!("{entry}, ");
    }
    if !line.is_empty() {
        text += &format!("\n    {}\n", line.trim_end());
    }
    text + "]);\n"
}

fn file_text(file: &str, all: &str, homes: &BTreeMap<String, &str>) -> String {
    let words: BTreeSet<&str> = all.split(|c: char| !c.is_alphanumeric()).collect();
    let mut imports: BTreeSet<String> = BTreeSet::from(["Type".into()]);
    imports.extend(SHAPES.iter().filter(|s| words.contains(*s)).map(|s| format!("Shape::{s}")));
    for function in ["atomic", "f", "p", "t"] {
        if all
            .split(|c: char| !c.is_alphanumeric() && c != '(' && c != '.')
            .any(|w| w == format!("{function}("))
        {
            imports.insert(function.to_owned());
        }
    }
    for target in all.split("Object(&").skip(1).filter_map(|rest| rest.split(')').next()) {
        if homes[target] != file {
            imports.insert(format!("{}::{target}", homes[target]));
        }
    }
    let mut head = format!(
        "//! Types of the API, those of `{file}`, written by `cargo xtask codegen` from the published\n\
         //! definitions of Kubernetes 1.36; change the generator, not this file.\n\nuse super::{{"
    );
    let mut line = String::new();
    for import in imports {
        if line.len() + import.len() + 6 > LINE_LENGTH_MAX {
            head += &format!("\n    {}", line.trim_end());
            line.clear();
        }
        line += &format!("{import}, ");
    }
    head + &format!("\n    {}\n}};\n\n", line.trim_end()) + all
}
