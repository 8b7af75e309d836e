//! The environment of a container, as upstream puts it together: `envFrom` in order, then `env` in
//! order, later names winning; and the few variables that a runtime adds.

mod expand;
mod refs;

use std::collections::BTreeMap;

use kinds::{
    Key, Kind,
    types::core::v1::{EnvFromSource, EnvVar},
};

pub(crate) use self::{expand::expand, refs::address_words};
use crate::start::Attempt;

/// `PATH` where nothing sets it.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// `TERM` on a terminal where nothing sets it.
const TERM: &str = "xterm";

/// Variables in the order in which they were first set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    order: Vec<String>,
    values: BTreeMap<String, String>,
}

impl Environment {
    /// The value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    fn set(&mut self, name: &str, value: String) {
        if self.values.insert(name.to_owned(), value).is_none() {
            self.order.push(name.to_owned());
        }
    }

    fn set_default(&mut self, name: &str, value: &str) {
        if self.get(name).is_none() {
            self.set(name, value.to_owned());
        }
    }

    /// Adds what the pod does not declare: first what the image has, then what every program finds.
    pub(crate) fn add_defaults(&mut self, image: &[String], hostname: &str, home: &str) {
        for (name, value) in image.iter().filter_map(|line| line.split_once('=')) {
            self.set_default(name, value);
        }
        self.set_default("PATH", PATH);
        self.set_default("HOSTNAME", hostname);
        self.set_default("HOME", home);
    }

    /// Adds what a program on a terminal finds.
    pub(crate) fn add_terminal(&mut self) {
        self.set_default("TERM", TERM);
    }

    /// `NAME=value` for each variable.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.order.iter().map(|name| format!("{name}={}", self.values[name])).collect()
    }
}

/// What the pod declares for an attempt. `Err` says what is missing, in upstream's words.
pub(crate) fn declared(attempt: &Attempt) -> Result<Environment, String> {
    let (_, container) = attempt.specs();
    let mut env = Environment::default();
    for source in container.env_from.iter().flatten() {
        all_keys(attempt, source, &mut env)?;
    }
    for variable in container.env.iter().flatten() {
        if let Some(value) = value(attempt, variable, &env)? {
            env.set(&variable.name, value);
        }
    }
    Ok(env)
}

fn value(
    attempt: &Attempt,
    variable: &EnvVar,
    env: &Environment,
) -> Result<Option<String>, String> {
    match &variable.value_from {
        Some(source) => refs::value(attempt, source),
        None => {
            let text = variable.value.as_deref().unwrap_or_default();
            Ok(Some(expand(text, |name| env.get(name))))
        }
    }
}

/// Every key of a ConfigMap or Secret becomes a variable.
fn all_keys(
    attempt: &Attempt,
    source: &EnvFromSource,
    env: &mut Environment,
) -> Result<(), String> {
    let prefix = source.prefix.as_deref().unwrap_or_default();
    let (kind, name, optional) = if let Some(source) = &source.config_map_ref {
        (Kind::ConfigMap, &source.name, source.optional)
    } else if let Some(source) = &source.secret_ref {
        (Kind::Secret, &source.name, source.optional)
    } else {
        return Ok(());
    };
    let key = Key::new(kind, attempt.namespace(), name);
    match refs::data(attempt, &key) {
        Some(data) => {
            for (name, value) in data {
                env.set(&format!("{prefix}{name}"), String::from_utf8_lossy(&value).into_owned());
            }
            Ok(())
        }
        None if optional == Some(true) => Ok(()),
        None => Err(refs::not_found(&key)),
    }
}
