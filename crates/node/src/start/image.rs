//! What a container gets from its image where the pod says nothing: command, environment, directory,
//! user and stop signal.

use images::Account;
use kinds::types::core::v1::{Container as ContainerSpec, Pod};
use spawner::protocol::User;

use super::Attempt;
use crate::{ReadyImage, containers, volumes::fs_group};

/// SIGTERM, the signal that asks a container to stop.
const SIGTERM: i32 = 15;
/// The first of the real-time signals, as C libraries count them.
const SIGRTMIN: i32 = 34;
/// The highest signal.
const SIGNAL_MAX: i32 = 64;

/// Signals by name, from 1 on.
const SIGNALS: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// Who a container runs as.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) user: User,
    /// Its home directory.
    pub(super) home: String,
}

/// The command line: arguments replace the image's, a command replaces both.
pub(super) fn command(
    image: Option<&ReadyImage>,
    command: Vec<String>,
    args: Vec<String>,
) -> Vec<String> {
    let Some(ReadyImage { image, .. }) = image.filter(|_| command.is_empty()) else {
        return [command, args].concat();
    };
    let args = if args.is_empty() { image.config.cmd.clone() } else { args };
    [image.config.entrypoint.clone(), args].concat()
}

/// `NAME=value` each.
pub(super) fn env(image: Option<&ReadyImage>) -> &[String] {
    image.map_or(&[], |ready| &ready.image.config.env)
}

/// Where the program begins.
pub(super) fn working_dir(image: Option<&ReadyImage>, container: &ContainerSpec) -> String {
    let own = container.working_dir.as_ref();
    let of_image = image.map(|ready| &ready.image.config.working_dir);
    let named = own.filter(|d| !d.is_empty()).or(of_image.filter(|d| !d.is_empty()));
    named.cloned().unwrap_or_else(|| "/".to_owned())
}

/// The signal that asks a container to stop. A name that is none is taken for the usual one.
pub(crate) fn stop_signal(image: Option<&ReadyImage>) -> i32 {
    let text = image.map_or("", |ready| ready.image.config.stop_signal.as_str());
    signal(text).unwrap_or(SIGTERM)
}

fn signal(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse() {
        return (1..=SIGNAL_MAX).contains(&number).then_some(number);
    }
    let name = text.strip_prefix("SIG").unwrap_or(text);
    if let Some(offset) = name.strip_prefix("RTMIN") {
        let offset: i32 =
            if offset.is_empty() { 0 } else { offset.strip_prefix('+')?.parse().ok()? };
        return SIGRTMIN.checked_add(offset).filter(|n| (SIGRTMIN..=SIGNAL_MAX).contains(n));
    }
    let at = SIGNALS.iter().position(|known| *known == name)?;
    i32::try_from(at + 1).ok()
}

/// The program as spec and image name it.
pub(crate) fn program(pod: &Pod, index: usize, image: Option<&ReadyImage>) -> String {
    let container = containers::nth(pod, index);
    let words = |words: &Option<Vec<String>>| words.clone().unwrap_or_default();
    let line = container.map(|c| command(image, words(&c.command), words(&c.args)));
    line.into_iter().flatten().next().unwrap_or_default()
}

/// User, group and supplementary groups: the spec's, else the image's, else root.
pub(super) fn user(attempt: &Attempt) -> Result<Identity, String> {
    let (spec, container) = attempt.specs();
    let pod = spec.security_context.clone().unwrap_or_default();
    let own = container.security_context.clone().unwrap_or_default();
    let id = |id: i64| u32::try_from(id).unwrap_or(u32::MAX);
    let accounts = attempt.image.map_or(&[][..], |ready| &ready.image.accounts);
    let of_image = attempt.image.map_or("", |ready| ready.image.config.user.as_str());
    let asked = own.run_as_user.or(pod.run_as_user).map(id);
    let non_root = own.run_as_non_root.or(pod.run_as_non_root) == Some(true);
    let (uid, gid) = match asked {
        Some(uid) => (uid, account(accounts, uid).map_or(0, |(_, gid, _)| gid)),
        None => of_image_user(of_image, accounts)?,
    };
    let numeric = |user: &str| user.split(':').next().unwrap_or_default().parse::<u32>().is_ok();
    let problem = match asked {
        _ if !non_root => None,
        Some(0) => Some("container's runAsUser breaks non-root policy".to_owned()),
        Some(_) => None,
        None if of_image.is_empty() || numeric(of_image) && uid == 0 => {
            Some("container has runAsNonRoot and image will run as root".to_owned())
        }
        None if !numeric(of_image) => Some(format!(
            "container has runAsNonRoot and image has non-numeric user ({}), cannot verify user is \
             non-root",
            of_image.split(':').next().unwrap_or_default()
        )),
        None => None,
    };
    if let Some(problem) = problem {
        let (name, namespace) = (attempt.pod_name(), attempt.namespace());
        return Err(format!(
            "{problem} (pod: \"{name}_{namespace}({})\", container: {})",
            attempt.uid, container.name
        ));
    }
    let gid = own.run_as_group.or(pod.run_as_group).map_or(gid, id);
    let mut groups: Vec<u32> = pod.supplemental_groups.into_iter().flatten().map(id).collect();
    groups.extend(fs_group(spec));
    let (name, _, home) = account(accounts, uid).unwrap_or_default();
    if pod.supplemental_groups_policy.as_deref() != Some("Strict") {
        groups.extend(groups_of(name, accounts));
    }
    groups.sort_unstable();
    groups.dedup();
    let home = match home {
        "" if uid == 0 => "/root",
        "" => "/",
        home => home,
    };
    Ok(Identity { user: User { uid, gid, groups }, home: home.to_owned() })
}

/// Name, first group and home directory of a user of the image.
fn account(accounts: &[Account], wanted: u32) -> Option<(&str, u32, &str)> {
    accounts.iter().find_map(|account| match account {
        Account::User { name, uid, gid, home } if *uid == wanted => {
            Some((name.as_str(), *gid, home.as_str()))
        }
        _ => None,
    })
}

fn groups_of(user: &str, accounts: &[Account]) -> Vec<u32> {
    let of_user = |account: &Account| match account {
        Account::Group { gid, members, .. } => members.iter().any(|m| m == user).then_some(*gid),
        Account::User { .. } => None,
    };
    accounts.iter().filter_map(of_user).collect()
}

/// `USER` of an image: `user[:group]`, names or numbers.
fn of_image_user(text: &str, accounts: &[Account]) -> Result<(u32, u32), String> {
    let (user, group) = text.split_once(':').map_or((text, None), |(u, g)| (u, Some(g)));
    let named = |wanted: &str| {
        accounts.iter().find_map(|account| match account {
            Account::User { name, uid, gid, .. } if name == wanted => Some((*uid, *gid)),
            _ => None,
        })
    };
    let (uid, first_gid) = match user.parse::<u32>() {
        _ if user.is_empty() => (0, 0),
        Ok(uid) => (uid, account(accounts, uid).map_or(0, |(_, gid, _)| gid)),
        Err(_) => named(user).ok_or_else(|| {
            format!("unable to find user {user}: no matching entries in passwd file")
        })?,
    };
    let gid = match group.filter(|group| !group.is_empty()) {
        None => first_gid,
        Some(group) => {
            let of_name = accounts.iter().find_map(|account| match account {
                Account::Group { name, gid, .. } if name == group => Some(*gid),
                _ => None,
            });
            group.parse().ok().or(of_name).ok_or_else(|| {
                format!("unable to find group {group}: no matching entries in group file")
            })?
        }
    };
    Ok((uid, gid))
}
