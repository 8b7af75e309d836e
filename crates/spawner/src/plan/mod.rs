//! From a start request to the steps its child will do. Decides, and does nothing.

mod addresses;
mod container;
mod exec;
mod privileges;
mod process;
mod root;

pub(crate) use addresses::tell_addresses;
pub(crate) use container::{
    EMPTY, InRoom, Manners, Places, PodNamespaces, SHM_OPTIONS, container, furnish, in_room,
    new_namespaces,
};
pub(crate) use exec::{Inside, exec};
pub(crate) use process::process;

use crate::protocol::{Failure, Stage};
use crate::step::{Output, Step};
use crate::sys::{c_string, errno};
use std::ffi::{CString, c_char};
use std::io;
use std::os::fd::RawFd;

/// Where a program is looked for when its environment has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// An array of strings as `execve` takes it.
#[derive(Debug)]
pub(crate) struct Strings {
    strings: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl Strings {
    pub(crate) fn new(texts: &[String]) -> io::Result<Strings> {
        let strings: Vec<CString> = texts.iter().map(|t| c_string(t)).collect::<Result<_, _>>()?;
        let ends = std::iter::once(std::ptr::null());
        let pointers = strings.iter().map(|s| s.as_ptr()).chain(ends).collect();
        Ok(Strings { strings, pointers })
    }

    /// The array, ended by a null; alive as long as this value.
    pub(crate) fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }

    /// The first string, for messages.
    pub(crate) fn first(&self) -> String {
        self.strings.first().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// What the spawner itself contributes to every plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings {
    /// The pipe for input, if there is one: the end to read from.
    pub(crate) input: Option<RawFd>,
    /// Whether the child is to have a terminal; `out` and `err` are a socket then, by which it sends
    /// the other side.
    pub(crate) terminal: bool,
    /// The pipes for output and errors: the ends to write to.
    pub(crate) out: RawFd,
    /// See `out`.
    pub(crate) err: RawFd,
    /// The same for the report of a failed step, if that goes through a pipe.
    pub(crate) report: Option<RawFd>,
    /// The machine's mount namespace, if the spawner has one of its own.
    pub(crate) machine_mounts: Option<RawFd>,
    /// The soft and hard limit of open descriptors to give back to programs.
    pub(crate) file_limit: (u64, u64),
    /// The effective user and group of the spawner.
    pub(crate) identity: (u32, u32),
    /// The capabilities the spawner can pass on.
    pub(crate) capabilities: u64,
    /// Those in its bounding set, which a plain process keeps.
    pub(crate) bounding: u64,
}

impl Surroundings {
    /// The step that puts the standard streams in their places, owned by whoever runs there.
    fn output(&self, keep: [Option<RawFd>; 2], owner: Option<(u32, u32)>) -> Step {
        let owner = owner.filter(|_| !self.terminal);
        Step::Output(Output { input: self.input, out: self.out, err: self.err, keep, owner })
    }

    /// The step for a terminal, if there is to be one: once the mounts are those of its program.
    fn terminal(&self, owner: Option<(u32, u32)>) -> Option<Step> {
        self.terminal.then_some(Step::Terminal { owner: owner.map(|(uid, _)| uid) })
    }

    /// What a child keeps open in spite of all, in order: its report, and something else.
    fn keep(&self, other: Option<RawFd>) -> [Option<RawFd>; 2] {
        let mut keep = [self.report, other];
        keep.sort_unstable();
        keep
    }
}

/// A start that cannot even be tried, as the protocol reports it.
pub(crate) fn refused(stage: Stage, error: &io::Error, what: &str, at_ns: i64) -> Failure {
    let text = match error.raw_os_error() {
        Some(number) => crate::sys::errno_text(number),
        None => error.to_string(),
    };
    Failure { stage, errno: errno(error), message: format!("{what}: {text}"), at_ns }
}

/// The steps every child ends with: take signals, run the program.
fn run_program(argv: &[String], env: &[String]) -> io::Result<[Step; 2]> {
    let programs = candidates(argv, env)?;
    let (argv, envp) = (Strings::new(argv)?, Strings::new(env)?);
    Ok([Step::AcceptSignals, Step::Execute { programs, argv, envp }])
}

/// The paths at which to look for a program, in order.
fn candidates(argv: &[String], env: &[String]) -> io::Result<Vec<CString>> {
    let Some(program) = argv.first().filter(|program| !program.is_empty()) else {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    };
    if program.contains('/') {
        return Ok(vec![c_string(program)?]);
    }
    let path = env.iter().rev().find_map(|entry| entry.strip_prefix("PATH="));
    let directories = path.unwrap_or(DEFAULT_PATH).split(':');
    let in_directory = |directory: &str| match directory {
        "" => c_string(&format!("./{program}")),
        directory => c_string(&format!("{directory}/{program}")),
    };
    directories.map(in_directory).collect()
}

/// The step that sets `oom_score_adj`, where one is asked for.
fn oom_score(score: Option<i32>) -> io::Result<Option<Step>> {
    let step = |score: i32| Ok(Step::OomScore { value: c_string(&score.to_string())? });
    score.map(step).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_looked_up_in_the_last_path() {
        let look = |argv: &str, env: &[&str]| {
            let env: Vec<String> = env.iter().map(|entry| (*entry).to_owned()).collect();
            let found = candidates(&[argv.to_owned()], &env).unwrap();
            found.iter().map(|c| c.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(look("/bin/x", &["PATH=/a"]), ["/bin/x"]);
        assert_eq!(look("./x", &["PATH=/a"]), ["./x"]);
        assert_eq!(look("x", &["PATH=/z", "PATH=/a::/b"]), ["/a/x", "./x", "/b/x"]);
        assert_eq!(look("x", &[]).len(), DEFAULT_PATH.split(':').count());
        assert!(candidates(&[], &[]).is_err());
        assert!(candidates(&[String::new()], &[]).is_err());
    }
}
