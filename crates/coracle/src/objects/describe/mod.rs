//! `coracle describe`: everything about an object in kubectl's layout, its events at the end; of a
//! failed Job also what `run` would have said. Reading is here, writing in the files beside.

#[cfg(test)]
mod cases;
mod container;
mod cron_job;
mod events;
mod job;
mod node;
mod others;
mod pod;
mod volumes;
mod writer;

use kinds::{Kind, StatusError};
use serde_json::Value;

use self::writer::{Writer, text};
use super::{
    get,
    problem::{self, Problem},
    session::{self, Session},
    which::{Asked, Named, typed},
};
use crate::{
    cli,
    client::{As, Error, LogOptions},
    clock,
    exit::{Code, Failure},
    run::{Hints, LookBack, TAIL_LINES_MAX},
};

/// Where nodes say that they live.
const NODE_LEASES: &str = "kube-node-lease";

/// Describes objects.
pub(crate) async fn describe(args: &cli::Describe) -> Result<Code, Failure> {
    let asked = Asked::read(&args.which, &args.place, args.which.selector.is_some())?;
    let session = Session::look(&args.place, args.reach.all_namespaces).await?;
    let describe = Describe { args, session: &session };
    let mut problems = Vec::new();
    let mut whole = String::new();
    let objects = describe.objects(asked, &mut problems).await;
    // Of many objects events are shown only where somebody asks for them.
    let events = args.show_events.unwrap_or(objects.len() == 1);
    for found in objects {
        match describe.one(found.kind, &found.object, events).await {
            Ok(text) if found.alike => whole += &(text + "\n"),
            Ok(text) if whole.is_empty() => whole = text,
            Ok(text) => whole += &format!("\n\n{text}"),
            Err(problem) => problems.push(problem),
        }
    }
    session.end().await;
    get::print(&whole);
    Ok(problem::tell(&problems))
}

/// An object that is to be described.
struct Found {
    kind: Kind,
    object: Value,
    /// Whether only the beginning of its name was given.
    alike: bool,
}

impl Found {
    fn of(kind: Kind, objects: Vec<Value>, alike: bool) -> Vec<Self> {
        objects.into_iter().map(|object| Self { kind, object, alike }).collect()
    }
}

/// One `describe`.
struct Describe<'a> {
    args: &'a cli::Describe,
    session: &'a Session,
}

