//! One story: how it is written down, and how it is told.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, OnceLock},
};

use crate::{
    KUBECTL,
    space::{Running, Space},
};

const PRELUDE: &str = include_str!("prelude.sh");

/// The longest that a story may take, in seconds.
const PATIENCE_S: u64 = 110;

/// The files, as upstream's are called, with what the names of their namespaces begin with.
pub(crate) const FILES: [(&str, &str); 10] = [
    ("job", "job"),
    ("cron_job", "cron"),
    ("ttl_after_finished", "ttl"),
    ("init_container", "init"),
    ("container_lifecycle", "life"),
    ("lifecycle_hook", "hook"),
    ("ephemeral_containers", "debug"),
    ("streams", "streams"),
    ("port_forward", "forward"),
    ("network", "net"),
];

/// Stands before the number of a command, where its output begins.
const MARK: &str = "@@@ ";

pub(crate) struct Story {
    /// One of [`FILES`].
    pub(crate) file: &'static str,
    /// The title as it is written: with the rules that the story shows.
    heading: String,
    /// Upstream's.
    pub(crate) title: String,
    namespace: String,
    steps: Vec<Step>,
    /// The steps as they are written.
    pub(crate) text: String,
    /// What is to be written instead.
    pub(crate) told: OnceLock<String>,
}

/// A command and what it has to print.
struct Step {
    command: String,
    output: String,
}

/// All stories, in order.
pub(crate) fn read() -> Vec<Story> {
    let mut stories = Vec::new();
    for (file, short) in FILES {
        let text = fs::read_to_string(path(file)).unwrap();
        for (number, story) in text.split("\n=== ").skip(1).enumerate() {
            let (heading, text) = story.split_once('\n').unwrap();
            let title = heading.split(" [").next().unwrap().to_owned();
            let namespace = format!("{short}-{}", number + 1);
            let heading = heading.to_owned();
            let text = format!("{}\n", text.trim_end());
            let steps = steps(&text);
            let told = OnceLock::new();
            stories.push(Story { file, heading, title, namespace, steps, text, told });
        }
    }
    stories
}

/// Writes the files with what was told; a story that was not told stays as it is.
pub(crate) fn write(stories: &[Arc<Story>]) {
    for (file, _) in FILES {
        let old = fs::read_to_string(path(file)).unwrap();
        let mut text = old.split("\n=== ").next().unwrap().to_owned();
        for story in stories.iter().filter(|story| story.file == file) {
            let told = story.told.get().unwrap_or(&story.text);
            let _ = write!(text, "\n=== {}\n{told}", story.heading);
        }
        fs::write(path(file), text).unwrap();
    }
}

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories/cases").join(format!("{file}.txt"))
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), output: String::new() });
            continue;
        }
        let step = steps.last_mut().expect("a story begins with a command");
        match line.strip_prefix("> ") {
            Some(more) => step.command += &format!("\n{more}"),
            None => step.output += &format!("{line}\n"),
        }
    }
    steps
}

impl Story {
    /// Lets a shell do what the story says, and gives the steps with what they printed.
    pub(crate) fn tell(&self, space: &Space) -> String {
        let directory = space.path(&self.namespace);
        fs::create_dir(&directory).unwrap();
        let mut shell = Command::new("timeout");
        // It ends whatever the shell has left in its process group too.
        shell.args(["--kill-after=5", &PATIENCE_S.to_string(), "sh", "-c", &self.script()]);
        let path = format!("{KUBECTL}:{}", std::env::var("PATH").unwrap());
        shell.env_clear().env("PATH", path).env("HOME", space.path("home"));
        shell.env("KUBECONFIG", "kubeconfig").env("NS", &self.namespace).current_dir(&directory);
        shell.env("SERVER", space.data().join("kubeconfig"));
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ran = Running::of(shell).finish();
        let mut outputs = ran.out.split(MARK);
        let mut text = outputs.next().unwrap().to_owned();
        let mut steps = self.steps.iter();
        for (output, step) in outputs.zip(&mut steps) {
            let output = output.split_once('\n').unwrap().1;
            let _ = write!(text, "{}{output}", step.written());
        }
        // Those after an end that was not expected.
        steps.for_each(|step| text += &step.written());
        text
    }

    fn script(&self) -> String {
        let mut script = PRELUDE.to_owned();
        for (number, Step { command, output }) in self.steps.iter().enumerate() {
            let or = if output.contains("[exit ") { "" } else { "; exit" };
            let _ = write!(
                script,
                "\necho '{MARK}{number}'\n{{ {command}\n}} || {{ echo \"[exit $?]\"{or}; }}"
            );
        }
        script
    }
}

impl Step {
    fn written(&self) -> String {
        format!("$ {}\n", self.command.replace('\n', "\n> "))
    }
}
