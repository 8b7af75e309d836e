//! The files that a container finds from the start: those that describe its pod, with upstream's
//! exact text, and the one for its last words.

use kinds::types::core::v1::{Container as ContainerSpec, HostAlias, PodDNSConfigOption, PodSpec};
use spawner::protocol::ContainerFile;

/// Where a container leaves its last words, unless it names another place.
const TERMINATION_PATH: &str = "/dev/termination-log";

const HOSTS: &str = "# Kubernetes-managed hosts file.\n\
                     127.0.0.1\tlocalhost\n\
                     ::1\tlocalhost ip6-localhost ip6-loopback\n\
                     fe00::0\tip6-localnet\n\
                     fe00::0\tip6-mcastprefix\n\
                     fe00::1\tip6-allnodes\n\
                     fe00::2\tip6-allrouters\n";
const HOSTS_OF_HOST: &str = "# Kubernetes-managed hosts file (host network).\n";

/// `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf`, unless a volume is mounted in their place.
pub(super) fn all(spec: &PodSpec, container: &ContainerSpec, hostname: &str) -> Vec<ContainerFile> {
    let host_network = spec.host_network == Some(true);
    let hosts = if host_network { HOSTS_OF_HOST } else { HOSTS };
    // On a network of pods only, a pod reaches no name server; on the host's it asks the host's.
    let own_dns = spec.dns_policy.as_deref() == Some("None");
    let file = |target: &str, text: String, of_host: bool, end: String| ContainerFile {
        target: target.to_owned(),
        mode: 0o644,
        text,
        then: of_host.then(|| target.to_owned()),
        own_names: None,
        end,
    };
    let own_names = (!host_network).then(|| hostname.to_owned());
    let mut files = vec![
        ContainerFile {
            own_names,
            ..file("/etc/hosts", hosts.to_owned(), host_network, aliases(spec))
        },
        file("/etc/hostname", format!("{hostname}\n"), false, String::new()),
        file("/etc/resolv.conf", String::new(), host_network && !own_dns, dns_config(spec)),
    ];
    files.retain(|file| !is_mounted(container, &file.target));
    files
}

/// Where the file for the last words is, unless a volume is mounted in its place.
pub(super) fn termination_path(container: &ContainerSpec) -> Option<String> {
    let path = container.termination_message_path.as_deref().unwrap_or(TERMINATION_PATH);
    (!is_mounted(container, path)).then(|| path.to_owned())
}

fn is_mounted(container: &ContainerSpec, target: &str) -> bool {
    let mut mounts = container.volume_mounts.iter().flatten();
    mounts.any(|mount| mount.mount_path.trim_end_matches('/') == target)
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
