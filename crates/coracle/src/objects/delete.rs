//! `coracle delete`: deletes objects and waits until they are gone, as kubectl does.

use std::time::Duration;

use hyper::Method;
use kinds::{Kind, RUN_ANNOTATION};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::{
    problem::{self, Problem},
    session::Session,
    wait::{LONG_WAIT_S, late, watch_until},
    which::{self, Asked, Named},
};
use crate::{
    cli::{self, Cascade, DryRun},
    client::{As, Body},
    exit::{Code, Failure},
    run::Hints,
};

/// What kubectl says before it takes away what may still run.
const FORCED: &str = "Warning: Immediate deletion does not wait for confirmation that the running \
                      resource has been terminated. The resource may continue to run on the cluster \
                      indefinitely.";

/// The seconds that pods get; `None` for their own.
///
/// # Errors
/// Flags that contradict each other.
fn grace(args: &cli::Delete) -> Result<Option<i64>, String> {
    if args.now && args.grace_period != -1 {
        return Err("--now and --grace-period cannot be specified together".to_owned());
    }
    let asked = if args.now { 1 } else { args.grace_period };
    match (asked, args.force) {
        (1.., true) => {
            Err("--force and --grace-period greater than 0 cannot be specified together".to_owned())
        }
        (..=0, true) => Ok(Some(0)),
        // Nobody loses what runs by mistake: that takes --force.
        (0, false) => Ok(Some(1)),
        (1.., false) => Ok(Some(asked)),
        (..=-1, false) => Ok(None),
    }
}

/// The options of each request.
fn options(args: &cli::Delete, grace: Option<i64>) -> Value {
    let policy = match args.cascade {
        Cascade::Background => "Background",
        Cascade::Foreground => "Foreground",
        Cascade::Orphan => "Orphan",
    };
    let mut options =
        json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy});
    if let Some(seconds) = grace {
        options["gracePeriodSeconds"] = seconds.into();
    }
    if args.dry_run == DryRun::Server {
        options["dryRun"] = json!(["All"]);
    }
    options
}

/// Deletes objects.
pub(crate) async fn delete(args: &cli::Delete) -> Result<Code, Failure> {
    let (asked, selective) = Asked::read_cautiously(&args.which, &args.place, &args.among)?;
    let grace = grace(args).map_err(Failure::failed)?;
    let session = Session::act(&args.place, args.among.reach.all_namespaces).await?;
    if grace == Some(0) {
        complain!("{FORCED}");
    }
    let delete = Delete { args, session: &session, grace };
    let problems = delete.all(asked, selective).await;
    session.end().await;
    Ok(problem::tell(&problems))
}

struct Delete<'a> {
    args: &'a cli::Delete,
    session: &'a Session,
    grace: Option<i64>,
}

