//! The images of the server's pods: a thread of its own finds, pulls and unpacks them, so that neither
//! a registry nor a large layer keeps the server waiting. It also removes images that nobody uses
//! when the disk fills up.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{Arc, Mutex},
    time::Instant,
};

use images::{Credentials, Image, Progress, Reference, Registries, Store};
use node::{ImageNews, ImageRequest, Input, PullPolicy, ReadyImage};
use tokio::{
    sync::{
        Mutex as Turn, Semaphore,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    },
    task::{LocalSet, spawn_local},
};

use crate::clock;

/// Images that are pulled at once.
const PULLS_AT_ONCE: usize = 3;
/// Layers that are unpacked at once, and files that are looked at.
const BLOCKING_THREADS_MAX: usize = 4;
/// How full the disk is when images begin to go, percent: upstream's threshold.
const DISK_HIGH_PERCENT: u64 = 85;
/// How full it may stay, percent.
const DISK_LOW_PERCENT: u64 = 80;
/// How long an image stays although nobody uses it, seconds.
const UNUSED_S_MIN: i64 = 120;

/// What the thread is asked to do.
enum Work {
    Find(Box<ImageRequest>),
    Release(String),
}

/// The way to the thread.
pub(super) struct Images {
    work: UnboundedSender<Work>,
}

impl Images {
    /// Starts the thread. `live` are the pods that may have containers; what others used is free.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn start(
        data_dir: &Path,
        live: Vec<String>,
        answer: UnboundedSender<Input>,
    ) -> io::Result<Self> {
        let (work, works) = unbounded_channel();
        let data_dir = data_dir.to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .build()?;
        let thread = std::thread::Builder::new().name("images".to_owned());
        thread.spawn(move || {
            let keeper = Rc::new(Keeper::new(data_dir, answer));
            LocalSet::new().block_on(&runtime, keeper.serve(works, &live));
            // What hangs keeps nobody from ending.
            runtime.shutdown_background();
        })?;
        Ok(Self { work })
    }

    /// Finds an image; what becomes of it is an [`Input::Image`].
    pub(super) fn find(&self, request: Box<ImageRequest>) {
        // It lives as long as the server does.
        let _ = self.work.send(Work::Find(request));
    }

    /// A pod uses its images no more.
    pub(super) fn release(&self, pod: String) {
        let _ = self.work.send(Work::Release(pod));
    }
}

struct Keeper {
    store: Store,
    data_dir: PathBuf,
    answer: UnboundedSender<Input>,
    room: Semaphore,
    /// Who pulls an image alone may; the others find it then.
    turns: Mutex<BTreeMap<Reference, Arc<Turn<()>>>>,
}

impl Keeper {
    fn new(data_dir: PathBuf, answer: UnboundedSender<Input>) -> Self {
        let store = Store::of(&data_dir);
        let room = Semaphore::new(PULLS_AT_ONCE);
        Self { store, data_dir, answer, room, turns: Mutex::default() }
    }

    async fn serve(self: Rc<Self>, mut works: UnboundedReceiver<Work>, live: &[String]) {
        let over = |pod: &str| !live.iter().any(|uid| uid == pod);
        told(self.store.unuse(over).and_then(|()| self.store.clean().map(drop)));
        while let Some(work) = works.recv().await {
            match work {
                Work::Release(pod) => told(self.store.unuse(|uid| uid == pod)),
                Work::Find(request) => {
                    let keeper = Rc::clone(&self);
                    spawn_local(async move {
                        let news = keeper.find(&request).await;
                        keeper.say(&request, news);
                    });
                }
            }
        }
    }

    fn say(&self, request: &ImageRequest, news: ImageNews) {
        // Nobody listens any more once the server ends.
        let _ = self.answer.send(Input::Image { id: request.id.clone(), news });
    }

    async fn find(&self, request: &ImageRequest) -> ImageNews {
        match self.found_or_pulled(request).await {
            Ok(news) => news,
            Err(error) => ImageNews::Failed(error.to_string()),
        }
    }

