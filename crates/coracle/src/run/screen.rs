//! The one owner of standard output and standard error: a thread that writes what it is sent, in the
//! order it was sent, so that output and progress never mix within a line and a reader that is slow
//! slows the run's log reading down instead of filling memory.

use std::{
    io::{self, IsTerminal, Write},
    thread::JoinHandle,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc;

/// How many messages may wait to be written.
const QUEUE_MESSAGES_MAX: usize = 64;

/// Something to show.
#[derive(Debug)]
pub(crate) enum Show {
    /// Bytes for standard output.
    Output(Vec<u8>),
    /// A line for standard error.
    Line(String),
    /// What the live block is now; nothing where there is no live display.
    Block(Vec<String>),
    /// Nothing more; whoever still holds a [`Screen`] shows nothing by it.
    End,
}

/// The sending half; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    sender: mpsc::Sender<Show>,
}

/// The thread behind it.
#[derive(Debug)]
pub(crate) struct ScreenThread(JoinHandle<()>);

impl Screen {
    /// Starts the thread. `live` asks for the block that is redrawn in place.
    pub(crate) fn start(live: bool) -> (Self, ScreenThread) {
        let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES_MAX);
        let thread = std::thread::spawn(move || Writer::new(live).write_all(receiver));
        (Self { sender }, ScreenThread(thread))
    }

    /// Queues something; waits while the queue is full.
    pub(crate) async fn show(&self, show: Show) {
        // After the end there is nobody to show it to.
        let _ = self.sender.send(show).await;
    }

    /// Queues the live block, unless there is more urgent work.
    pub(crate) fn try_block(&self, lines: Vec<String>) {
        // The next block supersedes a lost one.
        let _ = self.sender.try_send(Show::Block(lines));
    }
}

impl ScreenThread {
    /// Waits until everything that was sent so far is written, and ends the thread.
    pub(crate) async fn finish(self, screen: Screen) {
        screen.show(Show::End).await;
        if let Err(panic) = self.0.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

struct Writer {
    output: io::BufWriter<io::Stdout>,
    /// Whether standard output was closed by its reader: the run goes on without it.
    closed: bool,
    /// Whether both streams share the terminal with the block.
    shared: bool,
    bar: Option<ProgressBar>,
}

impl Writer {
    fn new(live: bool) -> Self {
        let bar = live.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.with_style(ProgressStyle::with_template("{msg}").expect("a template of one field"))
        });
        Self {
            output: io::BufWriter::new(io::stdout()),
            closed: false,
            shared: io::stdout().is_terminal(),
            bar,
        }
    }

    fn write_all(mut self, mut receiver: mpsc::Receiver<Show>) {
        while let Some(show) = receiver.blocking_recv() {
            match show {
                Show::Output(bytes) => self.put(&bytes),
                Show::Line(line) => {
                    self.flush();
                    self.above_block(|| complain!("{line}"));
                }
                Show::Block(lines) => self.draw(&lines),
                Show::End => break,
            }
            if receiver.is_empty() {
                self.flush();
            }
        }
        self.flush();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn draw(&self, lines: &[String]) {
        if let Some(bar) = &self.bar {
            bar.set_message(lines.join("\n"));
            bar.tick();
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.closed {
            return;
        }
        let result = match self.bar.clone().filter(|_| self.shared) {
            Some(bar) => bar.suspend(|| {
                self.output.write_all(bytes)?;
                self.output.flush()
            }),
            None => self.output.write_all(bytes),
        };
        self.check(result);
    }

    fn flush(&mut self) {
        if !self.closed {
            let result = self.output.flush();
            self.check(result);
        }
    }

    fn check(&mut self, result: io::Result<()>) {
        let Err(error) = result else { return };
        self.closed = true;
        let why = match error.kind() {
            io::ErrorKind::BrokenPipe => "nobody reads standard output any more".to_owned(),
            _ => format!("standard output cannot be written: {error}"),
        };
        self.above_block(|| {
            complain!("warning: {why}; the run goes on, coracle logs has its output")
        });
    }

    fn above_block(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}
