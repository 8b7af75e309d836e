//! The default seccomp profile: in facts that of Docker and containerd. System calls that the table
//! names are refused unless the container has the capability that lifts the refusal; those that are
//! newer than the table answer "not implemented", so that programs fall back to what they know.
//!
//! Every container start carries and loads the program, and while loading it the kernel runs it once
//! for every number there is, twice where a second architecture has numbers of its own. So it is made
//! to be short and to come to an end soon: the architecture first, then the number by halves.

mod program;

use std::{collections::BTreeMap, sync::OnceLock};

use self::program::{Answer, Instruction, bytes};

/// The newest system call that the table knows: `mseal`, whose number is the same everywhere.
const NEWEST: u32 = 462;
/// Values of `personality` that change nothing of security.
const PERSONALITIES: [u32; 5] = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];
/// Flags of `clone` that make namespaces.
const CLONE_NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// Capabilities that lift refusals, by number.
const DAC_READ_SEARCH: u32 = 2;
const SYS_MODULE: u32 = 16;
const SYS_RAWIO: u32 = 17;
const SYS_PTRACE: u32 = 19;
const SYS_PACCT: u32 = 20;
const SYS_ADMIN: u32 = 21;
const SYS_BOOT: u32 = 22;
const SYS_NICE: u32 = 23;
const SYS_TIME: u32 = 25;
const SYS_TTY_CONFIG: u32 = 26;
const SYSLOG: u32 = 34;
const PERFMON: u32 = 38;
const BPF: u32 = 39;

/// Refused system calls, and the capability that lifts the refusal.
const REFUSED: &[(libc::c_long, Option<u32>)] = &[
    (libc::SYS_acct, Some(SYS_PACCT)),
    (libc::SYS_add_key, None),
    (libc::SYS_bpf, Some(BPF)),
    (libc::SYS_clock_settime, Some(SYS_TIME)),
    (libc::SYS_delete_module, Some(SYS_MODULE)),
    (libc::SYS_fanotify_init, Some(SYS_ADMIN)),
    (libc::SYS_finit_module, Some(SYS_MODULE)),
    (libc::SYS_fsconfig, Some(SYS_ADMIN)),
    (libc::SYS_fsmount, Some(SYS_ADMIN)),
    (libc::SYS_fsopen, Some(SYS_ADMIN)),
    (libc::SYS_fspick, Some(SYS_ADMIN)),
    (libc::SYS_get_mempolicy, Some(SYS_NICE)),
    (libc::SYS_init_module, Some(SYS_MODULE)),
    (libc::SYS_io_uring_enter, None),
    (libc::SYS_io_uring_register, None),
    (libc::SYS_io_uring_setup, None),
    (libc::SYS_kcmp, Some(SYS_PTRACE)),
    (libc::SYS_kexec_file_load, Some(SYS_BOOT)),
    (libc::SYS_kexec_load, Some(SYS_BOOT)),
    (libc::SYS_keyctl, None),
    (libc::SYS_lookup_dcookie, Some(SYS_ADMIN)),
    (libc::SYS_mbind, Some(SYS_NICE)),
    (libc::SYS_migrate_pages, Some(SYS_NICE)),
    (libc::SYS_mount, Some(SYS_ADMIN)),
    (libc::SYS_mount_setattr, Some(SYS_ADMIN)),
    (libc::SYS_move_mount, Some(SYS_ADMIN)),
    (libc::SYS_move_pages, Some(SYS_NICE)),
    (libc::SYS_nfsservctl, None),
    (libc::SYS_open_by_handle_at, Some(DAC_READ_SEARCH)),
    (libc::SYS_open_tree, Some(SYS_ADMIN)),
    (libc::SYS_perf_event_open, Some(PERFMON)),
    (libc::SYS_pidfd_getfd, Some(SYS_PTRACE)),
    (libc::SYS_pivot_root, Some(SYS_ADMIN)),
    (libc::SYS_process_madvise, Some(SYS_PTRACE)),
    (libc::SYS_quotactl, Some(SYS_ADMIN)),
    (libc::SYS_quotactl_fd, Some(SYS_ADMIN)),
    (libc::SYS_reboot, Some(SYS_BOOT)),
    (libc::SYS_request_key, None),
    (libc::SYS_set_mempolicy, Some(SYS_NICE)),
    (libc::SYS_set_mempolicy_home_node, Some(SYS_NICE)),
    (libc::SYS_setdomainname, Some(SYS_ADMIN)),
    (libc::SYS_sethostname, Some(SYS_ADMIN)),
    (libc::SYS_setns, Some(SYS_ADMIN)),
    (libc::SYS_settimeofday, Some(SYS_TIME)),
    (libc::SYS_swapoff, None),
    (libc::SYS_swapon, None),
    (libc::SYS_syslog, Some(SYSLOG)),
    (libc::SYS_umount2, Some(SYS_ADMIN)),
    (libc::SYS_unshare, Some(SYS_ADMIN)),
    (libc::SYS_userfaultfd, None),
    (libc::SYS_vhangup, Some(SYS_TTY_CONFIG)),
];

