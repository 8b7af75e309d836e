//! `coracle logs`: the output of a pod, or of all pods of a Job, as long as their objects are there.

use std::io::IsTerminal as _;

use kinds::{Key, Kind, Object};

use crate::{
    cli,
    client::{self, LogOptions, Selection},
    clock,
    data_dir::Home,
    exit::{Code, Failure},
    link::{self, Link, Visit},
    run::{self, Form, Formatter, Screen, Show},
    target::Target,
};

/// Prints logs.
pub(crate) async fn logs(args: &cli::Logs) -> Result<Code, Failure> {
    let target = Target::parse(&args.target, false)?;
    let Some(home) = Home::existing(&args.data_dir)? else {
        let directory = Home::locate(&args.data_dir)?;
        return Err(Failure::usage(format!(
            "{} does not exist: nothing ran there",
            directory.display()
        )));
    };
    let visit = Visit::begin(&home).await?;
    let result = match (&target, args.follow) {
        (Target::Job(name), true) => follow_job(args, visit.link(), name).await,
        _ => match sources(args, &target, visit.link()).await {
            Ok(sources) => print(args, visit.link(), sources).await,
            Err(failure) => Err(failure),
        },
    };
    visit.end().await;
    result.map(|()| Code::OK)
}

/// Follows a Job to its end, pods that are still to come included.
async fn follow_job(args: &cli::Logs, link: &Link, name: &str) -> Result<(), Failure> {
    let namespace = args.namespace.as_deref().unwrap_or("default");
    let key = Key::new(Kind::Job, namespace, name);
    let object = link.client().get(&key).await.map_err(|error| missing(&error))?;
    let job = object.job();
    let one_pod = run::is_single_pod(&job) && !args.prefix;
    let form = match one_pod {
        true => Form::Raw,
        false => Form::Lines { prefix: args.prefix || std::io::stdout().is_terminal() },
    };
    let (screen, thread) = Screen::start(false);
    let wanted = |read: &run::LogRead| {
        args.index.is_none_or(|index| read.index == Some(index))
            && args.container.as_ref().is_none_or(|container| read.container == *container)
    };
    let result = run::attend_logs(link, &screen, &object, form, options(args), wanted).await;
    thread.finish(screen).await;
    result
}

/// A log to be read.
#[derive(Clone, Debug)]
struct Source {
    pod: Key,
    container: String,
    prefix: String,
}

async fn sources(args: &cli::Logs, target: &Target, link: &Link) -> Result<Vec<Source>, Failure> {
    let namespace = args.namespace.as_deref().unwrap_or("default");
    let pods = match target {
        Target::Pod(name) => {
            let key = Key::new(Kind::Pod, namespace, name);
            vec![link.client().get(&key).await.map_err(|error| missing(&error))?]
        }
        Target::Job(name) => {
            let key = Key::new(Kind::Job, namespace, name);
            link.client().get(&key).await.map_err(|error| missing(&error))?;
            let labels = format!("batch.kubernetes.io/job-name={name}");
            let which = Selection { namespace, labels: &labels, fields: "" };
            let list = link.client().list(Kind::Pod, which).await;
            list.map_err(|error| link::failure(&error))?
        }
    };
    let mut pods: Vec<(Option<u32>, Object)> =
        pods.into_iter().map(|pod| (index(&pod), pod)).collect();
    pods.retain(|(index, _)| args.index.is_none() || *index == args.index);
    if let (Some(index), true) = (args.index, pods.is_empty()) {
        return Err(Failure::usage(format!("{} has no pod of index {index}", args.target)));
    }
    // The pods of an index in the order of their attempts.
    pods.sort_by_key(|(index, pod)| (*index, pod.meta.created_s, pod.meta.revision));
    let mut sources = Vec::new();
    for (index, pod) in pods {
        sources.extend(of_pod(args, index, &pod)?);
    }
    Ok(sources)
}

fn of_pod(args: &cli::Logs, index: Option<u32>, pod: &Object) -> Result<Vec<Source>, Failure> {
    let spec = pod.pod().spec.unwrap_or_default();
    let early = spec.init_containers.into_iter().flatten();
    let all = early.chain(spec.containers).map(|container| container.name);
    let all: Vec<String> = all.collect();
    let wanted: Vec<&String> = match &args.container {
        Some(name) => all.iter().filter(|container| *container == name).collect(),
        None => all.iter().collect(),
    };
    if wanted.is_empty() {
        return Err(Failure::usage(format!(
            "pod {} has no container {:?}; it has {}",
            pod.key.name,
            args.container.as_deref().unwrap_or_default(),
            all.join(", ")
        )));
    }
    let name = index.map_or_else(|| pod.key.name.to_string(), |index| index.to_string());
    let source = |container: &String| Source {
        pod: pod.key.clone(),
        container: container.clone(),
        prefix: match all.len() {
            1 => format!("[{name}] "),
            _ => format!("[{name} {container}] "),
        },
    };
    Ok(wanted.into_iter().map(source).collect())
}

fn index(pod: &Object) -> Option<u32> {
    pod.meta.labels.get(reconcile::INDEX_KEY)?.parse().ok()
}

fn missing(error: &client::Error) -> Failure {
    match error.status() {
        Some(status) if status.reason == kinds::Reason::NotFound => {
            Failure::usage(format!("{status}; coracle history lists jobs that finished"))
        }
        _ => link::failure(error),
    }
}

/// One after the other, in order.
async fn print(args: &cli::Logs, link: &Link, sources: Vec<Source>) -> Result<(), Failure> {
    let form = match (sources.len(), args.prefix) {
        (_, true) => Form::Lines { prefix: true },
        (0 | 1, false) => Form::Raw,
        _ => Form::Lines { prefix: std::io::stdout().is_terminal() },
    };
    let (screen, thread) = Screen::start(false);
    let mut result = Ok(());
    for source in sources {
        if let Err(failure) = copy(link, &screen, source, form, options(args)).await {
            result = Err(failure);
            break;
        }
    }
    thread.finish(screen).await;
    result
}

fn options(args: &cli::Logs) -> LogOptions {
    let seconds = |since: std::time::Duration| i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    LogOptions {
        follow: args.follow,
        previous: args.previous,
        timestamps: args.timestamps,
        since_seconds: args.since.map(seconds),
        tail_lines: args.tail.map(|lines| i64::try_from(lines).unwrap_or(i64::MAX)),
        ..LogOptions::default()
    }
}

async fn copy(
    link: &Link,
    screen: &Screen,
    source: Source,
    form: Form,
    mut options: LogOptions,
) -> Result<(), Failure> {
    options.container = source.container;
    let failure = |error: client::Error| link::failure(&error);
    let pod = &source.pod;
    let mut log =
        link.client().pod_log(&pod.namespace, &pod.name, &options).await.map_err(failure)?;
    let mut formatter = Formatter::plain(form, source.prefix);
    while let Some(bytes) = log.next().await.map_err(failure)? {
        screen.show(Show::Output(formatter.push(&bytes, clock::now()))).await;
    }
    let (rest, _) = formatter.finish(clock::now());
    screen.show(Show::Output(rest)).await;
    Ok(())
}
