//! The default seccomp profile: in facts that of Docker and containerd. System calls that the table
//! names are refused unless the container has the capability that lifts the refusal; those that are
//! newer than the table answer "not implemented", so that programs fall back to what they know.
//!
//! It is written as refusals among all known numbers, not as permissions: the program is then a
//! quarter as long, and every container start carries and loads it.

use std::sync::OnceLock;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, sock_filter,
};

/// The newest system call that the table knows: `mseal`, whose number is the same everywhere.
const NEWEST: u32 = 462;
/// Refused numbers that are compared one after another; runs without the number are skipped as a
/// whole. When a filter is installed the kernel runs it once for every number there is, which with
/// one long run was a tenth of what a container costs.
const RUN_LEN: usize = 8;
/// Values of `personality` that change nothing of security.
const PERSONALITIES: [u64; 5] = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];
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

fn bytes(program: &[sock_filter]) -> Vec<u8> {
    let instruction = |i: &sock_filter| {
        let code = i.code.to_ne_bytes();
        let k = i.k.to_ne_bytes();
        [code[0], code[1], i.jt, i.jf, k[0], k[1], k[2], k[3]]
    };
    program.iter().flat_map(instruction).collect()
}

fn compile(capabilities: u64) -> BpfProgram {
    let admin = capabilities & (1 << SYS_ADMIN) != 0;
    let mut rules = std::collections::BTreeMap::new();
    if !admin {
        let flag = |flag: &i32| {
            let bit = u64::from(flag.unsigned_abs());
            rule(vec![condition(0, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bit), bit)])
        };
        rules.insert(libc::SYS_clone, CLONE_NAMESPACES.iter().map(flag).collect());
    }
    let other = PERSONALITIES
        .map(|value| condition(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value))
        .to_vec();
    rules.insert(libc::SYS_personality, vec![rule(other)]);
    let vsock = u64::from(libc::AF_VSOCK.unsigned_abs());
    let vsock = condition(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, vsock);
    rules.insert(libc::SYS_socket, vec![rule(vec![vsock])]);
    let refusal = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let architecture =
        std::env::consts::ARCH.try_into().expect("coracle is built only for known architectures");
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refusal, architecture);
    let program: BpfProgram =
        filter.and_then(TryInto::try_into).expect("the table makes a filter within its limits");
    [by_number(capabilities), program].concat()
}

fn rule(conditions: Vec<SeccompCondition>) -> SeccompRule {
    SeccompRule::new(conditions).expect("a rule of the table has conditions")
}

fn condition(index: u8, len: SeccompCmpArgLen, op: SeccompCmpOp, value: u64) -> SeccompCondition {
    SeccompCondition::new(index, len, op, value).expect("system calls have six arguments")
}

/// What the number alone decides, in front of the rest: refusals; newer system calls; and `clone3`,
/// whose flags a filter cannot see, so that C libraries use `clone`.
fn by_number(capabilities: u64) -> Vec<sock_filter> {
    const LOAD: u16 = 0x20;
    const JUMP: u16 = 0x05;
    const JUMP_EQUAL: u16 = 0x15;
    const JUMP_GREATER: u16 = 0x25;
    const RETURN: u16 = 0x06;
    const RETURN_ERRNO: u32 = 0x0005_0000;
    let lifted = |lift: &Option<u32>| lift.is_some_and(|cap| capabilities & (1 << cap) != 0);
    let small = |number| u32::try_from(number).expect("numbers of system calls are small");
    let refused = REFUSED.iter().chain(REFUSED_HERE).filter(|(_, lift)| !lifted(lift));
    let mut refused: Vec<u32> = refused.map(|(number, _)| small(*number)).collect();
    refused.sort_unstable();
    let admin = capabilities & (1 << SYS_ADMIN) != 0;
    let instruction = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    let errno = |errno: i32| instruction(RETURN, 0, 0, RETURN_ERRNO | errno.unsigned_abs());
    // The system call's number is the first word.
    let mut program = vec![
        instruction(LOAD, 0, 0, 0),
        instruction(JUMP_GREATER, u8::from(!admin), u8::from(admin), NEWEST),
    ];
    if !admin {
        program.push(instruction(JUMP_EQUAL, 0, 1, small(libc::SYS_clone3)));
    }
    program.push(errno(libc::ENOSYS));
    let end = program.len() + refused.len() + 2 * refused.len().div_ceil(RUN_LEN);
    let distance = |from: usize, to: usize| u8::try_from(to - from - 1).expect("it is short");
    for run in refused.chunks(RUN_LEN) {
        let last = run.last().expect("a run is not empty");
        let beyond = u8::try_from(run.len() + 1).expect("a run is short");
        program.push(instruction(JUMP_GREATER, beyond, 0, *last));
        for number in run {
            let to_refusal = distance(program.len(), end + 1);
            program.push(instruction(JUMP_EQUAL, to_refusal, 0, *number));
        }
        let to_end = u32::from(distance(program.len(), end));
        program.push(instruction(JUMP, 0, 0, to_end));
    }
    program.extend([instruction(JUMP, 0, 0, 1), errno(libc::EPERM)]);
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUDIT_ARCH: u32 = if cfg!(target_arch = "x86_64") { 0xc000_003e } else { 0xc000_00b7 };
    const ALLOW: u32 = 0x7fff_0000;

    /// What the program answers to a system call: `None` to allow it, else the errno.
    fn run(program: &[sock_filter], number: libc::c_long, first: u64) -> Option<i32> {
        let number = u32::try_from(number).unwrap();
        let word = |offset: u32| match offset {
            0 => number,
            4 => AUDIT_ARCH,
            16 => (first & 0xffff_ffff) as u32,
            20 => (first >> 32) as u32,
            _ => 0,
        };
        let (mut at, mut a) = (0_usize, 0_u32);
        loop {
            let i = &program[at];
            at += 1;
            let jump = |yes: bool| usize::from(if yes { i.jt } else { i.jf });
            match i.code {
                0x20 => a = word(i.k),
                0x54 => a &= i.k,
                0x05 => at += i.k as usize,
                0x15 => at += jump(a == i.k),
                0x25 => at += jump(a > i.k),
                0x35 => at += jump(a >= i.k),
                0x06 if i.k == ALLOW => return None,
                0x06 => return Some((i.k & 0xffff) as i32),
                other => panic!("unknown instruction {other:#x}"),
            }
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

    /// Every start carries and loads it.
    #[test]
    fn the_program_is_small() {
        assert!(profile(0).len() <= 160 * 8, "{} instructions", profile(0).len() / 8);
        assert_eq!(profile(0), profile(1 << 0), "a capability that lifts nothing changes nothing");
    }
}