/// The same for what only this architecture has.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[(libc::c_long, Option<u32>)] = &[
    (libc::SYS__sysctl, None),
    (libc::SYS_ioperm, Some(SYS_RAWIO)),
    (libc::SYS_iopl, Some(SYS_RAWIO)),
    (libc::SYS_sysfs, None),
    (libc::SYS_uselib, None),
    (libc::SYS_ustat, None),
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[(libc::c_long, Option<u32>)] = &[];

/// The program for a container with these capabilities: `sock_filter` instructions in native order.
pub(super) fn profile(capabilities: u64) -> Vec<u8> {
    static DEFAULT: OnceLock<Vec<u8>> = OnceLock::new();
    let lifting = [REFUSED, REFUSED_HERE].concat().into_iter().filter_map(|(_, lift)| lift);
    let lifted = lifting.fold(0, |mask, lift| mask | 1 << lift) & capabilities;
    match lifted {
        0 => DEFAULT.get_or_init(|| bytes(&compile(0))).clone(),
        _ => bytes(&compile(lifted)),
    }
}

/// The answers to all numbers, as runs: the first number of each and what it gets, the last without
/// an end.
fn runs(capabilities: u64) -> Vec<(u32, Answer)> {
    let lifted = |lift: &Option<u32>| lift.is_some_and(|cap| capabilities & (1 << cap) != 0);
    let number = |number: libc::c_long| u32::try_from(number).expect("system calls are numbers");
    let refused = REFUSED.iter().chain(REFUSED_HERE).filter(|(_, lift)| !lifted(lift));
    let mut special: BTreeMap<u32, Answer> =
        refused.map(|(refused, _)| (number(*refused), Answer::Refuse)).collect();
    special.insert(number(libc::SYS_personality), Answer::AskPersonality);
    special.insert(number(libc::SYS_socket), Answer::AskSocket);
    if capabilities & (1 << SYS_ADMIN) == 0 {
        special.insert(number(libc::SYS_clone), Answer::AskClone);
        // Its flags are where a filter cannot see them; C libraries then use clone.
        special.insert(number(libc::SYS_clone3), Answer::NotImplemented);
    }
    let mut runs = Vec::new();
    let mut last = None;
    for number in 0..=NEWEST + 1 {
        let other = if number > NEWEST { Answer::NotImplemented } else { Answer::Allow };
        let answer = special.get(&number).copied().unwrap_or(other);
        if last.replace(answer) != Some(answer) {
            runs.push((number, answer));
        }
    }
    runs
}

fn compile(capabilities: u64) -> Vec<Instruction> {
    program::program(&runs(capabilities))
}

#[cfg(test)]
mod tests {
    use super::program::{
        ALLOW, ERRNO, JUMP_AT_LEAST, JUMP_EQUAL, JUMP_SET, KILL_PROCESS, LOAD, RETURN,
        THIS_ARCHITECTURE,
    };
    use super::*;

    /// What the program answers to a system call, and after how many instructions.
    fn steps(program: &[Instruction], architecture: u32, number: u32, first: u64) -> (u32, usize) {
        let word = |offset: u32| match offset {
            0 => number,
            4 => architecture,
            16 => (first & 0xffff_ffff) as u32,
            20 => (first >> 32) as u32,
            other => panic!("no word at {other}"),
        };
        let (mut at, mut a, mut steps) = (0_usize, 0_u32, 0);
        loop {
            let i = &program[at];
            (at, steps) = (at + 1, steps + 1);
            let jump = |yes: bool| usize::from(if yes { i.jt } else { i.jf });
            match i.code {
                LOAD => a = word(i.k),
                JUMP_EQUAL => at += jump(a == i.k),
                JUMP_AT_LEAST => at += jump(a >= i.k),
                JUMP_SET => at += jump(a & i.k != 0),
                RETURN => return (i.k, steps),
                other => panic!("unknown instruction {other:#x}"),
            }
        }
    }

