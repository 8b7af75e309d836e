//! Streams of programs and containers: given away, copied, kept open, broken.

use crate::harness::{Harness, assert_gone, lines, log_path, wait_for_text};
use spawner::protocol::{
    ContainerId, Exec, Executed, Given, Reply, Request, Start, Stdio, Streams, Task,
};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

const ALL: Streams = Streams { stdin: true, stdout: true, stderr: true, terminal: false };
const TERMINAL: Streams = Streams { stdin: true, stdout: true, stderr: false, terminal: true };

impl Harness {
    fn run_with(&mut self, id: &ContainerId, script: &str, streams: Streams) -> (u64, Held) {
        let exec = u64::from(self.next_attempt());
        let task = Task::Program(["sh", "-c", script].map(str::to_owned).to_vec());
        let (id, streams) = (id.clone(), Some(streams));
        let request = Exec { id, exec, task, output_bytes_max: 0, streams };
        self.send(&Request::Exec(Box::new(request)));
        (exec, Held(self.given(exec)))
    }

    fn attach(&mut self, id: &ContainerId, streams: Streams) -> Held {
        let number = u64::from(self.next_attempt());
        self.send(&Request::Attach { id: id.clone(), number, streams });
        Held(self.given(number))
    }

    fn code(&mut self, wanted: u64) -> Option<i32> {
        self.wait(|reply| match reply {
            Reply::Executed { exec, how: Executed::Ended { code, .. }, .. } if *exec == wanted => {
                Some(*code)
            }
            Reply::Executed { exec, how, .. } if *exec == wanted => panic!("{how:?}"),
            _ => None,
        })
    }

    fn runs(&mut self, mut start: Start, stdio: Stdio) -> ContainerId {
        start.stdio = stdio;
        let id = self.start(start);
        self.started(&id);
        id
    }
}

/// Descriptors that were given away.
struct Held(Vec<(Given, OwnedFd)>);

impl Held {
    fn take(&mut self, wanted: Given) -> File {
        let at = self.0.iter().position(|(given, _)| *given == wanted);
        self.0.remove(at.unwrap_or_else(|| panic!("no {wanted:?}"))).1.into()
    }

    /// The controlling side of the terminal, once it is there; it does not wait.
    fn terminal(&mut self) -> File {
        let socket = OwnedFd::from(self.take(Given::TerminalArrives));
        loop {
            if let Some(control) = spawner::arrived(&socket).unwrap() {
                return control.into();
            }
            std::thread::yield_now();
        }
    }
}

/// Read until a text has come, from what may not wait.
fn read_until(file: &mut File, text: &str) -> String {
    let (mut got, mut part) = (String::new(), [0; 4096]);
    while !got.contains(text) {
        match file.read(&mut part) {
            Ok(0) => panic!("ended after {got:?}"),
            Ok(count) => got.push_str(&String::from_utf8_lossy(&part[..count])),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                std::thread::yield_now();
            }
            Err(error) => panic!("{error} after {got:?}"),
        }
    }
    got
}

fn read_all(mut file: File) -> String {
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_program_has_the_streams_of_who_asked() {
    let Some(mut spawner) = Harness::new() else { return };
    for start in [spawner.isolated("a", "sleep 60", |_| ()), spawner.plain("b", "sleep 60")] {
        let id = spawner.runs(start, Stdio::default());
        let (exec, mut held) = spawner.run_with(&id, "cat; echo end >&2; exit 7", ALL);
        let mut input = held.take(Given::Stdin);
        input.write_all(b"some text").unwrap();
        drop(input);
        assert_eq!(read_all(held.take(Given::Stdout)), "some text");
        assert_eq!(read_all(held.take(Given::Stderr)), "end\n");
        assert_eq!(spawner.code(exec), Some(7));
        // What nobody wants is read all the same, and what nobody gives is empty.
        let quiet = Streams { stdout: true, ..Streams::default() };
        let script = "cat; head -c 300000 /dev/zero >&2; echo done";
        let (exec, mut held) = spawner.run_with(&id, script, quiet);
        assert_eq!(read_all(held.take(Given::Stdout)), "done\n");
        assert_eq!((held.0.len(), spawner.code(exec)), (0, Some(0)));
    }
}

#[test]
fn a_program_has_a_terminal_of_its_own_that_it_knows_by_name() {
    let Some(mut spawner) = Harness::new() else { return };
    for start in [spawner.isolated("a", "sleep 60", |_| ()), spawner.plain("b", "sleep 60")] {
        let id = spawner.runs(start, Stdio::default());
        let script = "tty; echo $TERM; read line; echo got $line; exec sleep 60";
        let (exec, mut held) = spawner.run_with(&id, script, TERMINAL);
        let mut terminal = held.terminal();
        let begin = read_until(&mut terminal, "xterm");
        assert!(begin.starts_with("/dev/pts/"), "{begin}");
        terminal.write_all(b"hello\n").unwrap();
        read_until(&mut terminal, "got hello");
        drop(terminal);
        let signal = spawner.wait(|reply| match reply {
            Reply::Executed { exec: of, how: Executed::Ended { signal, .. }, .. }
                if *of == exec =>
            {
                Some(*signal)
            }
            _ => None,
        });
        assert_eq!(signal, Some(1), "hung up when its terminal is gone");
    }
}

#[test]
fn a_program_outlives_the_server_if_it_can_do_without_its_streams() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.isolated("a", "sleep 60", |_| ());
    let (log, id) = (log_path(&start.log), spawner.runs(start, Stdio::default()));
    let say = "cat >/dev/null; echo ended >/proc/1/fd/1; exec sleep 60";
    let (_, held) = spawner.run_with(&id, say, ALL);
    let (_, writes) = spawner.run_with(&id, "while echo x; do :; done; echo no more >&2", ALL);
    drop((held, writes));
    spawner.reconnect();
    wait_for_text(&log, "ended");
    let (_, mut held) = spawner.run_with(&id, "ps ax | grep -c '[e]cho x'", ALL);
    assert_eq!(read_all(held.take(Given::Stdout)), "0\n", "the pipe of the other one broke");
    spawner.send(&Request::Kill { id: id.clone() });
    spawner.ended(&id);
}

