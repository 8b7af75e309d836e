//! What a pod has beyond its containers: namespaces and a /dev/shm that outlive each of them.

use crate::child::loopback;
use crate::plan::{PodNamespaces, SHM_OPTIONS, pod_namespaces};
use crate::sys::{c_path, c_string, mounts, process};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Namespace types a pod's containers share: (name in /proc/self/ns, flag).
const SHARED: [(&str, libc::c_int); 3] =
    [("net", libc::CLONE_NEWNET), ("ipc", libc::CLONE_NEWIPC), ("uts", libc::CLONE_NEWUTS)];

/// The namespaces the spawner itself lives in, to come back to.
#[derive(Debug)]
pub(crate) struct Home(Vec<(OwnedFd, libc::c_int)>);

impl Home {
    pub(crate) fn current() -> io::Result<Home> {
        open_namespaces(!0).map(Home)
    }
}

/// Namespaces and shared memory of one pod, given back when dropped.
#[derive(Debug)]
pub(crate) struct Shared {
    namespaces: Vec<(OwnedFd, libc::c_int)>,
    shm: PathBuf,
}

impl Shared {
    /// Make them. The spawner enters the new namespaces and comes back: it is single-threaded, so
    /// nothing else runs meanwhile, and no process is needed to hold them.
    pub(crate) fn make(
        host_network: bool,
        hostname: &str,
        shm: PathBuf,
        home: &Home,
    ) -> io::Result<Shared> {
        let hostname = c_string(hostname)?;
        let flags = pod_namespaces(host_network);
        process::unshare(flags)?;
        let made = process::set_hostname(&hostname)
            .and_then(|()| if host_network { Ok(()) } else { loopback() })
            .and_then(|()| open_namespaces(flags));
        for (namespace, kind) in &home.0 {
            process::enter_namespace(namespace.as_raw_fd(), *kind)?;
        }
        let shared = Shared { namespaces: made?, shm };
        fs::create_dir(&shared.shm)?;
        let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        let data = c_string(SHM_OPTIONS)?;
        mounts::mount(c"shm", &c_path(&shared.shm)?, Some(c"tmpfs"), flags, Some(&data))?;
        Ok(shared)
    }

    /// As the plan of a container takes it.
    pub(crate) fn for_plan(&self) -> PodNamespaces {
        let held = self.namespaces.iter().map(|(fd, kind)| (fd.as_raw_fd(), *kind)).collect();
        PodNamespaces { held, shm: self.shm.display().to_string() }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Ok(path) = c_path(&self.shm) {
            let _ = mounts::detach(&path);
        }
        let _ = fs::remove_dir(&self.shm);
    }
}

fn open_namespaces(flags: libc::c_int) -> io::Result<Vec<(OwnedFd, libc::c_int)>> {
    let wanted = SHARED.iter().filter(|(_, kind)| flags & kind != 0);
    let open = |&(name, kind): &(&str, libc::c_int)| {
        Ok((OwnedFd::from(File::open(Path::new("/proc/self/ns").join(name))?), kind))
    };
    wanted.map(open).collect()
}
