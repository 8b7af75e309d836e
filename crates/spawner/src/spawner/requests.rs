//! What the server asks for, and what it is told.

use super::{Spawner, Token};
use crate::connection::Connection;
use crate::container::{Container, Phase};
use crate::protocol::{ContainerId, Failure, Record, Reply, Request, Start, State, VERSION};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

impl Spawner {
    /// A server connects. It replaces the one before, which is gone or about to be.
    pub(super) fn on_connect(&mut self) {
        let accepted = self.listener.accept().and_then(|(socket, _)| {
            let uid = crate::sys::socket::peer_uid(socket.as_fd())?;
            if uid != 0 && uid != self.place.identity.0 {
                return Err(io::Error::from_raw_os_error(libc::EPERM));
            }
            Connection::new(socket)
        });
        match accepted {
            Ok(connection) => {
                self.hang_up();
                let added = self.epoll.add(connection.fd(), Token::Connection.pack(0));
                match added {
                    Ok(()) => self.connection = Some(connection),
                    Err(error) => complain!("watch a connection: {error}"),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => complain!("accept a connection: {error}"),
        }
    }

    fn hang_up(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.kill_execs();
            self.detach_all();
            self.epoll.remove(connection.fd());
        }
    }

    /// The server sent something, left, or has room for what waits.
    pub(super) fn on_connection(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        if let Err(error) = connection.receive(&mut self.scratch.input) {
            if error.kind() != io::ErrorKind::UnexpectedEof {
                complain!("the server's connection: {error}");
            }
            return self.hang_up();
        }
        while let Some(connection) = &mut self.connection {
            match connection.request() {
                Ok(Some(request)) => self.answer(request),
                Ok(None) => return,
                Err(error) => {
                    complain!("the server's connection: {error}");
                    return self.hang_up();
                }
            }
        }
    }

    fn answer(&mut self, request: Request) {
        let greeted = self.connection.as_ref().is_some_and(|connection| connection.greeted);
        if !greeted && !matches!(request, Request::Hello { .. }) {
            complain!("the server's connection: no hello");
            return self.hang_up();
        }
        match request {
            Request::Hello { .. } => self.hello(),
            Request::Start(start) => self.start_once(*start),
            Request::Signal { id, signal } => self.with(&id, |container| container.signal(signal)),
            Request::Kill { id } => self.with(&id, |container| container.kill()),
            Request::Exec(exec) => self.exec(&exec),
            Request::Attach { id, number, streams } => self.attach(&id, number, streams),
            Request::CloseInput { id } => self.close_input(&id),
            Request::Sockets { id, number } => self.sockets(&id, number),
            Request::KillExec { id, exec } => self.kill_exec(&id, exec),
            Request::Forget { id } => self.forget(&id),
            Request::EndPod { pod } => self.end_pod(&pod),
            Request::Stop => self.stopping = true,
        }
    }

    /// Whoever says hello wants something of this spawner: an earlier `Stop` holds no longer.
    fn hello(&mut self) {
        self.stopping = false;
        if let Some(connection) = &mut self.connection {
            connection.greeted = true;
        }
        self.tell(&Reply::Hello { version: VERSION, instance: self.instance.clone() }, None);
        let (mut containers, mut pidfds) = (Vec::new(), Vec::new());
        for number in self.numbers.values() {
            let Some(container) = self.containers.get(number) else { continue };
            let mut state = container.state();
            if let State::Running(_) = state {
                match &container.process {
                    Some(process) => pidfds.push(Rc::clone(&process.pidfd)),
                    // Reaped, but its output is still being read: it will be told as ended.
                    None => state = State::Starting,
                }
            }
            containers.push(Record { id: container.id.clone(), state });
        }
        self.tell(&Reply::Listed { containers }, pidfds);
    }

    /// Start what was not started before; otherwise say what became of it.
    fn start_once(&mut self, start: Start) {
        if let Some(number) = self.numbers.get(&start.id).copied() {
            return self.repeat(number);
        }
        if self.pods.get(&start.id.pod).is_some_and(|pod| pod.ending) {
            let error = io::Error::from_raw_os_error(libc::ECANCELED);
            let stage = crate::protocol::Stage::Clone;
            let now = crate::sys::now_ns();
            let failure = crate::plan::refused(stage, &error, "the pod is being ended", now);
            return self.tell_failure(&start.id, failure);
        }
        let id = start.id.clone();
        if let Err(failure) = self.start(start) {
            self.tell_failure(&id, failure);
        }
    }

    /// A start that made no child leaves no record: the server may try again under the same id.
    pub(super) fn tell_failure(&mut self, id: &ContainerId, failure: Failure) {
        self.tell(&Reply::Failed { id: id.clone(), failure }, None);
    }

    fn repeat(&mut self, number: u32) {
        let Some(container) = self.containers.get(&number) else { return };
        match &container.phase {
            Phase::Running(running) => {
                let reply = Reply::Started { id: container.id.clone(), running: running.clone() };
                if let Some(process) = &container.process {
                    let pidfd = Rc::clone(&process.pidfd);
                    self.tell(&reply, Some(pidfd));
                }
            }
            Phase::Failed(_) | Phase::Ended(_) => self.tell_end(number),
            Phase::Starting(_) | Phase::Failing(_) => {}
        }
    }

    fn with(&mut self, id: &ContainerId, act: impl FnOnce(&mut Container)) {
        let number = self.numbers.get(id);
        if let Some(container) = number.and_then(|number| self.containers.get_mut(number)) {
            act(container);
        }
    }

    fn forget(&mut self, id: &ContainerId) {
        let Some(number) = self.numbers.get(id).copied() else { return };
        let Some(container) = self.containers.get(&number) else { return };
        if container.is_over() {
            self.numbers.remove(id);
            // A child that hangs is followed until it can be reaped.
            if container.process.is_none() {
                self.containers.remove(&number);
            }
        }
    }

    fn end_pod(&mut self, pod: &str) {
        self.pods.entry(pod.to_owned()).or_default().ending = true;
        let numbers: Vec<u32> = self.of_pod(pod).collect();
        for number in numbers {
            if let Some(container) = self.containers.get_mut(&number) {
                container.kill();
            }
        }
        self.finish_pod(pod);
    }

    /// Tell the server, if one is there and has said hello. One that cannot keep up is cut off: it
    /// finds everything in the list when it comes back.
    pub(super) fn tell(&mut self, reply: &Reply, pidfds: impl IntoIterator<Item = Rc<OwnedFd>>) {
        let Some(connection) = self.connection.as_mut().filter(|c| c.greeted) else { return };
        if let Err(error) = connection.queue(reply, pidfds.into_iter().collect()) {
            complain!("the server's connection: {error}");
            self.hang_up();
        }
    }

    /// Send what waits, after each round of events.
    pub(super) fn flush(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        let result = connection.flush().and_then(|all| {
            if all == connection.blocked {
                let token = Token::Connection.pack(0);
                self.epoll.want_output(connection.fd(), token, !all)?;
                connection.blocked = !all;
            }
            Ok(())
        });
        if result.is_err() {
            self.hang_up();
        }
    }
}
