//! Upstream's end-to-end stories of Job, CronJob and TTL, told anew: each is a session with the real
//! kubectl and containers, in a namespace of its own, and all run beside each other on one server.
//!
//! A story stands in `cases` below its title, upstream's: `$ …` is a command, continued by lines that
//! begin with `> `; below it stands what it prints, on both channels, and `[exit N]` if it fails,
//! which ends a story that does not expect it. All commands of a story go to one shell, which begins
//! with `prelude.sh`. `UPDATE_EXPECT=1` writes the files anew. The list that the stories have to
//! fill is [docs/stories.md](../../../../docs/stories.md).
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod checklist;
#[path = "../e2e/space.rs"]
#[expect(dead_code, reason = "what the other tests need")]
mod space;
mod story;

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, OnceLock},
};

use libtest_mimic::{Arguments, Failed, Trial};
use space::{Running, Space};
use story::Story;

/// As upstream's release.
const KUBECTL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/kubectl/1.36.3/bin");

/// How many stories are told at once. Mostly they wait.
const AT_ONCE: usize = 24;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let stories: Vec<Arc<Story>> = story::read().into_iter().map(Arc::new).collect();
    let stage = Arc::new(Stage::default());
    let mut trials = vec![checklist::trial(&stories)];
    for story in &stories {
        let (story, stage) = (Arc::clone(story), Arc::clone(&stage));
        let title = story.title.clone();
        trials.push(Trial::test(title, move || tell(&story, &stage, update)));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if update {
        story::write(&stories);
    }
    Arc::into_inner(stage).unwrap().clear();
    conclusion.exit_code()
}

fn tell(story: &Story, stage: &Stage, update: bool) -> Result<(), Failed> {
    let printed = story.tell(stage.space());
    if update || printed == story.text {
        story.told.set(printed).unwrap();
        return Ok(());
    }
    Err(Failed::from(format!("expected:\n{}\n--- printed:\n{printed}", story.text)))
}

/// The server of all stories. It starts with the first.
#[derive(Default)]
struct Stage {
    started: OnceLock<(Space, Mutex<Running>)>,
}

impl Stage {
    fn space(&self) -> &Space {
        let (space, _) = self.started.get_or_init(|| {
            let space = Space::new();
            let server = space.up();
            (space, Mutex::new(server))
        });
        space
    }

    /// Ends the server and what it runs, and makes sure that nothing is left.
    fn clear(self) {
        if let Some((space, server)) = self.started.into_inner() {
            space.run(&["down", "--stop-pods"]).expect(0);
            server.into_inner().unwrap().finish().expect(0);
            space.nothing_left();
        }
    }
}
