//! Writes the program of a system call filter: what each number is answered, as instructions of classic
//! BPF that come to an end soon.

use super::{CLONE_NAMESPACES, PERSONALITIES};

/// One instruction of a classic BPF program: `struct sock_filter`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instruction {
    pub(super) code: u16,
    /// Instructions to skip if a comparison holds.
    pub(super) jt: u8,
    /// Instructions to skip if it does not.
    pub(super) jf: u8,
    pub(super) k: u32,
}

/// Put a word of `struct seccomp_data` into the accumulator.
pub(super) const LOAD: u16 = 0x20;
pub(super) const JUMP_EQUAL: u16 = 0x15;
pub(super) const JUMP_AT_LEAST: u16 = 0x35;
/// Jump if a bit is set.
pub(super) const JUMP_SET: u16 = 0x45;
pub(super) const RETURN: u16 = 0x06;

/// Where the words are.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
/// The lower half of the first argument.
const FIRST_ARGUMENT: u32 = 16;

pub(super) const ALLOW: u32 = 0x7fff_0000;
pub(super) const ERRNO: u32 = 0x0005_0000;
pub(super) const KILL_PROCESS: u32 = 0x8000_0000;

#[cfg(target_arch = "x86_64")]
pub(super) const THIS_ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
pub(super) const THIS_ARCHITECTURE: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
pub(super) const THIS_ARCHITECTURE: u32 = 0xc000_00f3;

/// What is answered to a system call. The order is that of the ends of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Kill whoever speaks another architecture's system calls.
    Kill,
    /// It does not exist.
    NotImplemented,
    Allow,
    Refuse,
    /// Whatever these first arguments ask for.
    AskClone,
    AskPersonality,
    AskSocket,
}

/// The program that gives these answers: to runs of numbers, each by its first number, the last run
/// without an end.
pub(super) fn program(runs: &[(u32, Answer)]) -> Vec<Instruction> {
    let mut program = Program::default();
    let number = program.search(runs);
    let number = program.put(LOAD, number, number, NUMBER);
    let kill = program.end(Answer::Kill);
    program.put(JUMP_EQUAL, number, kill, THIS_ARCHITECTURE);
    program.put(LOAD, 0, 0, ARCHITECTURE);
    program.reversed.reverse();
    program.reversed
}

/// The instructions as the kernel takes them, in native order.
pub(super) fn bytes(program: &[Instruction]) -> Vec<u8> {
    let instruction = |i: &Instruction| {
        let (code, k) = (i.code.to_ne_bytes(), i.k.to_ne_bytes());
        [code[0], code[1], i.jt, i.jf, k[0], k[1], k[2], k[3]]
    };
    program.iter().flat_map(instruction).collect()
}

/// A program written from its end to its begin, for jumps lead forward only. A place in it is how
/// many instructions follow, itself included.
#[derive(Default)]
struct Program {
    reversed: Vec<Instruction>,
    ends: Vec<(Answer, usize)>,
}

impl Program {
    /// Write an instruction in front, with the places where it goes on; returns its place.
    fn put(&mut self, code: u16, then: usize, otherwise: usize, k: u32) -> usize {
        let here = self.reversed.len();
        let distance = |place: usize| match code {
            LOAD | RETURN => 0,
            _ => u8::try_from(here - place).expect("a program is shorter than a jump"),
        };
        self.reversed.push(Instruction { code, jt: distance(then), jf: distance(otherwise), k });
        here + 1
    }

    /// The place where an answer is given; written the first time.
    fn end(&mut self, answer: Answer) -> usize {
        if let Some((_, place)) = self.ends.iter().find(|(known, _)| *known == answer) {
            return *place;
        }
        let place = match answer {
            Answer::Kill => self.put(RETURN, 0, 0, KILL_PROCESS),
            Answer::NotImplemented => self.put(RETURN, 0, 0, ERRNO | libc::ENOSYS.unsigned_abs()),
            Answer::Allow => self.put(RETURN, 0, 0, ALLOW),
            Answer::Refuse => self.put(RETURN, 0, 0, ERRNO | libc::EPERM.unsigned_abs()),
            Answer::AskClone => {
                let flags = CLONE_NAMESPACES.iter().fold(0, |flags, flag| flags | flag);
                self.ask(&[flags.unsigned_abs()], JUMP_SET, Answer::Refuse, Answer::Allow)
            }
            Answer::AskPersonality => {
                self.ask(&PERSONALITIES, JUMP_EQUAL, Answer::Allow, Answer::Refuse)
            }
            Answer::AskSocket => {
                let family = libc::AF_VSOCK.unsigned_abs();
                self.ask(&[family], JUMP_EQUAL, Answer::Refuse, Answer::Allow)
            }
        };
        self.ends.push((answer, place));
        place
    }

    /// Compare the first argument with each of `values`; returns the place where that begins.
    fn ask(&mut self, values: &[u32], code: u16, then: Answer, otherwise: Answer) -> usize {
        let (then, mut next) = (self.end(then), self.end(otherwise));
        for value in values {
            next = self.put(code, then, next, *value);
        }
        self.put(LOAD, next, next, FIRST_ARGUMENT)
    }

    /// Find a number's run by halves; returns the place where that begins.
    fn search(&mut self, runs: &[(u32, Answer)]) -> usize {
        match runs {
            [] => unreachable!("there is a run for every number"),
            [(_, answer)] => self.end(*answer),
            _ => {
                let (below, from) = runs.split_at(runs.len() / 2);
                let (below, then) = (self.search(below), self.search(from));
                self.put(JUMP_AT_LEAST, then, below, from[0].0)
            }
        }
    }
}
