//! What must hold for any input: nothing panics, what is admitted can be read by everyone, and
//! admission is done after one time.

use kinds::{
    Draft, KINDS, Kind, Object,
    admit::{self, Subresource},
    decode::{self, FieldValidation, Form},
    manifest, protobuf,
    quantity::Quantity,
    selector::{FieldSelector, Selector},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use crate::support::context;

/// Names that mean something somewhere, so that random objects get past the first level.
const NAMES: [&str; 52] = [
    "metadata",
    "name",
    "namespace",
    "labels",
    "finalizers",
    "ownerReferences",
    "uid",
    "spec",
    "template",
    "containers",
    "image",
    "command",
    "env",
    "value",
    "valueFrom",
    "fieldRef",
    "resources",
    "limits",
    "requests",
    "cpu",
    "memory",
    "volumes",
    "volumeMounts",
    "emptyDir",
    "hostPath",
    "path",
    "configMap",
    "items",
    "restartPolicy",
    "completions",
    "parallelism",
    "completionMode",
    "selector",
    "matchLabels",
    "manualSelector",
    "status",
    "conditions",
    "startTime",
    "data",
    "handler",
    "hard",
    "max",
    "min",
    "default",
    "scopes",
    "scopeSelector",
    "ports",
    "port",
    "targetPort",
    "clusterIP",
    "sessionAffinity",
    "secrets",
];

const TEXTS: [&str; 14] = [
    "",
    "a",
    "job",
    "Never",
    "Indexed",
    "64Mi",
    "500m",
    "AA==",
    "2026-01-02T03:04:05Z",
    "..",
    "a/b",
    "-",
    "ü",
    "True",
];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        select(vec![0, 1, -1, 3, i64::MAX]).prop_map(Value::from),
        Just(json!(0.5)),
        select(TEXTS.to_vec()).prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((select(NAMES.to_vec()), inner), 0..5).prop_map(|entries| {
                let fields = entries.into_iter().map(|(name, v)| (name.to_owned(), v));
                Value::Object(fields.collect::<Map<_, _>>())
            }),
        ]
    })
}

/// Any text, and texts that look like selectors.
fn selector_text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "(metadata.name|spec.nodeName|spec.type|type)(=|==|!=)[a-z\\\\,=]{0,8}(,a)?",
        "[a-z/!=<>(), in0-9]{0,24}",
        "[-+0-9.eEKMGi]{0,12}",
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    select(KINDS.iter().map(|info| info.kind).collect::<Vec<_>>())
}

/// One of the bases with some of its values replaced or taken away.
fn mutated() -> impl Strategy<Value = (Kind, Value)> {
    let bases = manifest::parse("bases.yaml", include_bytes!("bases.yaml")).unwrap();
    let bases: Vec<(Kind, Value)> = bases
        .into_iter()
        .map(|m| (m.kind, serde_json::from_slice(&m.draft.to_json()).unwrap()))
        .collect();
    (select(bases), vec((any::<u16>(), select(NAMES.to_vec()), prop::option::of(value())), 0..4))
        .prop_map(|((kind, mut json), changes)| {
            for (place, name, value) in changes {
                mutate(&mut json, usize::from(place), name, value);
            }
            (kind, json)
        })
}

/// Walks down by the digits of `place` and changes what it finds there.
fn mutate(json: &mut Value, place: usize, name: &str, value: Option<Value>) {
    let turn = place % 8;
    match json {
        Value::Object(fields) if turn > 1 && !fields.is_empty() => {
            let at = place / 8 % fields.len();
            let (_, inner) = fields.iter_mut().nth(at).unwrap();
            mutate(inner, place / 8, name, value);
        }
        Value::Array(items) if !items.is_empty() => {
            let at = place / 8 % items.len();
            mutate(&mut items[at], place / 8, name, value);
        }
        Value::Object(fields) => {
            match value {
                Some(value) => fields.insert(name.to_owned(), value),
                None => fields.keys().nth(turn).cloned().and_then(|key| fields.remove(&key)),
            };
        }
        other => *other = value.unwrap_or_default(),
    }
}

