//! A new pod runs in the name of a ServiceAccount that is there, and gets its token
//! (`plugin/pkg/admission/serviceaccount`), but for one thing: of the pods of Jobs those under the
//! account `default` get none unless they ask for it. That account may nothing on most clusters, and
//! files and mount cost a small task 2 ms of CPU, as much as all the rest of it.

use kinds::{
    Key, Kind, names,
    types::core::v1::{
        ConfigMapProjection, Container, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath,
        ObjectFieldSelector, PodSpec, ProjectedVolumeSource, ServiceAccountTokenProjection, Volume,
        VolumeMount, VolumeProjection,
    },
};

use super::{PodChange, State, Verdict};
use crate::{bootstrap::PROCESS_CLASS, service_accounts::ROOT_CA};

/// The account of pods that name none.
pub(crate) const DEFAULT: &str = "default";

/// What the volume with the token is called, before five random letters.
const VOLUME: &str = "kube-api-access-";

/// Where programs look for the token.
const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// How long the token is said to be good, seconds: a number by which those who issue tokens know it.
const TOKEN_S: i64 = 3607;

/// The permission bits of its files: 0644.
const FILE_MODE: i32 = 0o644;

pub(super) fn admit(state: &State, change: &mut PodChange) -> Verdict {
    if change.old.is_some() {
        return Ok(());
    }
    let spec = &mut *change.spec;
    let name = spec.service_account_name.clone().filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| DEFAULT.to_owned());
    spec.service_account_name = Some(name.clone());
    spec.service_account = Some(name.clone());
    let namespace = change.meta.namespace.as_deref().unwrap_or_default();
    // The controller makes the default one in the transaction that makes the namespace.
    let key = Key::new(Kind::ServiceAccount, namespace, &name);
    if !state.exists(&key) {
        return Err(format!(
            "error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found"
        ));
    }
    let stored = state.store.get(&key).map(|object| object.service_account());
    let account = stored.unwrap_or_default();
    if spec.image_pull_secrets.iter().flatten().next().is_none() {
        spec.image_pull_secrets.clone_from(&account.image_pull_secrets);
    }
    let owners = change.meta.owner_references.iter().flatten();
    let of_job = owners.into_iter().any(|o| o.controller == Some(true) && o.kind == "Job");
    let asked = spec.automount_service_account_token.or(account.automount_service_account_token);
    let wanted = asked.unwrap_or(!of_job || name != DEFAULT);
    if wanted && state.serves_pods && !is_plain_process(state, spec) {
        mount(spec, state.random);
    }
    Ok(())
}

/// Whether it is a plain process, into which nothing is mounted.
fn is_plain_process(state: &State, spec: &PodSpec) -> bool {
    let name = spec.runtime_class_name.as_deref().unwrap_or_default();
    let class = state.store.get(&Key::new(Kind::RuntimeClass, "", name));
    class.is_some_and(|class| class.runtime_class().handler == PROCESS_CLASS)
}

/// Mounts the volume in every container that has nothing in its place.
fn mount(spec: &mut PodSpec, random: u128) {
    let volumes = spec.volumes.iter().flatten();
    let present = volumes.map(|v| &v.name).find(|name| name.starts_with(VOLUME)).cloned();
    // The low bits; the uid shows the same ones, which is no harm.
    let new = || names::generate(VOLUME, &names::suffix(random as u64));
    let name = present.clone().unwrap_or_else(new);
    let mut needed = false;
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        needed |= mount_into(container, &name);
    }
    if needed && present.is_none() {
        spec.volumes.get_or_insert_default().push(volume(name));
    }
}

fn mount_into(container: &mut Container, volume: &str) -> bool {
    let mounts = container.volume_mounts.get_or_insert_default();
    let free = !mounts.iter().any(|mount| mount.mount_path == MOUNT_PATH);
    if free {
        mounts.push(VolumeMount {
            name: volume.to_owned(),
            mount_path: MOUNT_PATH.to_owned(),
            read_only: Some(true),
            ..VolumeMount::default()
        });
    }
    free
}

/// The token, the certificate of the server, and the name of the namespace.
fn volume(name: String) -> Volume {
    let token = ServiceAccountTokenProjection {
        audience: None,
        expiration_seconds: Some(TOKEN_S),
        path: "token".to_owned(),
    };
    let certificate = ConfigMapProjection {
        name: ROOT_CA.to_owned(),
        items: Some(vec![KeyToPath {
            key: "ca.crt".to_owned(),
            path: "ca.crt".to_owned(),
            mode: None,
        }]),
        optional: None,
    };
    let namespace = DownwardAPIProjection {
        items: Some(vec![DownwardAPIVolumeFile {
            path: "namespace".to_owned(),
            field_ref: Some(ObjectFieldSelector {
                api_version: Some("v1".to_owned()),
                field_path: "metadata.namespace".to_owned(),
            }),
            ..DownwardAPIVolumeFile::default()
        }]),
    };
    let one = VolumeProjection::default;
    let sources = vec![
        VolumeProjection { service_account_token: Some(token), ..one() },
        VolumeProjection { config_map: Some(certificate), ..one() },
        VolumeProjection { downward_api: Some(namespace), ..one() },
    ];
    let projected = ProjectedVolumeSource { default_mode: Some(FILE_MODE), sources: Some(sources) };
    Volume { name, projected: Some(projected), ..Volume::default() }
}