    /// What the program answers to a system call: `None` to allow it, else the errno.
    fn run(program: &[Instruction], number: libc::c_long, first: u64) -> Option<i32> {
        match steps(program, THIS_ARCHITECTURE, u32::try_from(number).unwrap(), first).0 {
            ALLOW => None,
            errno if errno & 0xffff_0000 == ERRNO => Some((errno & 0xffff) as i32),
            other => panic!("unknown answer {other:#x}"),
        }
    }

    #[test]
    fn every_refusal_holds_until_its_capability_lifts_it() {
        let plain = compile(0);
        for (number, lift) in REFUSED.iter().chain(REFUSED_HERE) {
            assert_eq!(run(&plain, *number, 0), Some(libc::EPERM), "{number}");
            if let Some(lift) = lift {
                assert_eq!(run(&compile(1 << lift), *number, 0), None, "{number}");
            }
        }
    }

    /// One after another, so that no jump leads astray.
    #[test]
    fn nothing_else_is_refused_by_number() {
        let refused: Vec<_> =
            REFUSED.iter().chain(REFUSED_HERE).map(|(number, _)| *number).collect();
        let ask = [libc::SYS_clone3, libc::SYS_personality];
        for number in (0..=libc::c_long::from(NEWEST)).filter(|number| !ask.contains(number)) {
            let expected = refused.contains(&number).then_some(libc::EPERM);
            assert_eq!(run(&compile(0), number, 0), expected, "{number}");
        }
    }

    #[test]
    fn everyday_calls_pass() {
        let plain = compile(0);
        for number in [libc::SYS_read, libc::SYS_execve, libc::SYS_futex, libc::SYS_chroot] {
            assert_eq!(run(&plain, number, 0), None, "{number}");
        }
    }

    #[test]
    fn threads_may_be_made_but_no_namespaces() {
        let plain = compile(0);
        let thread = u64::from((libc::CLONE_VM | libc::CLONE_THREAD).unsigned_abs());
        assert_eq!(run(&plain, libc::SYS_clone, thread), None);
        for flag in CLONE_NAMESPACES {
            let flags = thread | u64::from(flag.unsigned_abs());
            assert_eq!(run(&plain, libc::SYS_clone, flags), Some(libc::EPERM), "{flag:#x}");
            assert_eq!(run(&compile(1 << SYS_ADMIN), libc::SYS_clone, flags), None);
        }
        assert_eq!(run(&plain, libc::SYS_clone3, 0), Some(libc::ENOSYS));
        assert_eq!(run(&compile(1 << SYS_ADMIN), libc::SYS_clone3, 0), None);
    }

    #[test]
    fn arguments_decide_for_personality_and_sockets() {
        let plain = compile(0);
        assert_eq!(run(&plain, libc::SYS_personality, 0xffff_ffff), None);
        assert_eq!(run(&plain, libc::SYS_personality, 0x40_0000), Some(libc::EPERM));
        assert_eq!(run(&plain, libc::SYS_socket, 2), None);
        assert_eq!(run(&plain, libc::SYS_socket, 40), Some(libc::EPERM));
    }

    #[test]
    fn newer_calls_are_not_implemented() {
        for number in [463, 1000, 0x4000_0001] {
            assert_eq!(run(&compile(0), number, 0), Some(libc::ENOSYS));
        }
    }

    #[test]
    fn other_architectures_are_not_spoken() {
        const I386: u32 = 0x4000_0003;
        for number in 0..=NEWEST {
            assert_eq!(steps(&compile(0), I386, number, 0).0, KILL_PROCESS, "{number}");
        }
    }

    /// Every start carries and loads it, and the kernel asks it for every number.
    #[test]
    fn the_program_is_short_and_soon_at_its_end() {
        let (plain, bytes) = (compile(0), profile(0));
        assert!(bytes.len() <= 100 * 8, "{} instructions", bytes.len() / 8);
        for number in 0..=NEWEST {
            let (_, steps) = steps(&plain, THIS_ARCHITECTURE, number, 0xffff_ffff);
            assert!(steps <= 17, "{steps} for {number}");
        }
        assert_eq!(bytes, profile(1 << 0), "a capability that lifts nothing changes nothing");
    }
}
