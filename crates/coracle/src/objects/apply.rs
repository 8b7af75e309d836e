//! `coracle apply`: creates objects, or brings those that are there to what the files say. What was
//! applied last is kept in the annotation that kubectl uses, in the same bytes, so that both can be
//! used on one object.

use hyper::Method;
use kinds::{Kind, manifest::Manifest, patch};
use serde_json::{Map, Value, json};

use super::{
    get::{self, Shape},
    print::json as json_text,
    problem::{self, Problem},
    session::{self, Session},
    which::{self, Named},
};
use crate::{
    cli::{self, DryRun},
    client::{As, Body},
    exit::{Code, Failure},
};

/// The annotation with the configuration that was applied last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Who manages the fields: kubectl's name for the same thing.
const MANAGER: &str = "fieldManager=kubectl-client-side-apply&fieldValidation=Strict";

/// Applies files.
pub(crate) async fn apply(args: &cli::Apply) -> Result<Code, Failure> {
    let mut wanted = Vec::new();
    for manifest in which::manifests(&args.files)? {
        wanted.push(Wanted::of(&manifest, &args.place).map_err(Failure::failed)?);
    }
    let session = Session::act(&args.place, false).await?;
    if !session.is_up().await? {
        return Err(Failure::failed(
            "the server here belongs to `coracle run` and acts on nothing else; end that and start \
             `coracle up -d`, or run the files with `coracle run -f`",
        ));
    }
    let mut problems = Vec::new();
    let mut objects = Vec::new();
    for wanted in &wanted {
        match one(args, &session, wanted).await {
            Ok(object) => objects.push((wanted.named.kind, object)),
            Err(problem) => problems.push(problem),
        }
    }
    if let Some(form) = args.output.as_ref().filter(|_| !objects.is_empty()) {
        let single = objects.len() == 1;
        let shape = Shape { managed_fields: false, headers: true };
        match get::in_form(objects, single, form, shape) {
            Ok(text) => get::print(&text),
            Err(wrong) => problems.push(Problem::Said(wrong)),
        }
    }
    Ok(problem::tell(&problems))
}

/// What a file wants.
#[derive(Debug)]
struct Wanted {
    named: Named,
    /// With the annotation.
    object: Value,
    /// The file.
    source: String,
}

impl Wanted {
    /// # Errors
    /// It has no name, or belongs elsewhere.
    fn of(manifest: &Manifest, place: &cli::Place) -> Result<Self, String> {
        let metadata = &manifest.draft.metadata;
        let at = format!("{}:{}", manifest.source, manifest.line);
        let Some(name) = metadata.name.clone() else {
            return Err(match &metadata.generate_name {
                Some(prefix) => format!("{at}: from {prefix}: cannot use generate name with apply"),
                None => format!("{at}: metadata.name: Required value"),
            });
        };
        which::agree(metadata.namespace.as_deref(), place)?;
        let mut object: Value = serde_json::from_slice(&manifest.draft.to_json())
            .map_err(|error| format!("{at}: {error}"))?;
        let kind = manifest.kind;
        let own = metadata.namespace.as_ref().or(place.namespace.as_ref());
        let namespace =
            kind.info().namespaced.then(|| own.map_or_else(|| "default".to_owned(), String::clone));
        if let Some(namespace) = &namespace {
            object["metadata"]["namespace"] = json!(namespace);
        }
        let source = manifest.source.clone();
        Ok(Self { named: Named { kind, namespace, name }, object: annotated(object), source })
    }
}

/// The object with itself in its annotation.
fn annotated(mut object: Value) -> Value {
    let annotations = &mut object["metadata"]["annotations"];
    if !annotations.is_object() {
        *annotations = Value::Object(Map::new());
    }
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.remove(LAST_APPLIED);
    }
    let applied = json_text::compact(&object) + "\n";
    object["metadata"]["annotations"][LAST_APPLIED] = applied.into();
    object
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Created,
    Configured,
    Unchanged,
}

/// Applies one object and gives it as it is then.
async fn one(args: &cli::Apply, session: &Session, wanted: &Wanted) -> Result<Value, Problem> {
    let named = &wanted.named;
    let (done, object) = match session.read_object(named, As::Object, "").await {
        Ok(live) => bring(args, session, wanted, live).await?,
        Err(problem) if problem.not_found() => {
            (Done::Created, create(args, session, wanted).await?)
        }
        Err(problem) => return Err(problem),
    };
    if args.output.is_none() {
        tell!("{}", said(named, done, args.dry_run));
    }
    let mut items = session::items(named.kind, object);
    Ok(items.pop().unwrap_or(Value::Null))
}

fn said(named: &Named, done: Done, dry_run: DryRun) -> String {
    let done = match done {
        Done::Created => "created",
        Done::Configured => "configured",
        Done::Unchanged => "unchanged",
    };
    let dry = match dry_run {
        DryRun::None => "",
        DryRun::Client => " (dry run)",
        DryRun::Server => " (server dry run)",
    };
    format!("{} {done}{dry}", named.shown())
}

/// The query of a write.
fn query(dry_run: DryRun) -> String {
    let dry = if dry_run == DryRun::Server { "&dryRun=All" } else { "" };
    format!("{MANAGER}{dry}")
}

