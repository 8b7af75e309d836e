//! Hooks of a container: what is done right after it started, and before it is asked to stop.

use jiff::{SignedDuration, Timestamp};
use kinds::types::core::v1::{Lifecycle, LifecycleHandler};
use spawner::protocol::{Exec, Executed, Request};

use super::{
    Context, Event, PodMachine,
    container::State,
    handler::{Handler, OUTPUT_BYTES_MAX},
    probe::Answer,
    stop::Stop,
};
use crate::containers;

/// When a hook is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    PostStart,
    PreStop,
}

/// How far along a hook is.
#[derive(Clone, Debug)]
pub(crate) enum Hook {
    /// It is to begin.
    Due,
    /// The container, or a port of it, was asked.
    Asked(Box<Handler>),
    /// It is over then.
    Asleep(Timestamp),
}

/// `postStart` of an attempt, until it is over: the container counts as started only then.
#[derive(Clone, Debug)]
pub(crate) enum PostStart {
    Pending(Hook),
    /// It failed, for this reason, and the container has to end.
    Failed(String),
}

impl Moment {
    const ALL: [Moment; 2] = [Moment::PostStart, Moment::PreStop];

    /// The number of its program: probes do not get as far, and those with streams begin above.
    fn exec(self) -> u64 {
        match self {
            Self::PostStart => u64::from(u32::MAX),
            Self::PreStop => u64::from(u32::MAX - 1),
        }
    }

    /// The moment whose program has this number.
    pub(super) fn of(exec: u64) -> Option<Moment> {
        Self::ALL.into_iter().find(|moment| moment.exec() == exec)
    }

    fn handler(self, hooks: &Lifecycle) -> Option<&LifecycleHandler> {
        match self {
            Self::PostStart => hooks.post_start.as_ref(),
            Self::PreStop => hooks.pre_stop.as_ref(),
        }
    }
}

impl Hook {
    /// Whoever was asked is gone or has forgotten it.
    pub(super) fn reconnected(&mut self) {
        if let Hook::Asked(_) = self {
            *self = Hook::Due;
        }
    }

    /// When time alone ends it.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        match self {
            Hook::Asleep(until) => Some(*until),
            Hook::Due | Hook::Asked(_) => None,
        }
    }
}

impl PostStart {
    /// When time alone ends it.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        match self {
            Self::Pending(hook) => hook.wake_at(),
            Self::Failed(_) => None,
        }
    }

    pub(super) fn reconnected(&mut self) {
        if let Self::Pending(hook) = self {
            hook.reconnected();
        }
    }
}

impl PodMachine {
    fn hook(&self, index: usize, moment: Moment) -> Option<&LifecycleHandler> {
        moment.handler(containers::nth(&self.pod, index)?.lifecycle.as_ref()?)
    }

    /// Whether the container has something to do right after it started.
    pub(super) fn has_post_start(&self, index: usize) -> bool {
        self.hook(index, Moment::PostStart).is_some()
    }

    /// Begins a hook; `None` if the container has none, and the reason why it cannot be run.
    fn begin_hook(
        &self,
        index: usize,
        moment: Moment,
        context: &mut Context,
    ) -> Result<Option<Hook>, String> {
        let Some(hook) = self.hook(index, moment) else { return Ok(None) };
        if let Some(sleep) = &hook.sleep {
            let until = context.now.saturating_add(SignedDuration::from_secs(sleep.seconds));
            return Ok(Some(Hook::Asleep(until.unwrap_or(Timestamp::MAX))));
        }
        let container = containers::nth(&self.pod, index);
        let Some(handler) = container.and_then(|container| Handler::of_hook(hook, container))
        else {
            return Err("Cannot run handler: invalid handler".to_owned());
        };
        let (id, task) = (self.newest(index), handler.task());
        let output_bytes_max = OUTPUT_BYTES_MAX;
        let exec = Exec { id, exec: moment.exec(), task, output_bytes_max, streams: None };
        context.send(Request::Exec(Box::new(exec)));
        Ok(Some(Hook::Asked(Box::new(handler))))
    }

    /// Runs what is to be run right after containers started.
    pub(super) fn post_start(&mut self, context: &mut Context) {
        if !context.connected {
            return;
        }
        for index in 0..self.containers.len() {
            let container = &self.containers[index];
            let Some(PostStart::Pending(hook)) = &container.post_start else { continue };
            if !container.runs() {
                continue;
            }
            match hook {
                Hook::Asleep(until) if *until <= context.now => self.post_started(index, context),
                Hook::Due => match self.begin_hook(index, Moment::PostStart, context) {
                    Ok(Some(hook)) => {
                        self.containers[index].post_start = Some(PostStart::Pending(hook));
                    }
                    Ok(None) => self.post_started(index, context),
                    Err(reason) => self.post_start_failed(index, reason, context),
                },
                Hook::Asked(_) | Hook::Asleep(_) => {}
            }
        }
    }

