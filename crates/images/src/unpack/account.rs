//! Users and groups of an image: `USER` may be a name that only the image's own files know.

use std::{io::Read, os::fd::OwnedFd, path::Path};

use rustix::fs::{self, CWD, Mode, OFlags, ResolveFlags};
use serde::{Deserialize, Serialize};

use crate::limits::ACCOUNTS_BYTES_MAX;

/// A line of `/etc/passwd` or `/etc/group`, as far as it says who a process is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Account {
    /// A user.
    User {
        /// Its name.
        name: String,
        /// Its id.
        uid: u32,
        /// Its first group.
        gid: u32,
        /// Its home directory.
        home: String,
    },
    /// A group.
    Group {
        /// Its name.
        name: String,
        /// Its id.
        gid: u32,
        /// The users that are in it beside those whose first group it is.
        members: Vec<String>,
    },
}

impl Account {
    /// What the files of a root directory say; what cannot be read says nothing.
    pub(crate) fn all(root: &Path) -> Vec<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(root) = fs::openat(CWD, root, flags, Mode::empty()) else { return Vec::new() };
        let users = text(&root, "etc/passwd");
        let groups = text(&root, "etc/group");
        users.lines().filter_map(user).chain(groups.lines().filter_map(group)).collect()
    }
}

fn text(root: &OwnedFd, path: &str) -> String {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let mut bytes = Vec::new();
    if let Ok(file) = fs::openat2(root, path, flags, Mode::empty(), resolve) {
        // A part of the file is better than none of it.
        let _ = std::fs::File::from(file).take(ACCOUNTS_BYTES_MAX).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn user(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty())?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    let home = fields.nth(1).unwrap_or_default().to_owned();
    Some(Account::User { name, uid, gid, home })
}

fn group(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty())?.to_owned();
    let gid = fields.nth(1)?.parse().ok()?;
    let members = fields.next().unwrap_or_default().split(',').map(str::to_owned);
    Some(Account::Group { name, gid, members: members.filter(|m| !m.is_empty()).collect() })
}