#[test]
fn who_attaches_gets_what_comes_from_then_on_and_the_log_gets_it_too() {
    let Some(mut spawner) = Harness::new() else { return };
    for mut start in [spawner.isolated("a", "", |_| ()), spawner.plain("b", "")] {
        start.argv[2] =
            "echo before; while read line; do echo $line; echo -n e >&2; done; echo eof".into();
        let (log, stdio) = (start.log.clone(), Stdio { stdin: true, ..Stdio::default() });
        let id = spawner.runs(start, stdio);
        wait_for_text(&log_path(&log), "before");
        let (mut one, mut two) = (spawner.attach(&id, ALL), spawner.attach(&id, ALL));
        one.take(Given::Stdin).write_all(b"1\n").unwrap();
        let mut output = one.take(Given::Stdout);
        assert_eq!(read_until(&mut output, "\n"), "1\n");
        // A server that is killed takes neither the input nor the output away.
        drop((one, output));
        spawner.reconnect();
        let mut three = spawner.attach(&id, ALL);
        three.take(Given::Stdin).write_all(b"2\n").unwrap();
        assert_eq!(read_until(&mut three.take(Given::Stdout), "\n"), "2\n");
        assert_eq!(read_all(two.take(Given::Stdout)), "1\n", "its copy ended with the server");
        spawner.send(&Request::Kill { id: id.clone() });
        spawner.ended(&id);
        assert_eq!(read_all(three.take(Given::Stderr)), "e");
        let printed = lines(&log);
        assert_eq!(printed, ["stdout F before", "stdout F 1", "stdout F 2", "stderr P ee"]);
    }
}

#[test]
fn an_input_for_once_ends_with_the_first_who_attached() {
    let Some(mut spawner) = Harness::new() else { return };
    let stdio = Stdio { stdin: true, stdin_once: true, tty: false };
    for by_server in [false, true] {
        let start = spawner.isolated(&format!("a{by_server}"), "cat; echo eof", |_| ());
        let (log, id) = (start.log.clone(), spawner.runs(start, stdio));
        // Who only looks on does not end it.
        let looks_on = spawner.attach(&id, Streams { stdin: false, ..ALL });
        drop(looks_on);
        let mut held = spawner.attach(&id, ALL);
        held.take(Given::Stdin).write_all(b"text\n").unwrap();
        match by_server {
            true => spawner.reconnect(),
            false => spawner.send(&Request::CloseInput { id: id.clone() }),
        }
        assert_eq!(spawner.ended(&id).code, Some(0));
        assert_eq!(lines(&log), ["stdout F text", "stdout F eof"]);
        if !by_server {
            assert_eq!(read_all(held.take(Given::Stdout)), "text\neof\n");
        }
    }
}

#[test]
fn the_output_waits_for_who_is_attached_and_is_whole() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.isolated("a", "read go; seq 200000; echo end", |_| ());
    let stdio = Stdio { stdin: true, ..Stdio::default() };
    let id = spawner.runs(start, stdio);
    let mut reads = spawner.attach(&id, ALL);
    let mut other = spawner.attach(&id, ALL);
    reads.take(Given::Stdin).write_all(b"\n").unwrap();
    // One reads all it can get while the other sleeps: it is held up, but loses nothing.
    let mut output = reads.take(Given::Stdout);
    read_until(&mut output, "1000\n");
    let slow = std::thread::spawn(move || read_all(other.take(Given::Stdout)));
    let rest = read_all(output);
    let whole = slow.join().unwrap();
    assert!(rest.ends_with("\n200000\nend\n") && whole.ends_with("\n200000\nend\n"));
    assert_eq!(whole.lines().count(), 200_001);
    spawner.ended(&id);
}

