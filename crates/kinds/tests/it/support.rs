//! How the cases are written and asked. Admission cases do not repeat whole objects: they name a
//! base object (`tests/it/bases.yaml`) and the fields that differ, one `path = JSON` per line;
//! `path -` removes the field.

use std::fmt::Write as _;

use jiff::Timestamp;
use kinds::{
    Draft, FieldErrors, Kind, Object, Uid,
    admit::{self, Context, Subresource},
    decode::{self, FieldValidation, Form},
    manifest, protobuf,
};
use serde_json::Value;

/// One case of a file.
pub(crate) struct Case {
    pub(crate) title: String,
    pub(crate) input: String,
    pub(crate) expected: String,
}

/// Cases are `# title`, input, `----`, expected; `====` stands between them.
pub(crate) fn read_cases(text: &str) -> Vec<Case> {
    text.split("\n====\n")
        .map(|case| {
            let case = case.trim_matches('\n');
            let (title, rest) = case.split_once('\n').expect("a case has a title");
            assert!(title.starts_with("# "), "a case starts with its title: {title}");
            let (input, expected) = rest.split_once("\n----").expect("a case has a ----");
            let expected = expected.trim_matches('\n').to_owned();
            Case { title: title.to_owned(), input: input.to_owned(), expected }
        })
        .collect()
}

pub(crate) fn write_cases(cases: &[Case]) -> String {
    let texts: Vec<String> =
        cases.iter().map(|c| format!("{}\n{}\n----\n{}\n", c.title, c.input, c.expected)).collect();
    texts.join("====\n")
}

/// A file; `\t`, `\r` and `\u{feff}` are written as `␉`, `␍` and `BOM`.
pub(crate) fn manifest(input: &str) -> String {
    let text = input.replace('␉', "\t").replace('␍', "\r").replace("BOM", "\u{feff}");
    match manifest::parse("job.yaml", text.as_bytes()) {
        Err(errors) => errors.to_string(),
        Ok(manifests) => {
            let texts = manifests.iter().map(|m| {
                let json = String::from_utf8(m.draft.to_json()).unwrap();
                format!("{}: {json}", m.line)
            });
            texts.collect::<Vec<_>>().join("\n")
        }
    }
}