    fn post_started(&mut self, index: usize, context: &Context) {
        let container = &mut self.containers[index];
        container.post_start = None;
        if let (Some(probes), State::Running { started }) =
            (&mut container.probes, &container.state)
        {
            probes.begin(*started);
        }
        self.say_quietly(context);
    }

    fn post_start_failed(&mut self, index: usize, reason: String, context: &mut Context) {
        let until = self.grace_until(context.now);
        let container = &mut self.containers[index];
        container.post_start = Some(PostStart::Failed(reason));
        container.stop.get_or_insert_with(|| Stop::new(until, false));
        self.event(Some(index), &Event::PostStartFailed, context);
        self.event(Some(index), &Event::KilledByHook, context);
        self.say_quietly(context);
    }

    /// Whether what is to be done before a container is asked to stop is done, or takes too long.
    pub(super) fn pre_stopped(&mut self, index: usize, context: &mut Context) -> bool {
        let Some(stop) = &self.containers[index].stop else { return true };
        let late = context.now >= stop.until();
        let next = match &stop.hook {
            None => return true,
            Some(Hook::Due) if late => None,
            Some(Hook::Due) => {
                self.begin_hook(index, Moment::PreStop, context).unwrap_or_else(|_| {
                    self.event(Some(index), &Event::PreStopFailed, context);
                    None
                })
            }
            Some(Hook::Asleep(until)) if late || *until <= context.now => None,
            Some(Hook::Asked(_)) if late => {
                self.event(Some(index), &Event::PreStopFailed, context);
                None
            }
            Some(Hook::Asked(_) | Hook::Asleep(_)) => return false,
        };
        let over = next.is_none();
        if let Some(stop) = &mut self.containers[index].stop {
            stop.hook = next;
        }
        over
    }

    /// What the program of a hook came to, or the request.
    pub(super) fn hook_answered(
        &mut self,
        index: usize,
        moment: Moment,
        how: Executed,
        context: &mut Context,
    ) {
        let container = &mut self.containers[index];
        match moment {
            Moment::PostStart => {
                let Some(PostStart::Pending(Hook::Asked(handler))) = &container.post_start else {
                    return;
                };
                match outcome(handler, how) {
                    Ok(()) => self.post_started(index, context),
                    Err(why) => {
                        let reason = self.told(index, &why);
                        self.post_start_failed(index, reason, context);
                    }
                }
            }
            Moment::PreStop => {
                let Some(stop) = &mut container.stop else { return };
                let Some(Hook::Asked(handler)) = &stop.hook else { return };
                let failed = outcome(handler, how).is_err();
                stop.hook = None;
                if failed {
                    self.event(Some(index), &Event::PreStopFailed, context);
                }
            }
        }
    }

    /// What the status says of a hook after the container started that failed like this.
    fn told(&self, index: usize, why: &str) -> String {
        let key = &self.object.key;
        let pod = format!("{}_{}({})", key.name, key.namespace, self.name);
        let container = &self.containers[index];
        let hook = self.hook(index, Moment::PostStart);
        let what = match hook.map(|hook| (&hook.exec, &hook.http_get)) {
            Some((Some(exec), _)) => {
                format!(
                    "Exec lifecycle hook ([{}])",
                    exec.command.as_deref().unwrap_or_default().join(" ")
                )
            }
            Some((_, Some(get))) => {
                format!("HTTP lifecycle hook ({})", get.path.as_deref().unwrap_or_default())
            }
            _ => return why.to_owned(),
        };
        format!("{what} for Container {:?} in Pod {pod:?} failed - error: {why}", container.name)
    }
}

/// Whether it went well: any answer to a request is fine.
fn outcome(handler: &Handler, how: Executed) -> Result<(), String> {
    match (handler, how) {
        (Handler::Program(argv), Executed::Ended { code, signal, stdout, stderr, .. })
            if code != Some(0) =>
        {
            let code = code.unwrap_or_else(|| 128 + signal.unwrap_or(0));
            let (argv, output) = (argv.join(" "), stdout + &stderr);
            Err(format!("command '{argv}' exited with {code}: {stderr}, message: {output:?}"))
        }
        (Handler::Http { .. }, Executed::Ended { stdout, .. }) if stdout.starts_with("HTTP/") => {
            Ok(())
        }
        (handler, how) => match handler.answer(how) {
            Answer::Success => Ok(()),
            Answer::Failure(why) | Answer::Error(why) => Err(why),
        },
    }
}