#[test]
fn a_container_has_a_terminal_and_its_log_is_what_that_shows() {
    let Some(mut spawner) = Harness::new() else { return };
    let stdio = Stdio { stdin: true, stdin_once: false, tty: true };
    let script = "tty; while read line; do echo got $line; done; echo eof >&2; exec sleep 60";
    for (start, user) in
        [(spawner.isolated("a", script, |_| ()), 1000), (spawner.plain("b", script), 0)]
    {
        let mut start = start;
        start.user.uid = user;
        let log = start.log.clone();
        let id = spawner.runs(start, stdio);
        wait_for_text(&log_path(&log), "/dev/pts/");
        let mut held = spawner.attach(&id, TERMINAL);
        let (mut control, mut output) = (held.take(Given::Terminal), held.take(Given::Stdout));
        control.write_all(b"one\n").unwrap();
        read_until(&mut output, "got one");
        // ^D ends the input of who reads from a terminal.
        control.write_all(&[4]).unwrap();
        read_until(&mut output, "eof");
        drop(control);
        let pid = fs::read_to_string(log_path(&log)).unwrap();
        assert!(pid.contains("stdout F got one\r\n"), "{pid}");
        spawner.reconnect();
        let running = spawner.listed_fds.len();
        assert_eq!(running, 1, "it goes on without any server");
        spawner.send(&Request::Kill { id: id.clone() });
        spawner.ended(&id);
        spawner.send(&Request::Forget { id });
    }
}

#[test]
fn what_stands_at_the_name_of_the_terminals_is_not_talked_to() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "rm /dev/ptmx; ln -s null /dev/ptmx; echo ready; sleep 60";
    let start = spawner.isolated("a", script, |_| ());
    let (log, id) = (log_path(&start.log), spawner.runs(start, Stdio::default()));
    wait_for_text(&log, "ready");
    let (exec, held) = spawner.run_with(&id, "echo no", TERMINAL);
    let failure = spawner.wait(|reply| match reply {
        Reply::Executed { exec: of, how: Executed::Failed(failure), .. } if *of == exec => {
            Some(failure.message.clone())
        }
        _ => None,
    });
    assert_eq!(failure, "open a terminal: inappropriate ioctl for device");
    drop(held);
}

#[test]
fn sockets_are_in_the_network_of_the_container() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.isolated("a", "sleep 60", |_| ());
    let id = spawner.runs(start, Stdio::default());
    let number = u64::from(spawner.next_attempt());
    spawner.send(&Request::Sockets { id: id.clone(), number });
    let mut held = Held(spawner.given(number));
    let (_, mut out) = spawner.run_with(&id, "readlink /proc/1/ns/net", ALL);
    let network = read_all(out.take(Given::Stdout));
    for given in [Given::Socket4, Given::Socket6] {
        assert_eq!(format!("{}\n", network_of(&held.take(given))), network);
    }
    let gone = Request::Sockets { id: ContainerId { attempt: 9, ..id }, number: 99 };
    spawner.send(&gone);
    let why = spawner.wait(|reply| match reply {
        Reply::Executed { exec: 99, how: Executed::Failed(failure), .. } => {
            Some(failure.message.clone())
        }
        _ => None,
    });
    assert_eq!(why, "the container does not run: no such process");
}

#[test]
fn a_program_with_streams_ends_with_its_container() {
    let Some(mut spawner) = Harness::new() else { return };
    for start in [spawner.isolated("a", "sleep 60", |_| ()), spawner.plain("b", "sleep 60")] {
        let id = spawner.runs(start, Stdio::default());
        let (exec, mut held) = spawner.run_with(&id, "echo $$; exec sleep 60", ALL);
        let mut output = held.take(Given::Stdout);
        let pid = read_until(&mut output, "\n");
        spawner.send(&Request::Kill { id: id.clone() });
        let with_container =
            spawner.wait(|reply| match reply {
                Reply::Executed {
                    exec: of, how: Executed::Ended { with_container, .. }, ..
                } if *of == exec => Some(*with_container),
                _ => None,
            });
        assert!(with_container);
        spawner.ended(&id);
        if id.container == "b" {
            assert_gone(pid.trim().parse().unwrap());
        }
    }
}

/// The network namespace of a socket, as /proc names it.
fn network_of(socket: &File) -> String {
    /// Gives a descriptor of it.
    const SIOCGSKNS: libc::Ioctl = 0x894c;
    // SAFETY: no memory is involved; a non-negative answer is a new descriptor.
    let namespace = unsafe {
        let fd = libc::ioctl(socket.as_raw_fd(), SIOCGSKNS);
        assert!(fd >= 0, "{}", std::io::Error::last_os_error());
        File::from_raw_fd(fd)
    };
    let link = fs::read_link(format!("/proc/self/fd/{}", namespace.as_raw_fd())).unwrap();
    link.to_str().unwrap().to_owned()
}
