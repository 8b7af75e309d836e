//! The thread that writes: it takes one batch at a time, makes it durable and says so. Everything
//! else of the server happens on one other thread.

use std::{io, sync::mpsc, thread};

use store::{Batch, Disk, Done};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Stack of the writing thread, in bytes; it calls a handful of functions deep.
const STACK_BYTES: usize = 256 * 1024;

/// The writing thread's ends. At most one batch is under way, so both queues hold at most one.
pub(super) struct Writer {
    batches: mpsc::Sender<Batch>,
    done: UnboundedReceiver<(Done, io::Result<()>)>,
}

impl Writer {
    /// Starts the thread. It ends when the writer is dropped.
    pub(super) fn start(disk: impl Disk + 'static) -> io::Result<Self> {
        let (batches, taken) = mpsc::channel();
        let (finished, done) = unbounded_channel();
        let thread = thread::Builder::new().name("disk".to_owned()).stack_size(STACK_BYTES);
        thread.spawn(move || write(disk, &taken, &finished))?;
        Ok(Self { batches, done })
    }

    /// Hands over a batch.
    pub(super) fn write(&self, batch: Batch) {
        // The thread ends only after this sender did.
        let _ = self.batches.send(batch);
    }

    /// Waits for the batch under way.
    pub(super) async fn done(&mut self) -> Option<(Done, io::Result<()>)> {
        self.done.recv().await
    }
}

fn write(
    mut disk: impl Disk,
    batches: &mpsc::Receiver<Batch>,
    finished: &UnboundedSender<(Done, io::Result<()>)>,
) {
    while let Ok(batch) = batches.recv() {
        if finished.send(batch.perform(&mut disk)).is_err() {
            return;
        }
    }
}
