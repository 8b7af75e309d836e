//! `coracle rerun`: a Job that has finished once more, under a new name, from its object or, where
//! that is gone, from the history.

mod origin;
mod plan;

use self::origin::Origin;
use crate::{
    cli, clock,
    data_dir::Home,
    exit::{Code, Failure},
    link::{Link, Visit},
    run::{self, Hints},
    target::Target,
};

/// Where objects are that name no namespace.
const NAMESPACE: &str = "default";

/// Runs a finished Job again.
pub(crate) async fn rerun(args: &cli::Rerun) -> Result<Code, Failure> {
    let Target::Job(name) = Target::parse(&args.job, true)? else {
        return Err(Failure::usage("only jobs can be run again; say job/NAME"));
    };
    let namespace = args.place.namespace.as_deref().unwrap_or(NAMESPACE);
    let Some(home) = Home::existing(&args.place.data_dir)? else {
        return Err(origin::nowhere(namespace, &name));
    };
    // A private server stays from the look to the run.
    let visit = Visit::begin(&home).await?;
    let result = again(args, visit.link(), namespace, &name).await;
    visit.end().await;
    result
}

async fn again(
    args: &cli::Rerun,
    link: &Link,
    namespace: &str,
    name: &str,
) -> Result<Code, Failure> {
    let origin = Origin::find(link, namespace, name).await?;
    let plan = plan::plan(&origin, args.failed, fastrand::u64(..)).map_err(Failure::usage)?;
    let hints = Hints { data_dir: args.place.data_dir.on_command_line() };
    run::carry_out(link, &plan, &args.following, &hints, clock::now()).await
}