/// Reads the object in every way there is.
fn read(object: &Object) {
    match object.key.kind {
        Kind::Pod => {
            let pod = object.pod();
            admit::qos_class(&pod.spec.unwrap_or_default());
        }
        Kind::Job => drop(object.job()),
        Kind::ConfigMap => drop(object.config_map()),
        Kind::Secret => drop(object.secret()),
        Kind::Node => drop(object.node()),
        Kind::RuntimeClass => drop(object.runtime_class()),
        Kind::Event => drop(object.event()),
        Kind::ServiceAccount => drop(object.service_account()),
        Kind::PriorityClass => drop(object.priority_class()),
        Kind::LimitRange => drop(object.limit_range()),
        Kind::ResourceQuota => drop(object.resource_quota()),
        Kind::CronJob => drop(object.cron_job()),
        Kind::Namespace | Kind::Service | Kind::Lease | Kind::PodTemplate => {}
    }
    assert_eq!(object.draft().to_json(), &object.json()[..], "a draft loses nothing");
}

/// Decodes and admits; what is admitted is read, and admitted again without a change.
fn admit_all(kind: Kind, json: &Value) {
    let body = json.to_string();
    for validation in [FieldValidation::Strict, FieldValidation::Ignore] {
        let Ok((draft, _)) = decode::body(kind, Form::Json, body.as_bytes(), validation) else {
            continue;
        };
        let Ok((draft, _)) = admit::create(draft, &context()) else { continue };
        let object = draft.seal(1);
        read(&object);
        let again = admit::update(&object, object.draft(), Subresource::Main);
        let (draft, _) = again.unwrap_or_else(|e| panic!("{e:?}: {:?}", object.json()));
        assert_eq!(draft.seal(1).json(), object.json(), "admission is done after one time");
        let status =
            decode::body(kind, Form::Json, body.as_bytes(), FieldValidation::Ignore).unwrap().0;
        let mut draft = object.draft();
        draft.rest.extend(status.rest.into_iter().filter(|(name, _)| name == "status"));
        if let Ok((draft, _)) = admit::update(&object, draft, Subresource::Status) {
            read(&draft.seal(2));
        }
    }
}

proptest! {

    #[test]
    fn any_json_is_refused_or_admitted(kind in kind(), json in value()) {
        admit_all(kind, &json);
    }

    #[test]
    fn mutated_objects_are_refused_or_admitted((kind, json) in mutated()) {
        admit_all(kind, &json);
    }

    #[test]
    fn any_text_is_a_file_or_an_error(text in "[a-z0-9:{}\\[\\]&*!|>'\"#%,?@` \t\n-]{0,60}") {
        let _ = manifest::parse("x", text.as_bytes());
    }

    #[test]
    fn any_bytes_are_a_file_or_a_body_or_an_error(kind in kind(), bytes in vec(any::<u8>(), 0..60)) {
        let _ = manifest::parse("x", &bytes);
        for form in [Form::Json, Form::Yaml] {
            let _ = decode::body(kind, form, &bytes, FieldValidation::Strict);
        }
        let expected = kind.info().api_version();
        let _ = protobuf::decode(&bytes, Some((&expected, kind.info().name)));
    }

    #[test]
    fn any_text_is_a_selector_or_an_error(kind in kind(), text in selector_text()) {
        let _ = Selector::parse(&text);
        let _ = Quantity::parse(&text);
        if let Ok(selector) = FieldSelector::parse(kind, &text) {
            let json = json!({"metadata": {"name": "a", "uid": context().uid.to_string()}});
            let draft = Draft::from_json(kind, json.to_string().as_bytes()).unwrap();
            let _ = selector.matches(&draft.seal(1));
        }
    }

    #[test]
    fn a_file_and_a_body_mean_the_same((kind, json) in mutated()) {
        let text = json.to_string();
        let body = decode::body(kind, Form::Json, text.as_bytes(), FieldValidation::Strict);
        if let Ok(manifests) = manifest::parse("x", text.as_bytes())
            && let [manifest] = manifests.as_slice()
        {
            let (draft, _) = body.expect("what a file may say a body may say");
            prop_assert_eq!(draft.to_json(), manifest.draft.to_json());
        }
    }

    #[test]
    fn a_draft_keeps_every_byte(value in value(), name in select(NAMES.to_vec())) {
        let json = json!({"metadata": {"name": "a", "uid": context().uid.to_string()}});
        let mut draft = Draft::from_json(Kind::ConfigMap, json.to_string().as_bytes()).unwrap();
        if name != "metadata" {
            let raw = serde_json::value::to_raw_value(&value).unwrap();
            draft.rest.insert(name.to_owned(), raw);
        }
        let before: Vec<_> = draft.rest.iter().map(|(k, v)| (k.clone(), v.to_string())).collect();
        let again = draft.seal(3).draft();
        let after: Vec<_> = again.rest.iter().map(|(k, v)| (k.clone(), v.to_string())).collect();
        prop_assert_eq!(before, after);
    }
}