impl Describe<'_> {
    async fn objects(&self, asked: Asked, problems: &mut Vec<Problem>) -> Vec<Found> {
        let mut found = Vec::new();
        let mut take = |read: Result<Vec<Found>, Problem>| match read {
            Ok(objects) => found.extend(objects),
            Err(problem) => problems.push(problem),
        };
        match asked {
            Asked::Objects(names) => {
                for named in names {
                    take(self.named(&named).await);
                }
            }
            Asked::Kinds(kinds) => {
                for kind in &kinds {
                    take(self.all(*kind).await.map(|objects| Found::of(*kind, objects, false)));
                }
                if found.is_empty() && problems.is_empty() {
                    self.session.tell_nothing(kinds.iter().all(|kind| kind.info().namespaced));
                }
            }
        }
        found
    }

    async fn all(&self, kind: Kind) -> Result<Vec<Value>, Problem> {
        let labels = self.args.which.selector.as_deref().unwrap_or_default();
        self.list(self.session.collection(kind, labels, "", &[]), kind).await
    }

    async fn list(&self, target: String, kind: Kind) -> Result<Vec<Value>, Problem> {
        Ok(session::items(kind, self.session.read(target, As::Object).await?))
    }

    /// The object of this name, or those whose names begin so.
    async fn named(&self, named: &Named) -> Result<Vec<Found>, Problem> {
        let kind = named.kind;
        match self.session.read_object(named, As::Object, "").await {
            Ok(object) => Ok(Found::of(kind, session::items(kind, object), false)),
            Err(problem) if problem.not_found() && self.args.which.files.is_empty() => {
                let mut alike = self.all(kind).await?;
                alike.retain(|object| text(&object["metadata"]["name"]).starts_with(&named.name));
                if alike.is_empty() { Err(problem) } else { Ok(Found::of(kind, alike, true)) }
            }
            Err(problem) => Err(problem),
        }
    }

    /// The description of an object, with what has to be read for it.
    async fn one(&self, kind: Kind, object: &Value, events: bool) -> Result<String, Problem> {
        let mut writer = Writer::new(clock::now());
        match kind {
            Kind::Pod => pod::pod(&mut writer, object),
            Kind::Job => job::job(&mut writer, object, &self.failure(object).await?),
            Kind::CronJob => cron_job::cron_job(&mut writer, object),
            Kind::Node => {
                let (pods, lease) = (self.pods_of_node(object).await?, self.lease(object).await);
                node::node(&mut writer, object, &pods, &lease);
            }
            Kind::Namespace => {
                let within = self.within(object).await?;
                others::other(&mut writer, kind, object, &within);
            }
            _ => others::other(&mut writer, kind, object, &[]),
        }
        if events && others::has_events(kind) {
            let events = self.events(kind, object).await?;
            events::write(&mut writer, &events, kind == Kind::Pod && pod::has_parts(object));
        }
        Ok(writer.finish())
    }

    async fn events(&self, kind: Kind, object: &Value) -> Result<Vec<Value>, Problem> {
        let metadata = &object["metadata"];
        let (name, uid) = (text(&metadata["name"]), text(&metadata["uid"]));
        let namespace = text(&metadata["namespace"]);
        // What runs the pods of a node knows it by name alone.
        let uids = if kind == Kind::Node { vec![uid, name.clone()] } else { vec![uid] };
        let mut events = Vec::new();
        for uid in uids {
            let fields = format!("involvedObject.name={name},involvedObject.uid={uid}");
            let target = session::of_namespace(Kind::Event, &namespace, "", &fields);
            events.extend(self.list(target, Kind::Event).await?);
        }
        Ok(events)
    }

    /// What `run` would have said of a Job that failed.
    async fn failure(&self, object: &Value) -> Result<Vec<String>, Problem> {
        let job = typed(Kind::Job, object).map_err(Problem::Said)?;
        let (namespace, uid) = (&job.key.namespace, job.meta.uid);
        let labels = format!("batch.kubernetes.io/controller-uid={uid}");
        let target = session::of_namespace(Kind::Pod, namespace, &labels, "");
        let mut pods = Vec::new();
        for pod in self.list(target, Kind::Pod).await? {
            pods.push(typed(Kind::Pod, &pod).map_err(Problem::Said)?);
        }
        let Some(failed) = LookBack::at(&job, &pods) else { return Ok(Vec::new()) };
        let mut log = Vec::new();
        if let Some(clue) = failed.clue() {
            let lines = i64::try_from(TAIL_LINES_MAX).unwrap_or(i64::MAX);
            let options = LogOptions {
                container: clue.container,
                tail_lines: Some(lines),
                ..LogOptions::default()
            };
            // A log that is gone leaves the rest of the story.
            if let Ok(mut stream) =
                self.session.client().pod_log(namespace, &clue.pod, &options).await
            {
                while let Ok(Some(bytes)) = stream.next().await {
                    log.extend_from_slice(&bytes);
                }
            }
        }
        let hints = Hints { data_dir: self.args.place.data_dir.on_command_line() };
        Ok(failed.lines(&log, &hints))
    }

    async fn pods_of_node(&self, node: &Value) -> Result<Vec<Value>, Problem> {
        let name = text(&node["metadata"]["name"]);
        let fields = format!("spec.nodeName={name},status.phase!=Succeeded,status.phase!=Failed");
        self.list(session::of_namespace(Kind::Pod, "", "", &fields), Kind::Pod).await
    }

    async fn lease(&self, node: &Value) -> Result<Value, String> {
        let name = text(&node["metadata"]["name"]);
        let lease = Named { kind: Kind::Lease, namespace: Some(NODE_LEASES.to_owned()), name };
        match self.session.read_object(&lease, As::Object, "").await {
            Ok(lease) => Ok(lease),
            Err(problem) if problem.not_found() => {
                Err(Error::from(StatusError::not_found(Kind::Lease, &lease.name)).to_string())
            }
            Err(problem) => Err(problem.text()),
        }
    }

    /// The quotas and limits of a namespace.
    async fn within(&self, namespace: &Value) -> Result<Vec<(Kind, Vec<Value>)>, Problem> {
        let name = text(&namespace["metadata"]["name"]);
        let mut within = Vec::new();
        for kind in [Kind::ResourceQuota, Kind::LimitRange] {
            let target = session::of_namespace(kind, &name, "", "");
            within.push((kind, self.list(target, kind).await?));
        }
        Ok(within)
    }
}
