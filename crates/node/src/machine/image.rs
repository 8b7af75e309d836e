//! Which image a container gets: the machine itself, a directory on it, or one that has to be found
//! and perhaps pulled first; and the wait for one that cannot be had, as upstream waits.

use images::Reference;
use jiff::{SignedDuration, Timestamp};
use kinds::{Key, Kind, types::core::v1::PodSpec};
use spawner::protocol::{ContainerId, Root};

use super::{
    Context, Event, News, PodMachine,
    container::{State, Wait},
    restart,
};
use crate::{
    Config, HOST_IMAGE, ImageNews, ImageRequest, Output, PullPolicy, containers,
    start::{Attempt, Refusal},
    volumes,
};

/// How long until an image that may not be pulled, or whose name is none, is looked for again,
/// seconds.
const ABSENT_RETRY_S: i64 = 60;

/// How long a failed pull shows as such before it shows as backing off, seconds.
const PULL_ERROR_SHOWN_S: i64 = 2;

/// Why there is no image, as the API names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ImageError {
    /// The reference cannot be read.
    Invalid(String),
    /// It is not here, and `imagePullPolicy: Never` forbids fetching it.
    Never(String),
    /// It is not here and cannot be pulled.
    Pull(String),
}

/// A container that waits for its image.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ImageWait {
    pub(crate) error: ImageError,
    /// Failed tries so far, this one included.
    pub(crate) tries: u32,
    /// Whether it is shown as backing off by now.
    pub(crate) backing_off: bool,
    /// When something changes: the back-off shows, or the next try is due.
    pub(crate) until: Timestamp,
}

impl ImageWait {
    /// A try that failed just now, after `tries` others.
    pub(crate) fn failed(error: ImageError, tries: u32, now: Timestamp) -> Self {
        let until = now + SignedDuration::from_secs(PULL_ERROR_SHOWN_S);
        Self { error, tries: tries + 1, backing_off: false, until }
    }

    /// The back-off begins to show; the next try is due when it is over.
    pub(crate) fn back_off(&mut self, now: Timestamp) {
        let delay = i64::from(restart::delay_s(self.tries)) - PULL_ERROR_SHOWN_S;
        self.backing_off = true;
        self.until = now + SignedDuration::from_secs(delay);
    }

    /// The waiting reason and message.
    pub(crate) fn words(&self, image: &str) -> (&'static str, String) {
        match &self.error {
            ImageError::Invalid(text) => ("InvalidImageName", text.clone()),
            ImageError::Never(text) => ("ErrImageNeverPull", text.clone()),
            ImageError::Pull(text) if self.backing_off => {
                let text = format!("Back-off pulling image \"{image}\": ErrImagePull: {text}");
                ("ImagePullBackOff", text)
            }
            ImageError::Pull(text) => ("ErrImagePull", text.clone()),
        }
    }
}

/// The root of an attempt's image: known from its name, or from the image that was found.
pub(crate) fn root(attempt: &Attempt) -> Result<Root, Refusal> {
    let image = attempt.specs().1.image.as_deref().unwrap_or_default();
    if let Some(root) = of_machine(image, attempt.config) {
        return Ok(root);
    }
    match attempt.image {
        Some(found) => Ok(Root::Directory(found.root.to_string_lossy().into_owned())),
        None => Err(Refusal::NoImageYet),
    }
}

/// Whether a container of the pod needs an image that has to be found.
pub(crate) fn any_to_find(spec: Option<&PodSpec>, config: &Config) -> bool {
    let names = spec.into_iter().flat_map(containers::all);
    names.filter_map(|(_, c)| c.image.as_deref()).any(|image| of_machine(image, config).is_none())
}

/// The machine itself or a directory on it.
fn of_machine(image: &str, config: &Config) -> Option<Root> {
    if is_host(image) {
        let host = &config.host;
        return Some(Root::Host {
            trees: host.trees.clone(),
            links: host.links.clone(),
            hidden: host.hidden.clone(),
        });
    }
    let directory = config.images.get(image).or_else(|| config.images.get(name_of(image)))?;
    Some(Root::Directory(directory.to_string_lossy().into_owned()))
}

/// Whether it is the image that is the machine itself, with whatever tag.
pub(crate) fn is_host(image: &str) -> bool {
    name_of(image) == HOST_IMAGE
}

/// The reference without tag and digest.
fn name_of(image: &str) -> &str {
    let rest = image.split_once('@').map_or(image, |(rest, _)| rest);
    let slash = rest.rfind('/').map_or(0, |at| at + 1);
    rest[slash..].split_once(':').map_or(rest, |(last, _)| &rest[..slash + last.len()])
}

/// What the pod's `imagePullSecrets` hold, and those that are not there.
fn credentials(spec: &PodSpec, namespace: &str, context: &Context) -> (Vec<String>, Vec<String>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for secret in spec.image_pull_secrets.iter().flatten() {
        let key = Key::new(Kind::Secret, namespace, &secret.name);
        let data = volumes::contents(context.objects, &key);
        let config = data
            .as_ref()
            .and_then(|data| data.get(".dockerconfigjson").or_else(|| data.get(".dockercfg")));
        match config {
            Some(config) => found.push(String::from_utf8_lossy(config).into_owned()),
            None if data.is_some() => {}
            None => missing.push(secret.name.clone()),
        }
    }
    (found, missing)
}

