//! What a pod tells its containers about itself, in variables and in files of downwardAPI volumes.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

use super::{container::fill, meta::push_all, volume};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    quantity::Quantity,
    types::core::v1::{DownwardAPIVolumeFile, ObjectFieldSelector, ResourceFieldSelector},
    validate,
};

/// Fields of the pod that a file may show.
const FILE_FIELD_PATHS: [&str; 5] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];

/// Fields that a reference may name at all; each place takes fewer.
const KNOWN_FIELD_PATHS: [&str; 14] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.phase",
    "status.podIP",
    "status.podIPs",
];

/// Resources of a container that may be shown.
const RESOURCE_FIELDS: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// Beginnings of further ones.
const RESOURCE_PREFIXES: [&str; 2] = ["limits.hugepages-", "requests.hugepages-"];

/// Where a resource is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a variable of a container, by default that container's own.
    Variable,
    /// In a file, of a container that is named.
    File,
}

/// Fills in what the files leave out.
pub(super) fn defaults(files: Option<&mut Vec<DownwardAPIVolumeFile>>) {
    for file in files.into_iter().flatten() {
        reference_defaults(file.field_ref.as_mut(), file.resource_field_ref.as_mut());
    }
}

/// Fills in what a reference leaves out.
pub(super) fn reference_defaults(
    field: Option<&mut ObjectFieldSelector>,
    resource: Option<&mut ResourceFieldSelector>,
) {
    if let Some(field) = field {
        fill(&mut field.api_version, "v1");
    }
    if let Some(resource) = resource {
        // Upstream's encoding always has it.
        resource.divisor.get_or_insert_with(|| Text("0".to_owned()));
    }
}

/// Everything wrong with one file; the path of the error is the volume's, as upstream gives it.
pub(super) fn file(file: &DownwardAPIVolumeFile, at: Path<'_>, errors: &mut FieldErrors) {
    if file.path.is_empty() {
        errors.push(FieldError::required(at.field("path"), ""));
    }
    volume::local_path(&file.path, at.field("path"), errors);
    match (&file.field_ref, &file.resource_field_ref) {
        (Some(reference), resource) => {
            field_ref(reference, &FILE_FIELD_PATHS, at.field("fieldRef"), errors);
            if resource.is_some() {
                let text = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.push(FieldError::invalid(at, "resource", text));
            }
        }
        (None, Some(reference)) => {
            resource_field_ref(reference, Place::File, at.field("resourceFieldRef"), errors);
        }
        (None, None) => {
            let text = "one of fieldRef and resourceFieldRef is required";
            errors.push(FieldError::required(at, text));
        }
    }
    volume::file_mode(file.mode, at.field("mode"), errors);
}

/// Everything wrong with a reference to a field of the pod; `allowed` are the paths that this place
/// takes, in alphabetical order.
pub(super) fn field_ref(
    reference: &ObjectFieldSelector,
    allowed: &[&str],
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    let path = reference.field_path.as_str();
    let field = at.field("fieldPath");
    let subscript = path.strip_suffix("']").and_then(|p| p.split_once("['"));
    match (reference.api_version.as_deref().unwrap_or_default(), subscript) {
        ("", _) => errors.push(FieldError::required(at.field("apiVersion"), "")),
        (_, _) if path.is_empty() => errors.push(FieldError::required(field, "")),
        (version, _) if version != "v1" => {
            let text = format!("error converting fieldPath: unsupported pod version: {version}");
            errors.push(FieldError::invalid(field, path, text));
        }
        (_, Some(("metadata.annotations", key))) => {
            let key = key.to_lowercase();
            push_all(errors, at, &key, validate::qualified_name(&key));
        }
        (_, Some(("metadata.labels", key))) => {
            push_all(errors, at, key, validate::qualified_name(key));
        }
        (_, None) if allowed.contains(&path) => {}
        (_, None) if KNOWN_FIELD_PATHS.contains(&path) => {
            errors.push(FieldError::not_supported(field, path, allowed));
        }
        (_, subscript) => {
            let wrong = match subscript {
                Some(_) => "field label does not support subscript",
                None => "field label not supported",
            };
            let text = format!("error converting fieldPath: {wrong}: {path}");
            errors.push(FieldError::invalid(field, path, text));
        }
    }
}

/// Everything wrong with a reference to a resource of a container.
pub(super) fn resource_field_ref(
    reference: &ResourceFieldSelector,
    place: Place,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    let resource = reference.resource.as_str();
    let container = reference.container_name.as_deref().unwrap_or_default();
    let known = RESOURCE_FIELDS.contains(&resource)
        || RESOURCE_PREFIXES.iter().any(|prefix| resource.starts_with(prefix));
    if place == Place::File && container.is_empty() {
        errors.push(FieldError::required(at.field("containerName"), ""));
    } else if resource.is_empty() {
        errors.push(FieldError::required(at.field("resource"), ""));
    } else if !known {
        errors.push(FieldError::not_supported(at.field("resource"), resource, &RESOURCE_FIELDS));
    }
    divisor(reference, at, errors);
}

fn divisor(reference: &ResourceFieldSelector, at: Path<'_>, errors: &mut FieldErrors) {
    let divisor = reference.divisor.as_ref().and_then(|q| Quantity::parse(&q.0).ok());
    let Some(divisor) = divisor.filter(|d| d.milli() != 0) else { return };
    let cpu = ["1m", "1"];
    let bytes = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    let text = divisor.to_string();
    let allowed = |list: &[&str]| list.contains(&&*text);
    let wrong = match reference.resource.split_once('.') {
        Some((_, "cpu")) if !allowed(&cpu) => {
            "only divisor's values 1m and 1 are supported with the cpu resource"
        }
        Some((_, "memory")) if !allowed(&bytes) => {
            "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource"
        }
        Some((_, "ephemeral-storage")) if !allowed(&bytes) => {
            "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the local ephemeral storage resource"
        }
        _ => return,
    };
    errors.push(FieldError::invalid(at.field("divisor"), reference.resource.as_str(), wrong));
}
