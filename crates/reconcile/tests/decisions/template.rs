//! The notation of a Job's template, and of a pod made from it.
//!
//! `template labels=a:b annotations=c:d finalizers=e hostname=h containers=main,own:VARIABLE
//! init=setup`; a container may define a variable. `show pods` writes new pods out.

use std::{collections::BTreeMap, fmt::Write as _};

use kinds::types::{
    batch::v1::Job,
    core::v1::{Container, EnvVar, Pod},
};

pub(crate) fn set(job: &mut Job, key: &str, value: &str) {
    let template = &mut job.spec.as_mut().unwrap().template;
    let meta = template.metadata.get_or_insert_default();
    let spec = template.spec.as_mut().unwrap();
    let pairs = || value.split(',').map(|pair| pair.split_once(':').expect("KEY:VALUE"));
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    match key {
        "labels" => meta.labels.get_or_insert_default().extend(pairs().map(owned)),
        "annotations" => meta.annotations.get_or_insert_default().extend(pairs().map(owned)),
        "finalizers" => meta.finalizers = Some(value.split(',').map(str::to_owned).collect()),
        "hostname" => spec.hostname = Some(value.to_owned()),
        "containers" => spec.containers = value.split(',').map(container).collect(),
        "init" => spec.init_containers = Some(value.split(',').map(container).collect()),
        other => panic!("unknown word {other:?} of a template"),
    }
}

/// `NAME` or `NAME:VARIABLE`
fn container(text: &str) -> Container {
    let (name, variable) = text.split_once(':').map_or((text, None), |(n, v)| (n, Some(v)));
    let env = variable.map(|name| {
        vec![EnvVar { name: name.to_owned(), value: Some("own".to_owned()), ..EnvVar::default() }]
    });
    Container { name: name.to_owned(), env, ..Container::default() }
}

/// What a new pod has, one line for each part.
pub(crate) fn render(pod: &Pod) -> String {
    let meta = &pod.metadata;
    let mut out = String::new();
    let mut line = |what: &str, words: Vec<String>| {
        if !words.is_empty() {
            let _ = writeln!(out, "  {what} {}", words.join(" "));
        }
    };
    line("generateName", meta.generate_name.iter().cloned().collect());
    line("labels", pairs(meta.labels.as_ref()));
    line("annotations", pairs(meta.annotations.as_ref()));
    line("finalizers", meta.finalizers.clone().unwrap_or_default());
    for owner in meta.owner_references.iter().flatten() {
        let flag =
            |set: Option<bool>, name: &str| if set == Some(true) { name } else { "" }.to_owned();
        let flags =
            [flag(owner.controller, "controls"), flag(owner.block_owner_deletion, "blocks")];
        let name = format!("{} {} {}", owner.api_version, owner.kind, owner.name);
        line("owner", [vec![name], flags.into()].concat());
    }
    let spec = pod.spec.as_ref().unwrap();
    line("hostname", spec.hostname.iter().cloned().collect());
    for container in spec.init_containers.iter().flatten().chain(&spec.containers) {
        line("container", [vec![container.name.clone()], variables(container)].concat());
    }
    out
}

fn pairs(map: Option<&BTreeMap<String, String>>) -> Vec<String> {
    map.into_iter().flatten().map(|(key, value)| format!("{key}={value}")).collect()
}

fn variables(container: &Container) -> Vec<String> {
    let variable = |variable: &EnvVar| {
        let field = variable.value_from.as_ref().and_then(|from| from.field_ref.as_ref());
        let value = field.map(|field| &field.field_path).or(variable.value.as_ref());
        format!("{}={}", variable.name, value.map_or("", String::as_str))
    };
    container.env.iter().flatten().map(variable).collect()
}
