//! Writes `crates/kinds/src/schema/{batch,core,meta,node,volume}.rs`: every type that is reachable from a
//! served kind, with its fields and their shapes, from the definitions that k8s-openapi publishes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use anyhow::{Context, Result, bail};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ConfigMap, Event, Namespace, Node, Pod, Secret},
    node::v1::RuntimeClass,
};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

/// The served kinds, in the order of the table of kinds.
const ROOTS: [fn(&mut SchemaGenerator); 8] = [
    add::<Namespace>,
    add::<Node>,
    add::<ConfigMap>,
    add::<Secret>,
    add::<Pod>,
    add::<Event>,
    add::<Job>,
    add::<RuntimeClass>,
];

/// The variants of `Shape`.
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

/// Longest line of the written table.
const LINE_LENGTH_MAX: usize = 100;

fn add<T: JsonSchema>(generator: &mut SchemaGenerator) {
    generator.subschema_for::<T>();
}

fn main() -> Result<()> {
    let mut generator = SchemaGenerator::default();
    for root in ROOTS {
        root(&mut generator);
    }
    let definitions = generator.definitions();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/kinds/src/schema");
    let mut files: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
    let mut homes: BTreeMap<String, &str> = BTreeMap::new();
    for (name, schema) in definitions {
        if scalar(name).is_some() {
            continue;
        }
        let file = module(name)?;
        if homes.insert(static_name(name), file).is_some() {
            bail!("two types are called {name}");
        }
        files.entry(file).or_default().push((name.clone(), type_text(name, schema)?));
    }
    for (file, types) in &files {
        fs::write(folder.join(format!("{file}.rs")), file_text(file, types, &homes))?;
    }
    println!("{} types in {} files", files.values().map(Vec::len).sum::<usize>(), files.len());
    Ok(())
}

/// The shape of the definitions that are no structs.
fn scalar(name: &str) -> Option<&'static str> {
    Some(match name {
        "io.k8s.apimachinery.pkg.api.resource.Quantity" => "Quantity",
        "io.k8s.apimachinery.pkg.util.intstr.IntOrString" => "IntOrString",
        "io.k8s.apimachinery.pkg.apis.meta.v1.Time" => "Time",
        "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime" => "MicroTime",
        "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1" => "Any",
        _ => return None,
    })
}

fn module(name: &str) -> Result<&'static str> {
    Ok(match name.rsplit_once('.').context("a definition without a group")?.0 {
        "io.k8s.api.core.v1" if name.contains("Volume") => "volume",
        "io.k8s.api.core.v1" => "core",
        "io.k8s.api.batch.v1" => "batch",
        "io.k8s.api.node.v1" => "node",
        "io.k8s.apimachinery.pkg.apis.meta.v1" => "meta",
        other => bail!("no file for the definitions of {other}"),
    })
}

fn static_name(name: &str) -> String {
    let short = name.rsplit('.').next().unwrap_or(name);
    let mut out = String::new();
    let letters: Vec<char> = short.chars().collect();
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

fn type_text(name: &str, schema: &Value) -> Result<String> {
    let short = name.rsplit('.').next().unwrap_or(name);
    let empty = Map::new();
    let properties = match schema.get("properties") {
        Some(properties) => properties.as_object().context("properties is no object")?,
        None => &empty,
    };
    let mut text = format!(
        "pub(super) static {}: Type = Type {{ name: \"{short}\", fields: &[",
        static_name(name)
    );
    let mut line = String::new();
    for (field, schema) in properties {
        let shape = shape(schema).with_context(|| format!("{name}.{field}"))?;
        let entry = format!("f(\"{field}\", {shape}),");
        if line.len() + entry.len() + 4 > LINE_LENGTH_MAX {
            write!(text, "\n    {}", line.trim_end())?;
            line.clear();
        }
        line += &format!("{entry} ");
    }
    if !line.is_empty() {
        write!(text, "\n    {}\n", line.trim_end())?;
    }
    text += "] };\n";
    Ok(text)
}

fn shape(schema: &Value) -> Result<String> {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let name = target.rsplit('/').next().unwrap_or(target);
        return Ok(
            scalar(name).map_or_else(|| format!("Object(&{})", static_name(name)), Into::into)
        );
    }
    if let Some([one]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        return shape(one);
    }
    let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
    Ok(match (text("type"), text("format")) {
        ("string", "") => "String".into(),
        ("string", "byte") => "Bytes".into(),
        ("integer", "int32") => "Int32".into(),
        ("integer", "int64") => "Int64".into(),
        ("boolean", "") => "Bool".into(),
        ("array", "") => format!("List(&{})", shape(schema.get("items").context("no items")?)?),
        ("object", "") => {
            let item = schema.get("additionalProperties").context("an object of what?")?;
            format!("Map(&{})", shape(item)?)
        }
        (kind, format) => bail!("no shape for type {kind:?} format {format:?}: {schema}"),
    })
}

fn file_text(file: &str, types: &[(String, String)], homes: &BTreeMap<String, &str>) -> String {
    let all: String = types.iter().map(|(_, text)| format!("\n{text}")).collect();
    let mut imports: BTreeSet<String> = BTreeSet::from(["Type".into(), "f".into()]);
    for shape in SHAPES {
        if all.split(|c: char| !c.is_alphanumeric()).any(|word| word == shape) {
            imports.insert(format!("Shape::{shape}"));
        }
    }
    for target in all.split("Object(&").skip(1).filter_map(|rest| rest.split(')').next()) {
        if homes[target] != file {
            imports.insert(format!("{}::{target}", homes[target]));
        }
    }
    let mut head = format!(
        "//! Types of group `{file}`, written by `xtask/codegen` from the published definitions of\n\
         //! Kubernetes 1.36; change the generator, not this file.\n\nuse super::{{"
    );
    let mut line = String::new();
    for import in imports {
        if line.len() + import.len() + 6 > LINE_LENGTH_MAX {
            head += &format!("\n    {}", line.trim_end());
            line.clear();
        }
        line += &format!("{import}, ");
    }
    head + &format!("\n    {}\n}};\n", line.trim_end()) + &all
}
