//! A user: makes a ConfigMap, changes its text a few times, removes it or leaves it. After each step
//! the watchers have to show that the controller did its part.

use std::time::Duration;

use anyhow::{Context, Result};
use fastrand::Rng;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Error,
    api::{DeleteParams, Patch, PatchParams},
    core::Status,
};
use serde_json::json;
use tokio::{sync::watch, time};

use crate::{PATIENCE_S, RETRY_MS, World, follower::State, reconcile};

const TEXTS_MAX: usize = 4;

/// What a user wrote into a ConfigMap.
pub(crate) fn text(map: &ConfigMap) -> &str {
    map.data.as_ref().and_then(|data| data.get("text")).map_or("", String::as_str)
}

/// Works until told to finish.
pub(crate) async fn work(
    world: &World,
    user: u64,
    seed: u64,
    finish: watch::Receiver<bool>,
) -> Result<()> {
    let mut random = Rng::with_seed(seed.wrapping_add(user));
    for number in 0.. {
        if *finish.borrow() {
            break;
        }
        let name = format!("user-{user}-{number}");
        one(world, &name, &mut random).await.with_context(|| name.clone())?;
    }
    Ok(())
}

/// The life of one ConfigMap.
async fn one(world: &World, name: &str, random: &mut Rng) -> Result<()> {
    let map: ConfigMap =
        serde_json::from_value(json!({"metadata": {"name": name}, "data": {"text": "0"}}))?;
    let create = async || world.maps.create(&Default::default(), &map).await;
    insist(create, Status::is_already_exists).await?;
    reconciled(world, name, "0").await?;
    for number in 1..random.usize(1..=TEXTS_MAX) {
        let text = number.to_string();
        let data = json!({"data": {"text": text}});
        let patch = if random.bool() { Patch::Merge(&data) } else { Patch::Strategic(&data) };
        let params = PatchParams::default();
        insist(async || world.maps.patch(name, &params, &patch).await, |_| false).await?;
        reconciled(world, name, &text).await?;
    }
    if random.u8(..3) > 0 {
        let params = DeleteParams::default();
        insist(async || world.maps.delete(name, &params).await, Status::is_not_found).await?;
        shown(&world.maps_seen, |state| !state.live.contains_key(name)).await?;
        shown(&world.jobs_seen, |state| !state.live.contains_key(name)).await?;
    }
    Ok(())
}

async fn reconciled(world: &World, name: &str, text: &str) -> Result<()> {
    let done = |state: &State<ConfigMap>| state.live.get(name).map(reconcile::done) == Some(text);
    shown(&world.maps_seen, done).await
}

/// Waits for what a watcher has to show.
async fn shown<K>(
    seen: &watch::Receiver<State<K>>,
    condition: impl FnMut(&State<K>) -> bool,
) -> Result<()> {
    let mut seen = seen.clone();
    let wait = seen.wait_for(condition);
    time::timeout(Duration::from_secs(PATIENCE_S), wait).await.context("not shown")??;
    Ok(())
}

/// Calls until there is an answer. An answer that was lost shows in the next: it `was_done` before.
async fn insist<T>(
    call: impl AsyncFn() -> Result<T, Error>,
    was_done: impl Fn(&Status) -> bool,
) -> Result<()> {
    loop {
        match call().await {
            Ok(_) => return Ok(()),
            Err(Error::Api(status)) if was_done(&status) => return Ok(()),
            Err(Error::Api(status)) => return Err(Error::Api(status).into()),
            Err(_) => time::sleep(Duration::from_millis(RETRY_MS)).await,
        }
    }
}
