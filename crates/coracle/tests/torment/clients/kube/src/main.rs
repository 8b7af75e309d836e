//! kube-rs against a server that is killed again and again: users create, patch and delete
//! ConfigMaps; a `Controller` makes of each a Job that really runs, and notes its end on the
//! ConfigMap; a `watcher` for each kind follows, from a list and from a streamed list.
//!
//! Called with a kubeconfig and a seed. Prints `watching` for each watcher that delivers again after
//! its watch broke. When standard input is closed the users stop, and everything must be as wanted:
//! each ConfigMap with one Job that ran once, and what the watchers saw is what a list shows.

mod follower;
mod reconcile;
mod user;

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use anyhow::{Context, Result, ensure};
use follower::{Follower, State};
use futures::future;
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ConfigMap, Namespace, Pod},
};
use kube::{
    Api, Client, Config, Resource, ResourceExt,
    api::ListParams,
    config::{KubeConfigOptions, Kubeconfig},
    runtime::watcher,
};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

const NAMESPACE: &str = "kube-rs";

/// The server puts a ConfigMap of its own into every namespace.
const OURS: &str = "metadata.name!=kube-root-ca.crt";

/// How many users there are; each has one ConfigMap at a time, and leaves some behind.
const USERS: u64 = 4;

/// Between two attempts while the server is away, in milliseconds.
const RETRY_MS: u64 = 20;

/// How long a watcher may take to show what was done, across kills, in seconds.
const PATIENCE_S: u64 = 60;

/// What the users, the controller and the watchers work on.
#[derive(Clone)]
struct World {
    maps: Api<ConfigMap>,
    jobs: Api<Job>,
    pods: Api<Pod>,
    maps_seen: watch::Receiver<State<ConfigMap>>,
    jobs_seen: watch::Receiver<State<Job>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().context("usage: kube-client KUBECONFIG SEED");
    let (kubeconfig, seed) = (argument()?, argument()?.parse()?);
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let client = Client::try_from(config)?;
    let namespace = serde_json::from_value(serde_json::json!({"metadata": {"name": NAMESPACE}}))?;
    Api::<Namespace>::all(client.clone()).create(&Default::default(), &namespace).await?;

    let (maps, jobs) = (namespaced(&client), namespaced(&client));
    let (maps_follower, maps_seen) = Follower::new();
    let (jobs_follower, jobs_seen) = Follower::new();
    let follow_maps = maps_follower.follow(maps.clone(), ours());
    let follow_jobs = jobs_follower.follow(jobs.clone(), ours().streaming_lists());
    let world = World { maps, jobs, pods: namespaced(&client), maps_seen, jobs_seen };
    tokio::select! {
        result = work(&world, seed) => result,
        result = follow_maps => result.context("the watcher of ConfigMaps"),
        result = follow_jobs => result.context("the watcher of Jobs"),
        () = reconcile::run(&world) => anyhow::bail!("the controller ended"),
    }
}

/// What is watched: the server's own ConfigMap is not.
pub(crate) fn ours() -> watcher::Config {
    watcher::Config::default().fields(OURS)
}

fn namespaced<K>(client: &Client) -> Api<K>
where
    K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
{
    Api::namespaced(client.clone(), NAMESPACE)
}

/// Lets the users work until standard input is closed, and looks at what came of it.
async fn work(world: &World, seed: u64) -> Result<()> {
    let (finish, finished) = watch::channel(false);
    std::thread::spawn(move || {
        let closed = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        finish.send_replace(closed.is_ok())
    });
    let users = (0..USERS).map(|number| user::work(world, number, seed, finished.clone()));
    future::try_join_all(users).await?;
    let maps = same(&world.maps, &world.maps_seen).await.context("ConfigMaps")?;
    let jobs = same(&world.jobs, &world.jobs_seen).await.context("Jobs")?;
    ensure!(maps.keys().eq(jobs.keys()), "{:?} have Jobs {:?}", maps.keys(), jobs.keys());
    let pods = world.pods.list(&ListParams::default()).await?.items;
    for (map, job) in maps.values().zip(jobs.values()) {
        let text = user::text(map);
        ensure!(reconcile::done(map) == text, "not reconciled: {map:?}");
        ensure!(reconcile::made_for(job) == text, "of another text than {text}: {job:?}");
        let succeeded = job.status.as_ref().and_then(|status| status.succeeded);
        let mine =
            |pod: &&Pod| pod.owner_references().iter().any(|o| Some(&o.uid) == job.uid().as_ref());
        let pods = pods.iter().filter(mine).count();
        ensure!(succeeded == Some(1) && pods == 1, "{pods} pods of {job:?}");
    }
    println!("{} ConfigMaps left, each with a Job that ran once", maps.len());
    println!("ConfigMaps: {}", world.maps_seen.borrow().counts());
    println!("Jobs: {}", world.jobs_seen.borrow().counts());
    Ok(())
}

/// What a list shows, which the watcher has to know too.
async fn same<K>(api: &Api<K>, seen: &watch::Receiver<State<K>>) -> Result<BTreeMap<String, K>>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + PartialEq,
{
    let listed = api.list(&ListParams::default().fields(OURS)).await?;
    let listed = listed.items.into_iter().map(|item| (item.name_any(), item)).collect();
    let mut seen = seen.clone();
    let equal = seen.wait_for(|state| state.live == listed);
    let result = tokio::time::timeout(Duration::from_secs(PATIENCE_S), equal).await.map(drop);
    result.with_context(|| format!("listed {listed:?}, watched {:?}", seen.borrow().live))?;
    Ok(listed)
}