async fn create(args: &cli::Apply, session: &Session, wanted: &Wanted) -> Result<Value, Problem> {
    if args.dry_run == DryRun::Client {
        return Ok(wanted.object.clone());
    }
    let target = session.place_of(&wanted.named, &query(args.dry_run));
    let body = Body::Json(wanted.object.clone());
    send(session, Method::POST, target, &body, &format!("creating {:?}", wanted.source)).await
}

/// Brings an object that is there to what is wanted.
async fn bring(
    args: &cli::Apply,
    session: &Session,
    wanted: &Wanted,
    live: Value,
) -> Result<(Done, Value), Problem> {
    let named = &wanted.named;
    let last = live["metadata"]["annotations"][LAST_APPLIED].as_str();
    let resource = format!("{}/{}", named.kind.info().plural, named.name);
    if last.is_none() {
        complain!(
            "Warning: resource {resource} is missing the {LAST_APPLIED} annotation which is required \
             by coracle apply. coracle apply should only be used on resources created declaratively \
             by either coracle apply or kubectl apply. The missing annotation will be patched \
             automatically."
        );
    }
    let patch = difference(named.kind, last, &wanted.object, &live)?;
    if patch == json!({}) {
        return Ok((Done::Unchanged, live));
    }
    if live["metadata"]["deletionTimestamp"].is_string() {
        complain!(
            "Warning: Detected changes to resource {} which is currently being deleted.",
            named.name
        );
    }
    if args.dry_run == DryRun::Client {
        return Ok((Done::Configured, live));
    }
    let target = session.target(named, &query(args.dry_run))?;
    let doing = format!("patching {:?}", wanted.source);
    let object = send(session, Method::PATCH, target, &Body::StrategicMerge(patch), &doing).await?;
    // What only looks different, such as another way to write a quantity, makes no revision.
    let revision = |object: &Value| object["metadata"]["resourceVersion"].clone();
    let same = args.dry_run == DryRun::None && revision(&object) == revision(&live);
    Ok((if same { Done::Unchanged } else { Done::Configured }, object))
}

fn difference(
    kind: Kind,
    last: Option<&str>,
    wanted: &Value,
    live: &Value,
) -> Result<Value, Problem> {
    let bytes = |value: &Value| value.to_string().into_bytes();
    let patch = patch::three_way(kind, last.map(str::as_bytes), &bytes(wanted), &bytes(live));
    serde_json::from_slice(&patch).map_err(|error| Problem::Said(error.to_string()))
}

async fn send(
    session: &Session,
    method: Method,
    target: String,
    body: &Body,
    doing: &str,
) -> Result<Value, Problem> {
    match session.client().request(method, target, As::Object, body).await {
        Ok(reply) => {
            reply.warnings.iter().for_each(|warning| complain!("Warning: {warning}"));
            Ok(reply.body)
        }
        Err(error) => Err(Problem::Doing(error, doing.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use kinds::manifest;

    use super::*;

    fn wanted(text: &str) -> Result<Wanted, String> {
        let manifests = manifest::parse("a.yaml", text.as_bytes()).expect("a manifest");
        let data_dir = cli::DataDir { given: None };
        Wanted::of(&manifests[0], &cli::Place { namespace: None, data_dir })
    }

    /// The bytes that kubectl 1.36 writes for the same file.
    #[test]
    fn the_annotation_is_what_kubectl_writes() {
        let text =
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: words\ndata:\n  b: <&>\n  a: x\n";
        let object = wanted(text).unwrap().object;
        assert_eq!(
            object["metadata"]["annotations"][LAST_APPLIED],
            "{\"apiVersion\":\"v1\",\"data\":{\"a\":\"x\",\"b\":\"\\u003c\\u0026\\u003e\"},\"kind\":\
             \"ConfigMap\",\"metadata\":{\"annotations\":{},\"name\":\"words\",\"namespace\":\
             \"default\"}}\n"
        );
        // Applying what is there already changes nothing, and keeps no annotation of itself.
        assert_eq!(annotated(object.clone()), object);
        let last = object["metadata"]["annotations"][LAST_APPLIED].as_str();
        let patch = difference(Kind::ConfigMap, last, &object, &object).unwrap();
        assert_eq!(patch, json!({}));
    }

    #[test]
    fn an_object_needs_a_name_and_its_kind_a_place() {
        let node = wanted("apiVersion: v1\nkind: Namespace\nmetadata: {name: here}\n").unwrap();
        assert_eq!(node.named.namespace, None);
        let wrong =
            wanted("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x-}\n").unwrap_err();
        assert_eq!(wrong, "a.yaml:1: from x-: cannot use generate name with apply");
    }

    #[test]
    fn what_was_done_is_said_as_kubectl_says_it() {
        let named = Named { kind: Kind::Job, namespace: None, name: "x".to_owned() };
        assert_eq!(said(&named, Done::Created, DryRun::None), "job.batch/x created");
        assert_eq!(
            said(&named, Done::Unchanged, DryRun::Server),
            "job.batch/x unchanged (server dry run)"
        );
    }
}
