//! How one log becomes output: as raw bytes, as whole lines with or without a prefix, or as events.
//! Pure: bytes in, bytes out.

use jiff::Timestamp;

use super::{
    events::{Event, Happening},
    lines::{Lines, Tail},
    pods::LogRead,
};
use crate::cli::{Output, Prefix};

/// How the run's output is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The bytes as they come: one pod at a time.
    Raw,
    /// Whole lines, each after its source's prefix where that is set.
    Lines {
        /// Whether the prefix is there.
        prefix: bool,
    },
    /// One event per line.
    Json,
    /// Nothing: only names were asked for.
    Nothing,
}

impl Form {
    /// Decides from what was asked for, whether there is one pod at a time, and whether standard
    /// output is a terminal.
    pub(crate) fn choose(output: Output, prefix: Prefix, one_pod: bool, terminal: bool) -> Self {
        match (output, prefix) {
            (Output::Json, _) => Self::Json,
            (Output::Name, _) => Self::Nothing,
            (Output::Text, Prefix::Always) => Self::Lines { prefix: true },
            (Output::Text, _) if one_pod => Self::Raw,
            (Output::Text, Prefix::Never) => Self::Lines { prefix: false },
            (Output::Text, Prefix::Auto) => Self::Lines { prefix: terminal },
        }
    }
}

/// The state of one log on its way to the output.
#[derive(Debug)]
pub(crate) struct Formatter {
    form: Form,
    prefix: String,
    /// What `Json` makes of a line, but for time and line.
    event: Option<Event>,
    lines: Lines,
    tail: Tail,
}

impl Formatter {
    /// For one attempt of one container. `prefix` is what stands before its lines, if anything does.
    pub(crate) fn new(form: Form, read: &LogRead, prefix: String) -> Self {
        let mut event = Event::new(Happening::Log, Timestamp::UNIX_EPOCH, &read.namespace);
        event.job = read.work.is_job.then(|| read.work.name.clone());
        event.pod = Some(read.pod.clone());
        event.index = read.index;
        event.attempt = Some(read.attempt);
        Self { event: Some(event), ..Self::plain(form, prefix) }
    }

    /// For a log outside of a run, which has no events.
    pub(crate) fn plain(form: Form, prefix: String) -> Self {
        Self { form, prefix, event: None, lines: Lines::default(), tail: Tail::default() }
    }

    /// What the next bytes add to the output.
    pub(crate) fn push(&mut self, bytes: &[u8], now: Timestamp) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + self.prefix.len());
        if self.form == Form::Raw {
            out.extend_from_slice(bytes);
        }
        let Self { form, prefix, event, lines, tail } = self;
        lines.push(bytes, |line| write_line(*form, prefix, event, tail, line, now, &mut out));
        out
    }

    /// What the end of the log adds: a last line without end, whose end is added.
    pub(crate) fn finish(mut self, now: Timestamp) -> (Vec<u8>, Tail) {
        let mut out = Vec::new();
        let Self { form, prefix, event, lines, tail } = &mut self;
        lines.finish(|line| write_line(*form, prefix, event, tail, line, now, &mut out));
        (out, self.tail)
    }
}

fn write_line(
    form: Form,
    prefix: &str,
    event: &mut Option<Event>,
    tail: &mut Tail,
    line: &[u8],
    now: Timestamp,
    out: &mut Vec<u8>,
) {
    tail.push(line);
    match form {
        Form::Raw | Form::Nothing => {}
        Form::Lines { prefix: with_prefix } => {
            if with_prefix {
                out.extend_from_slice(prefix.as_bytes());
            }
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        Form::Json => {
            if let Some(event) = event {
                event.time = now;
                event.line = Some(String::from_utf8_lossy(line).into_owned());
                out.extend_from_slice(&event.to_json_line());
            }
        }
    }
}

/// `[3] `, or with several Jobs, containers, or no indexes, what tells the sources apart.
pub(crate) fn prefix(read: &LogRead, several_works: bool, several_containers: bool) -> String {
    let pod = match (read.index, read.pod.rsplit_once('-')) {
        (Some(index), _) => index.to_string(),
        (None, Some((_, suffix))) if read.work.is_job => suffix.to_owned(),
        (None, _) => read.pod.clone(),
    };
    let mut name = match several_works && read.work.is_job {
        true => format!("{}-{pod}", read.work.name),
        false => pod,
    };
    if several_containers {
        name = format!("{name} {}", read.container);
    }
    format!("[{name}] ")
}
