//! The controller: of a ConfigMap it makes a Job of the same name, tells it the ConfigMap's text,
//! and notes on the ConfigMap for which text the Job is there and complete. A finalizer sees to it
//! that the Job goes first.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::StreamExt;
use k8s_openapi::api::{batch::v1::Job, core::v1::ConfigMap};
use kube::{
    Api, Error, Resource, ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
    runtime::{
        Controller,
        controller::Action,
        finalizer::{self, Event, finalizer},
        watcher,
    },
};
use serde_json::{Value, json};

use crate::{RETRY_MS, World, follower::Steady, ours, user};

const FINALIZER: &str = "coracle.local/job";
/// On a ConfigMap: the text for which its Job is there and complete.
const DONE: &str = "coracle.local/done";
/// On a Job: the text of its ConfigMap.
const MADE_FOR: &str = "coracle.local/made-for";

type Failed = finalizer::Error<Error>;

/// Reconciles for ever.
pub(crate) async fn run(world: &World) {
    let controller = Controller::new(world.maps.clone(), ours())
        .owns(world.jobs.clone(), watcher::Config::default())
        .trigger_backoff(Steady);
    let context = Arc::new(world.clone());
    // What fails is tried again; what stays undone is seen at the end.
    controller.run(reconcile, again, context).for_each(|_| std::future::ready(())).await;
}

fn again(_: Arc<ConfigMap>, _: &Failed, _: Arc<World>) -> Action {
    Action::requeue(Duration::from_millis(RETRY_MS))
}

async fn reconcile(map: Arc<ConfigMap>, world: Arc<World>) -> Result<Action, Failed> {
    let world = &world;
    finalizer(&world.maps, FINALIZER, map, |event| async move {
        match event {
            Event::Apply(map) => apply(&map, world).await,
            Event::Cleanup(map) => clean_up(&map, world).await,
        }
    })
    .await
}

async fn apply(map: &ConfigMap, world: &World) -> Result<Action, Error> {
    let (name, text) = (map.name_any(), user::text(map));
    let Some(job) = world.jobs.get_opt(&name).await? else {
        world.jobs.create(&Default::default(), &job_for(map)).await?;
        return Ok(Action::await_change());
    };
    if made_for(&job) != text {
        annotate(&world.jobs, &name, MADE_FOR, text).await?;
    } else if complete(&job) && done(map) != text {
        annotate(&world.maps, &name, DONE, text).await?;
    }
    Ok(Action::await_change())
}

async fn clean_up(map: &ConfigMap, world: &World) -> Result<Action, Error> {
    match world.jobs.delete(&map.name_any(), &DeleteParams::background()).await {
        Err(Error::Api(status)) if status.is_not_found() => {}
        result => drop(result?),
    }
    Ok(Action::await_change())
}

async fn annotate<K>(api: &Api<K>, name: &str, annotation: &str, text: &str) -> Result<(), Error>
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let patch: Value = json!({"metadata": {"annotations": {annotation: text}}});
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.map(drop)
}

fn job_for(map: &ConfigMap) -> Job {
    let container = json!({"name": "main", "image": "coracle.local/host", "command": ["true"]});
    let mut job: Job = serde_json::from_value(json!({"spec": {"template": {"spec": {
        "restartPolicy": "Never", "containers": [container],
    }}}}))
    .expect("this is a Job");
    job.metadata.name = Some(map.name_any());
    job.metadata.owner_references = map.controller_owner_ref(&()).map(|owner| vec![owner]);
    job.metadata.annotations =
        Some(BTreeMap::from([(MADE_FOR.to_owned(), user::text(map).to_owned())]));
    job
}

fn complete(job: &Job) -> bool {
    let conditions = job.status.as_ref().and_then(|status| status.conditions.as_deref());
    conditions.unwrap_or_default().iter().any(|c| c.type_ == "Complete" && c.status == "True")
}

/// The text for which the ConfigMap's Job is there and complete; empty at first.
pub(crate) fn done(map: &ConfigMap) -> &str {
    map.annotations().get(DONE).map_or("", String::as_str)
}

/// The text of the ConfigMap as its Job knows it.
pub(crate) fn made_for(job: &Job) -> &str {
    job.annotations().get(MADE_FOR).map_or("", String::as_str)
}