/// A file whose objects are admitted; what admission says has the lines of the file.
pub(crate) fn located(input: &str) -> String {
    let manifests = manifest::parse("job.yaml", input.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
    let texts = manifests.iter().map(|manifest| {
        let mut draft = manifest.draft.clone();
        let namespaced = manifest.kind.info().namespaced;
        draft.metadata.namespace = namespaced.then(|| "default".to_owned());
        match admit::create(draft, &context()) {
            Ok(_) => "ok".to_owned(),
            Err(errors) => manifest.locate(&errors).to_string(),
        }
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// First line: kind, field validation and, if it is no JSON, `yaml`. The rest: the body.
pub(crate) fn body(input: &str) -> String {
    let (head, body) = input.split_once('\n').expect("a head and a body");
    let words: Vec<&str> = head.split(' ').collect();
    let kind = kind_of(words[0]);
    let validation = words.get(1).copied().unwrap_or_default();
    let validation = FieldValidation::parse(validation).expect("a field validation");
    let form = if words.get(2) == Some(&"yaml") { Form::Yaml } else { Form::Json };
    match decode::body(kind, form, body.as_bytes(), validation) {
        Err(error) => format!("{} {:?}: {}", error.reason.code(), error.reason, error.message),
        Ok((draft, warnings)) => {
            let mut text = String::from_utf8(draft.to_json()).unwrap();
            for warning in warnings {
                write!(text, "\nwarning: {warning}").unwrap();
            }
            text
        }
    }
}

/// The bytes in hexadecimal; a line before them, if there is one, says what is expected.
pub(crate) fn protobuf(input: &str) -> String {
    let mut lines = input.lines().peekable();
    let expected = lines.next_if(|line| line.contains(' '));
    let digits: Vec<u8> = lines.flat_map(str::bytes).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
    match protobuf::decode(&bytes, expected.and_then(|line| line.split_once(' '))) {
        Err(error) => error.to_string(),
        Ok(message) => String::from_utf8(message.json).unwrap(),
    }
}

/// A base and changes. Without errors the fields that admission changed or added are the answer.
pub(crate) fn create(input: &str) -> String {
    let (json, kind, rest) = changed_base(input);
    let draft = decoded(kind, &json);
    match admit::create(draft, &context()) {
        Err(errors) => error_text(&errors),
        Ok((draft, warnings)) => shown(&draft, &rest, &warnings),
    }
}

/// A base and changes, a line `main` or `status`, more changes: an update from one to the other.
/// Changes after a line `stored` are made to the old object after its admission, for one that only
/// an older version would have admitted.
pub(crate) fn update(input: &str) -> String {
    let lines: Vec<&str> = input.lines().collect();
    let part = |line: &str| match line {
        "main" => Some(Subresource::Main),
        "status" => Some(Subresource::Status),
        "ephemeralcontainers" => Some(Subresource::EphemeralContainers),
        _ => None,
    };
    let at = lines.iter().position(|line| part(line).is_some()).expect("what is written to");
    let (before, after) = (lines[..at].join("\n"), lines[at + 1..].join("\n"));
    let (before, stored) = before.split_once("\nstored\n").unwrap_or((&before, ""));
    let subresource = part(lines[at]).unwrap();
    let (json, kind, _) = changed_base(before);
    let mut draft = decoded(kind, &json);
    let (status, deletion) =
        (draft.rest.get("status").cloned(), draft.metadata.deletion_timestamp.clone());
    draft = admit::create(draft, &context()).expect("the old object is valid").0;
    if let Some(status) = status {
        draft.rest.insert("status".to_owned(), status);
    }
    draft.metadata.deletion_timestamp = deletion;
    let mut json: Value = serde_json::from_slice(&draft.to_json()).unwrap();
    change(&mut json, stored);
    draft = decoded(kind, &json);
    let old: Object = draft.seal(7);
    let mut json: Value = serde_json::from_slice(&old.json()).unwrap();
    let rest = change(&mut json, &after);
    match admit::update(&old, decoded(kind, &json), subresource) {
        Err(errors) => error_text(&errors),
        Ok((draft, warnings)) => shown(&draft, &rest, &warnings),
    }
}

pub(crate) fn context() -> Context {
    let now: Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
    Context { uid: Uid::parse("11111111-2222-4333-8444-555555555555").unwrap(), now }
}

pub(crate) fn kind_of(name: &str) -> Kind {
    kinds::KINDS.iter().find(|k| k.name == name).unwrap_or_else(|| panic!("no kind {name}")).kind
}

pub(crate) fn decoded(kind: Kind, json: &Value) -> Draft {
    let body = json.to_string();
    let decoded = decode::body(kind, Form::Json, body.as_bytes(), FieldValidation::Strict);
    decoded.unwrap_or_else(|e| panic!("{e}: {json}")).0
}

/// Longest error that is shown whole, in bytes; of a longer one both ends are.
const ERROR_BYTES_MAX: usize = 5000;

/// Most errors that are shown.
const ERRORS_MAX: usize = 20;

fn error_text(errors: &FieldErrors) -> String {
    assert!(!errors.is_empty(), "a refusal says why");
    let text = |error: &kinds::FieldError| match error.to_string() {
        text if text.len() > ERROR_BYTES_MAX => {
            format!("{} ({} bytes) {}", &text[..100], text.len(), &text[text.len() - 100..])
        }
        text => text,
    };
    let mut lines: Vec<String> = errors.iter().take(ERRORS_MAX).map(text).collect();
    if errors.len() > ERRORS_MAX {
        lines.push(format!("({} errors)", errors.len()));
    }
    lines.join("\n")
}

/// The fields that are asked for with `? path`, then the warnings; `ok` if there is nothing to show.
fn shown(draft: &Draft, asked: &[String], warnings: &[String]) -> String {
    let json: Value = serde_json::from_slice(&draft.to_json()).unwrap();
    let mut lines: Vec<String> = Vec::new();
    for path in asked {
        lines.push(format!("{path} = {}", at(&mut json.clone(), path)));
    }
    lines.extend(warnings.iter().map(|w| format!("warning: {w}")));
    if lines.is_empty() { "ok".to_owned() } else { lines.join("\n") }
}

/// The base that the first line names, changed; its kind; the paths asked for.
pub(crate) fn changed_base(input: &str) -> (Value, Kind, Vec<String>) {
    let (name, changes) = input.split_once('\n').unwrap_or((input, ""));
    let bases = manifest::parse("bases.yaml", include_bytes!("bases.yaml"))
        .unwrap_or_else(|e| panic!("{e}"));
    let base = bases
        .into_iter()
        .find(|b| b.draft.metadata.name.as_deref() == Some(name))
        .unwrap_or_else(|| panic!("no base {name}"));
    let mut json = serde_json::from_slice(&base.draft.to_json()).unwrap();
    let asked = change(&mut json, changes);
    (json, base.kind, asked)
}

pub(crate) fn change(json: &mut Value, changes: &str) -> Vec<String> {
    let mut asked = Vec::new();
    for line in changes.lines().filter(|l| !l.is_empty()) {
        if let Some(path) = line.strip_prefix("? ") {
            asked.push(path.to_owned());
        } else if let Some(path) = line.strip_suffix(" -") {
            remove(json, path);
        } else {
            let (path, value) = line.split_once(" = ").unwrap_or_else(|| panic!("{line}"));
            let value = expand(value);
            *at(json, path) =
                serde_json::from_str(&value).unwrap_or_else(|e| panic!("{line}: {e}"));
        }
    }
    asked
}

/// `"a"*300` is the text of 300 letters, `[1]*20` the list of 20 ones, `[1..20]` that of the numbers.
fn expand(value: &str) -> String {
    if let Some((text, count)) = value.strip_prefix('"').and_then(|rest| rest.split_once("\"*")) {
        return format!("{:?}", text.repeat(count.parse().unwrap()));
    }
    if let Some((item, count)) = value.strip_prefix('[').and_then(|rest| rest.rsplit_once("]*")) {
        return format!("[{}]", vec![item; count.parse().unwrap()].join(","));
    }
    let range = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')?.split_once(".."));
    let ends = range.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    let Some((first, last)) = ends else { return value.to_owned() };
    Value::from((first..=last).collect::<Vec<i32>>()).to_string()
}

/// `a.b[0].c`; keys with dots stand in quotes: `labels."a.b/c"`. Indexes keep their bracket.
fn steps(path: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let mut quoted = false;
    for c in path.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => steps.push(String::new()),
            '[' if !quoted => steps.push("[".to_owned()),
            ']' if !quoted => {}
            c => steps.last_mut().unwrap().push(c),
        }
    }
    steps
}

fn at<'a>(json: &'a mut Value, path: &str) -> &'a mut Value {
    steps(path).iter().fold(json, |at, name| step(at, name))
}

/// A field or an item; what is not there is made.
fn step<'a>(at: &'a mut Value, name: &str) -> &'a mut Value {
    if let Some(index) = name.strip_prefix('[') {
        let index: usize = index.parse().unwrap();
        if at.is_null() {
            *at = Value::Array(Vec::new());
        }
        let items = at.as_array_mut().unwrap();
        if index == items.len() {
            items.push(Value::Null);
        }
        return &mut items[index];
    }
    if at.is_null() {
        *at = Value::Object(serde_json::Map::new());
    }
    at.as_object_mut().unwrap().entry(name).or_insert(Value::Null)
}

fn remove(json: &mut Value, path: &str) {
    let mut steps = steps(path);
    let last = steps.pop().unwrap();
    let parent = steps.iter().fold(json, |at, name| step(at, name));
    parent.as_object_mut().unwrap().remove(&last).unwrap_or_else(|| panic!("{path} is there"));
}