impl Delete<'_> {
    async fn all(&self, asked: Asked, selective: bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        let objects = match self.session.names(asked, &self.args.which, &self.args.among).await {
            Ok(objects) => objects,
            Err(problem) => return vec![problem],
        };
        let forgiving = self.args.ignore_not_found || selective;
        let mut deleted = Vec::new();
        for named in &objects {
            match self.one(named).await {
                Ok((uid, true)) => deleted.push((named, uid)),
                Ok((_, false)) => problems.push(self.left_over(named)),
                Err(problem) if forgiving && problem.not_found() => {}
                Err(problem) => problems.push(problem),
            }
        }
        if objects.is_empty() && problems.is_empty() {
            tell!("No resources found");
        }
        if self.args.wait && self.args.dry_run == DryRun::None {
            problems.extend(self.until_gone(&deleted).await);
        }
        problems
    }

    /// Deletes one object, or begins to, and gives the uid that it had and whether it will go.
    async fn one(&self, named: &Named) -> Result<(String, bool), Problem> {
        if self.args.dry_run == DryRun::Client {
            let object = self.session.read_object(named, As::Object, "").await?;
            self.tell(named);
            let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
            return Ok((uid.to_owned(), true));
        }
        let target = self.session.target(named, "")?;
        let body = Body::Json(options(self.args, self.grace));
        let reply =
            self.session.client().request(Method::DELETE, target, As::Object, &body).await?;
        reply.warnings.iter().for_each(|warning| complain!("Warning: {warning}"));
        self.tell(named);
        // What is gone at once is answered with a Status, what takes its time with the object.
        let uid = [&reply.body["details"]["uid"], &reply.body["metadata"]["uid"]];
        let uid = uid.iter().find_map(|uid| uid.as_str()).unwrap_or_default();
        Ok((uid.to_owned(), self.will_go(named.kind, &reply.body).await?))
    }

    /// Whether the server sees to it that what it answered goes: a private one does nothing to the
    /// pods of others.
    async fn will_go(&self, kind: Kind, answer: &Value) -> Result<bool, Problem> {
        let goes_on = answer["metadata"]["deletionTimestamp"].is_string();
        if !goes_on || !matches!(kind, Kind::Pod | Kind::Job) {
            return Ok(true);
        }
        let run = answer["metadata"]["annotations"][RUN_ANNOTATION].as_str();
        self.session.acts_on(run).await.map_err(|failure| Problem::Said(failure.message))
    }

    fn left_over(&self, named: &Named) -> Problem {
        let hints = Hints { data_dir: self.args.place.data_dir.on_command_line() };
        Problem::Said(format!(
            "{} is to go, but is left over from an earlier server, and the private one of a run does \
             nothing to it; it goes with: {}",
            named.shown(),
            hints.up()
        ))
    }

    fn tell(&self, named: &Named) {
        tell!("{}", said(self.args, self.grace, named, self.session.namespace()));
    }

    async fn until_gone(&self, deleted: &[(&Named, String)]) -> Vec<Problem> {
        let limit = match self.args.timeout {
            Duration::ZERO => Duration::from_secs(LONG_WAIT_S),
            limit => limit,
        };
        let deadline = Instant::now() + limit;
        let mut problems = Vec::new();
        for (named, uid) in deleted {
            match timeout_at(deadline, self.gone(named, uid)).await {
                Ok(Ok(())) => {}
                Ok(Err(problem)) => problems.push(problem),
                Err(_) => problems.push(late(named)),
            }
        }
        problems
    }

    /// Returns once nothing of this name and uid is there.
    async fn gone(&self, named: &Named, uid: &str) -> Result<(), Problem> {
        let gone = |object: Option<&Value>| {
            Ok(object.is_none_or(|object| object["metadata"]["uid"] != *uid))
        };
        watch_until(self.session, named, gone).await
    }
}

/// What is said of an object that was deleted.
fn said(args: &cli::Delete, grace: Option<i64>, named: &Named, namespace: &str) -> String {
    if args.output.is_some() {
        return named.shown();
    }
    let kind = which::shown(named.kind);
    let done = if grace == Some(0) { "force deleted" } else { "deleted" };
    let place = match named.kind.info().namespaced {
        true => format!(" from {} namespace", named.namespace.as_deref().unwrap_or(namespace)),
        false => String::new(),
    };
    let dry = match args.dry_run {
        DryRun::None => "",
        DryRun::Client => " (dry run)",
        DryRun::Server => " (server dry run)",
    };
    format!("{kind} \"{}\" {done}{place}{dry}", named.name)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn args(flags: &str) -> cli::Delete {
        let words = format!("coracle delete job/x {flags}");
        match Cli::try_parse_from(words.split_whitespace()).map(|cli| cli.command) {
            Ok(Command::Delete(args)) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn grace_periods_are_kubectls() {
        for (flags, wanted) in [
            ("", Ok(None)),
            ("--grace-period=5", Ok(Some(5))),
            ("--grace-period=0", Ok(Some(1))),
            ("--grace-period=0 --force", Ok(Some(0))),
            ("--force", Ok(Some(0))),
            ("--now", Ok(Some(1))),
            ("--now --grace-period=3", Err(())),
            ("--force --grace-period=3", Err(())),
            ("--force --now", Err(())),
        ] {
            assert_eq!(grace(&args(flags)).map_err(drop), wanted, "{flags}");
        }
    }

    #[test]
    fn options_and_words_follow_the_flags() {
        let args_given = args("--cascade=orphan --dry-run=server");
        assert_eq!(
            options(&args_given, Some(3)),
            json!({
                "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Orphan",
                "gracePeriodSeconds": 3, "dryRun": ["All"],
            })
        );
        assert!(options(&args(""), None).get("gracePeriodSeconds").is_none());
        let job = Named { kind: Kind::Job, namespace: None, name: "x".to_owned() };
        let node = Named { kind: Kind::Node, namespace: None, name: "n".to_owned() };
        for (flags, named, wanted) in [
            ("", &job, "job.batch \"x\" deleted from default namespace"),
            ("", &node, "node \"n\" deleted"),
            ("--force", &job, "job.batch \"x\" force deleted from default namespace"),
            (
                "--dry-run=server",
                &job,
                "job.batch \"x\" deleted from default namespace (server dry run)",
            ),
            ("-o name", &job, "job.batch/x"),
        ] {
            let args = args(flags);
            assert_eq!(said(&args, grace(&args).unwrap(), named, "default"), wanted);
        }
    }
}
