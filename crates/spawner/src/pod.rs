//! What a pod has beyond its containers: namespaces and a /dev/shm that outlive each of them.

use crate::namespaces::{Namespace, Pool};
use crate::plan::{PodNamespaces, SHM_OPTIONS};
use crate::protocol::Container;
use crate::sys::{c_path, c_string, mounts, process};
use std::fs::{self, File};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

/// Namespaces and shared memory of one pod.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Of the pod's own network, unless it uses the machine's, and IPC.
    pooled: Vec<Namespace>,
    uts: OwnedFd,
    shm: SharedMemory,
    /// Whether other pods may have the namespaces after this one.
    pub(crate) reusable: bool,
}

impl Shared {
    /// Make or take them.
    pub(crate) fn make(container: &Container, shm: PathBuf, pool: &mut Pool) -> io::Result<Shared> {
        let hostname = c_string(&container.hostname)?;
        let uts = pool.within(libc::CLONE_NEWUTS, || {
            process::set_hostname(&hostname)?;
            File::open("/proc/thread-self/ns/uts").map(OwnedFd::from)
        })?;
        let pooled = take(container, pool)?;
        Ok(Shared { pooled, uts, shm: SharedMemory::mount(shm)?, reusable: true })
    }

    /// As the plan of a container takes it.
    pub(crate) fn for_plan(&self) -> PodNamespaces {
        let mut held: Vec<_> = self.pooled.iter().map(Namespace::held).collect();
        held.push((self.uts.as_raw_fd(), libc::CLONE_NEWUTS));
        PodNamespaces { held, shm: Some(self.shm.0.display().to_string()) }
    }

    /// The addresses of the pod's own network.
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        self.pooled.iter().flat_map(Namespace::addresses).collect()
    }

    /// The pod has ended and every process of it is gone.
    pub(crate) fn give_back(self, pool: &mut Pool) {
        if self.reusable {
            self.pooled.into_iter().for_each(|namespace| pool.give(namespace));
        }
    }
}

/// The namespaces of one pod that others may have had before.
pub(crate) fn take(container: &Container, pool: &mut Pool) -> io::Result<Vec<Namespace>> {
    let mut taken = Vec::with_capacity(2);
    if !container.host_network {
        taken.push(pool.network(container.addresses)?);
    }
    taken.push(pool.ipc()?);
    Ok(taken)
}

/// The /dev/shm of a pod, unmounted when dropped.
#[derive(Debug)]
struct SharedMemory(PathBuf);

impl SharedMemory {
    fn mount(place: PathBuf) -> io::Result<SharedMemory> {
        fs::create_dir(&place)?;
        let shm = SharedMemory(place);
        let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        let data = c_string(SHM_OPTIONS)?;
        mounts::mount(c"shm", &c_path(&shm.0)?, Some(c"tmpfs"), flags, Some(&data))?;
        Ok(shm)
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        if let Ok(path) = c_path(&self.0) {
            let _ = mounts::detach(&path);
        }
        let _ = fs::remove_dir(&self.0);
    }
}