    async fn found_or_pulled(&self, request: &ImageRequest) -> Result<ImageNews, images::Error> {
        if request.policy != PullPolicy::Always
            && let Some(news) = self.present(request)?
        {
            return Ok(news);
        }
        if request.policy == PullPolicy::Never {
            return Ok(ImageNews::Absent);
        }
        self.say(request, ImageNews::Pulling);
        let asked = Instant::now();
        let turn = self.turn(&request.reference);
        let _turn = turn.lock().await;
        // Another pod may have pulled it meanwhile.
        if request.policy == PullPolicy::IfNotPresent
            && let Some(news) = self.present(request)?
        {
            return Ok(news);
        }
        let _room = self.room.acquire().await;
        let begun = Instant::now();
        let pulled = self.pull(request).await;
        self.turns.lock().ok().and_then(|mut turns| turns.remove(&request.reference));
        let image = self.ready(request, pulled?)?;
        let ms = |since: Instant| u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let news = ImageNews::Pulled { image, took_ms: ms(begun), waited_ms: ms(asked) };
        self.collect();
        Ok(news)
    }

    fn turn(&self, reference: &Reference) -> Arc<Turn<()>> {
        match self.turns.lock() {
            Ok(mut turns) => Arc::clone(turns.entry(reference.clone()).or_default()),
            Err(_) => Arc::default(),
        }
    }

    fn present(&self, request: &ImageRequest) -> Result<Option<ImageNews>, images::Error> {
        let image = self.store.find(&request.reference)?;
        image.map(|image| self.ready(request, image).map(ImageNews::Present)).transpose()
    }

    /// Notes the use of an image, so that it stays.
    fn ready(
        &self,
        request: &ImageRequest,
        image: Image,
    ) -> Result<Arc<ReadyImage>, images::Error> {
        self.store.use_by(&image, &request.id.pod, &request.id.container)?;
        let (reference, root) = (request.reference.clone(), self.store.root(&image));
        Ok(Arc::new(ReadyImage { reference, image, root }))
    }

    async fn pull(&self, request: &ImageRequest) -> Result<Image, images::Error> {
        let registries = Registries::read(&self.data_dir)?;
        let mut credentials = Credentials::default();
        for text in &request.credentials {
            credentials.add(text)?;
        }
        let listener: images::Listener = Arc::new(|_: Progress| ());
        let now_s = clock::now().as_second();
        let (store, reference) = (&self.store, &request.reference);
        images::pull(store, &registries, reference, &credentials, now_s, &listener).await
    }

    /// Removes images that nobody uses if the disk is too full.
    fn collect(&self) {
        let Ok(disk) = rustix::fs::statvfs(&self.data_dir) else { return };
        let bytes = blocks_too_many(disk.f_blocks, disk.f_bavail).saturating_mul(disk.f_frsize);
        if bytes == 0 {
            return;
        }
        let before_s = clock::now().as_second() - UNUSED_S_MIN;
        match self.store.collect(bytes, before_s) {
            Ok(gone) => tracing::info!(bytes, images = ?gone, "the disk is full: images went"),
            Err(error) => tracing::warn!(%error, "the disk is full, and images cannot be removed"),
        }
    }
}

/// How many blocks have to become free, given all and the free ones.
fn blocks_too_many(all: u64, free: u64) -> u64 {
    let used = all.saturating_sub(free);
    match used.saturating_mul(100) >= all.saturating_mul(DISK_HIGH_PERCENT) && all > 0 {
        true => used.saturating_sub(all / 100 * DISK_LOW_PERCENT),
        false => 0,
    }
}

fn told(result: Result<(), images::Error>) {
    if let Err(error) = result {
        tracing::warn!(%error, "images cannot be kept in order");
    }
}

#[cfg(test)]
mod tests {
    use super::blocks_too_many;

    #[test]
    fn images_go_from_the_high_mark_down_to_the_low_one() {
        assert_eq!(blocks_too_many(1000, 151), 0);
        assert_eq!(blocks_too_many(1000, 150), 50);
        assert_eq!(blocks_too_many(1000, 0), 200);
        assert_eq!(blocks_too_many(0, 0), 0);
    }
}
