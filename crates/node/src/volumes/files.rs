//! The files that describe a pod to its containers: `/etc/hosts`, `/etc/hostname`,
//! `/etc/resolv.conf`, with upstream's exact text.

use std::path::PathBuf;

use kinds::types::core::v1::{HostAlias, Pod, PodDNSConfigOption, PodSpec};

use super::{PlannedFile, PodPaths, hostname};
use crate::Config;

const HOSTS: &str = "# Kubernetes-managed hosts file.\n\
                     127.0.0.1\tlocalhost\n\
                     ::1\tlocalhost ip6-localhost ip6-loopback\n\
                     fe00::0\tip6-localnet\n\
                     fe00::0\tip6-mcastprefix\n\
                     fe00::1\tip6-allnodes\n\
                     fe00::2\tip6-allrouters\n";
const HOSTS_OF_HOST: &str = "# Kubernetes-managed hosts file (host network).\n";

/// All of them, and the empty files for the first attempts' last words.
pub(super) fn all(pod: &Pod, paths: &PodPaths, config: &Config) -> Vec<PlannedFile> {
    let spec = pod.spec.as_ref().expect("a bound pod has a spec");
    let host_network = spec.host_network == Some(true);
    let of_host = |path: &str| host_network.then(|| PathBuf::from(path));
    let file = |path, text: String| PlannedFile {
        path,
        mode: 0o644,
        text,
        then: None,
        end: String::new(),
    };
    let hosts = if host_network { HOSTS_OF_HOST } else { HOSTS };
    // Without a network of its own a pod reaches no name server; on the host's it asks the host's.
    let own_dns = spec.dns_policy.as_deref() == Some("None");
    let mut files = vec![
        PlannedFile {
            then: of_host("/etc/hosts"),
            end: aliases(spec),
            ..file(paths.hosts(), hosts.to_owned())
        },
        file(paths.hostname(), format!("{}\n", hostname(pod, config))),
        PlannedFile {
            then: of_host("/etc/resolv.conf").filter(|_| !own_dns),
            end: dns_config(spec),
            ..file(paths.resolv_conf(), String::new())
        },
    ];
    for container in &spec.containers {
        let path = paths.termination(&container.name, 0);
        // Whoever the container runs as may write its last words.
        files.push(PlannedFile { mode: 0o666, ..file(path, String::new()) });
    }
    files
}

fn aliases(spec: &PodSpec) -> String {
    let aliases = spec.host_aliases.as_deref().unwrap_or_default();
    if aliases.is_empty() {
        return String::new();
    }
    let line = |alias: &HostAlias| {
        format!("{}\t{}\n", alias.ip, alias.hostnames.as_deref().unwrap_or_default().join("\t"))
    };
    let lines: String = aliases.iter().map(line).collect();
    format!("\n# Entries added by HostAliases.\n{lines}")
}

fn dns_config(spec: &PodSpec) -> String {
    let Some(config) = &spec.dns_config else { return String::new() };
    let servers = config.nameservers.iter().flatten().map(|ip| format!("nameserver {ip}\n"));
    let searches = config.searches.as_deref().unwrap_or_default();
    let search = (!searches.is_empty()).then(|| format!("search {}\n", searches.join(" ")));
    let option = |o: &PodDNSConfigOption| {
        let name = o.name.as_deref().unwrap_or_default();
        o.value.as_deref().map_or(name.to_owned(), |value| format!("{name}:{value}"))
    };
    let options: Vec<String> = config.options.iter().flatten().map(option).collect();
    let options = (!options.is_empty()).then(|| format!("options {}\n", options.join(" ")));
    servers.chain(search).chain(options).collect()
}