impl PodMachine {
    /// Asks for the image of a container's newest attempt.
    pub(super) fn find_image(&mut self, index: usize, context: &mut Context) {
        let container = &mut self.containers[index];
        let state = std::mem::replace(&mut container.state, State::Waiting(Wait::Creating));
        let before = match state {
            State::Waiting(Wait::Image(wait)) => Some(wait),
            _ => None,
        };
        container.state = State::Waiting(Wait::Pulling { before });
        let spec = containers::nth(&self.pod, index);
        let policy = match spec.and_then(|spec| spec.image_pull_policy.as_deref()) {
            Some("Always") => PullPolicy::Always,
            Some("Never") => PullPolicy::Never,
            _ => PullPolicy::IfNotPresent,
        };
        match Reference::parse(&self.image(index)) {
            Ok(reference) => self.request_image(index, reference, policy, context),
            Err(error) => {
                let image = self.image(index);
                let text = format!("Failed to apply default image tag \"{image}\": {error}");
                self.no_image(index, ImageError::Invalid(text), context);
            }
        }
    }

    /// Looks up the image of a container that an earlier server started: how it is asked to stop
    /// stands there.
    pub(super) fn recall_image(&mut self, index: usize, context: &mut Context) {
        let image = self.image(index);
        if of_machine(&image, context.config).is_none()
            && let Ok(reference) = Reference::parse(&image)
        {
            self.request_image(index, reference, PullPolicy::Never, context);
        }
    }

    fn request_image(
        &mut self,
        index: usize,
        reference: Reference,
        policy: PullPolicy,
        context: &mut Context,
    ) {
        let container = &self.containers[index];
        let id = self.id(container, container.attempt);
        let Some(spec) = &self.pod.spec else { return };
        let (credentials, missing) = credentials(spec, &self.object.key.namespace, context);
        if !missing.is_empty() && policy != PullPolicy::Never {
            self.event(None, &Event::NoPullSecrets { names: &missing.join(", ") }, context);
        }
        self.images = true;
        let request = ImageRequest { id, reference, policy, credentials };
        context.out.push(Output::FindImage(Box::new(request)));
    }

    /// What became of an image that was asked for.
    pub(crate) fn image_news(&mut self, id: &ContainerId, news: ImageNews, context: &mut Context) {
        let index = self.index_of(id).filter(|i| self.containers[*i].attempt == id.attempt);
        let Some(index) = index else { return };
        let waits = matches!(self.containers[index].state, State::Waiting(Wait::Pulling { .. }));
        let image = self.image(index);
        let (ready, event) = match &news {
            ImageNews::Present(ready) => (ready, Event::Pulled { image: &image }),
            ImageNews::Pulled { image: ready, took_ms, waited_ms } => {
                let (took_ms, waited_ms) = (*took_ms, *waited_ms);
                let bytes = ready.image.bytes();
                (ready, Event::PulledNow { image: &image, took_ms, waited_ms, bytes })
            }
            ImageNews::Pulling if waits => {
                return self.event(Some(index), &Event::Pulling { image: &image }, context);
            }
            ImageNews::Failed(text) if waits => {
                return self.no_image(index, ImageError::Pull(text.clone()), context);
            }
            ImageNews::Absent if waits => {
                let text =
                    format!("Container image \"{image}\" is not present with pull policy of Never");
                return self.no_image(index, ImageError::Never(text), context);
            }
            _ => return,
        };
        let container = &mut self.containers[index];
        container.shown = Some((ready.reference.to_string(), ready.image.image_id()));
        container.image = Some(ready.clone());
        if waits {
            container.state = State::Waiting(Wait::Creating);
            self.event(Some(index), &event, context);
        }
    }

    /// Nothing of the pod runs any more: its images may go.
    pub(super) fn release_images(&self, context: &mut Context) {
        if self.images {
            context.out.push(Output::ReleaseImages { uid: self.uid });
        }
    }

    pub(super) fn image(&self, index: usize) -> String {
        let spec = containers::nth(&self.pod, index);
        spec.and_then(|c| c.image.clone()).unwrap_or_default()
    }

    fn no_image(&mut self, index: usize, error: ImageError, context: &mut Context) {
        let image = self.image(index);
        let tries = match &self.containers[index].state {
            State::Waiting(Wait::Pulling { before: Some(before) }) => before.tries,
            _ => 0,
        };
        match &error {
            ImageError::Invalid(message) => {
                self.event(Some(index), &Event::InvalidImage { message }, context);
                self.event(Some(index), &Event::Failed { what: "InvalidImageName" }, context);
            }
            ImageError::Never(message) => {
                self.event(Some(index), &Event::NeverPull { message }, context);
                self.event(Some(index), &Event::Failed { what: "ErrImageNeverPull" }, context);
            }
            ImageError::Pull(error) => {
                self.event(Some(index), &Event::PullFailed { image: &image, error }, context);
                self.event(Some(index), &Event::Failed { what: "ErrImagePull" }, context);
            }
        }
        let mut wait = ImageWait::failed(error, tries, context.now);
        if !matches!(wait.error, ImageError::Pull(_)) {
            wait.until = context.now + SignedDuration::from_secs(ABSENT_RETRY_S);
        }
        self.containers[index].state = State::Waiting(Wait::Image(wait));
        self.news = News::Urgent;
    }

    pub(super) fn image_backs_off(&mut self, index: usize, context: &mut Context) {
        let image = self.image(index);
        self.event(Some(index), &Event::PullBackOff { image: &image }, context);
        self.event(Some(index), &Event::Failed { what: "ImagePullBackOff" }, context);
        self.news = News::Urgent;
    }
}
