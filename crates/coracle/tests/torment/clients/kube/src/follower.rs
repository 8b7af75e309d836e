//! A watcher, and the state that follows from its events. It lists once: across every break it has
//! to go on where it was, and each event must be newer than the last.

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use anyhow::{Result, bail, ensure};
use futures::StreamExt;
use kube::{
    Api, Resource, ResourceExt,
    runtime::{
        WatchStreamExt,
        utils::Backoff,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::RETRY_MS;

/// What a watcher has shown so far.
pub(crate) struct State<K> {
    pub(crate) live: BTreeMap<String, K>,
    events: usize,
    /// How often the watch ended or could not be opened.
    breaks: usize,
    /// The latest revision that was shown.
    version: u64,
    listed: bool,
}

pub(crate) struct Follower<K> {
    state: watch::Sender<State<K>>,
}

impl<K> Follower<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    pub(crate) fn new() -> (Self, watch::Receiver<State<K>>) {
        let live = BTreeMap::new();
        let state = State { live, events: 0, breaks: 0, version: 0, listed: false };
        let (state, seen) = watch::channel(state);
        (Self { state }, seen)
    }

    /// Follows until an event is wrong.
    pub(crate) async fn follow(self, api: Api<K>, config: watcher::Config) -> Result<()> {
        let mut events = std::pin::pin!(watcher(api, config).backoff(Steady));
        let mut fresh = true;
        while let Some(event) = events.next().await {
            match event {
                Err(watcher::Error::WatchError(status)) => bail!("the watch ended: {status:?}"),
                Err(_) => {
                    fresh = true;
                    self.state.send_modify(|state| state.breaks += 1);
                }
                Ok(event) => {
                    if fresh && matches!(event, Event::Apply(_) | Event::Delete(_)) {
                        println!("watching");
                        fresh = false;
                    }
                    let mut result = Ok(());
                    self.state.send_modify(|state| result = state.take(event));
                    result?;
                }
            }
        }
        bail!("the watcher ended")
    }
}

impl<K: Resource<DynamicType = ()> + Debug> State<K> {
    fn take(&mut self, event: Event<K>) -> Result<()> {
        match event {
            Event::Init => ensure!(!self.listed, "listed again: the watch could not be resumed"),
            Event::InitApply(item) => {
                self.version = self.version.max(version(&item)?);
                self.live.insert(item.name_any(), item);
            }
            Event::InitDone => self.listed = true,
            Event::Apply(item) => {
                self.newer(&item)?;
                self.live.insert(item.name_any(), item);
            }
            Event::Delete(item) => {
                self.newer(&item)?;
                let known = self.live.remove(&item.name_any());
                let same = known.is_some_and(|known| known.uid() == item.uid());
                ensure!(same, "deleted, but not known: {item:?}");
            }
        }
        Ok(())
    }

    pub(crate) fn counts(&self) -> String {
        format!("{} events, {} breaks of the watch", self.events, self.breaks)
    }

    fn newer(&mut self, item: &K) -> Result<()> {
        let version = version(item)?;
        ensure!(version > self.version, "not newer than {}: {item:?}", self.version);
        self.version = version;
        self.events += 1;
        Ok(())
    }
}

fn version(item: &impl Resource) -> Result<u64> {
    Ok(item.meta().resource_version.as_deref().unwrap_or_default().parse()?)
}

/// kube-rs waits for 0.8 to 30 s by default. Here the server is back in a moment.
#[derive(Clone, Copy)]
pub(crate) struct Steady;

impl Iterator for Steady {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(Duration::from_millis(RETRY_MS))
    }
}

impl Backoff for Steady {
    fn reset(&mut self) {}
}
