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

#[cfg(test)]
mod tests {
    use kinds::Uid;

    use super::*;
    use crate::run::work::Id;

    fn read(is_job: bool, pod: &str, index: Option<u32>) -> LogRead {
        let (namespace, name) = ("default".to_owned(), "etl".to_owned());
        LogRead {
            work: Id { is_job, namespace: namespace.clone(), name },
            namespace,
            pod: pod.to_owned(),
            uid: Uid::from_random(1),
            index,
            container: "main".to_owned(),
            restarts: 1,
            attempt: 2,
        }
    }

    #[test]
    fn the_form_follows_from_what_is_asked_and_where_it_goes() {
        let lines = |prefix| Form::Lines { prefix };
        for (output, prefix, one_pod, terminal, form) in [
            (Output::Text, Prefix::Auto, true, true, Form::Raw),
            (Output::Text, Prefix::Auto, true, false, Form::Raw),
            (Output::Text, Prefix::Auto, false, true, lines(true)),
            (Output::Text, Prefix::Auto, false, false, lines(false)),
            (Output::Text, Prefix::Always, true, false, lines(true)),
            (Output::Text, Prefix::Never, false, true, lines(false)),
            (Output::Json, Prefix::Always, true, true, Form::Json),
            (Output::Name, Prefix::Always, true, true, Form::Nothing),
        ] {
            let chosen = Form::choose(output, prefix, one_pod, terminal);
            assert_eq!(chosen, form, "{output:?} {prefix:?} {one_pod} {terminal}");
        }
    }

    #[test]
    fn a_prefix_says_as_much_as_tells_sources_apart() {
        let indexed = read(true, "etl-3-abcde", Some(3));
        assert_eq!(prefix(&indexed, false, false), "[3] ");
        assert_eq!(prefix(&indexed, true, false), "[etl-3] ");
        assert_eq!(prefix(&indexed, false, true), "[3 main] ");
        assert_eq!(prefix(&read(true, "etl-abcde", None), false, false), "[abcde] ");
        assert_eq!(prefix(&read(false, "my-pod", None), true, false), "[my-pod] ");
    }

    fn output(form: Form) -> (String, Vec<String>) {
        let mut formatter =
            Formatter::new(form, &read(true, "etl-3-abcde", Some(3)), "[3] ".to_owned());
        let mut out = formatter.push(b"one\ntw", Timestamp::UNIX_EPOCH);
        out.extend(formatter.push(b"o", Timestamp::UNIX_EPOCH));
        let (rest, tail) = formatter.finish(Timestamp::UNIX_EPOCH);
        out.extend(rest);
        (String::from_utf8(out).unwrap(), tail.iter().map(str::to_owned).collect())
    }

    #[test]
    fn each_form_of_the_same_bytes() {
        let tail = vec!["one".to_owned(), "two".to_owned()];
        for (form, wanted) in [
            (Form::Raw, "one\ntwo"),
            (Form::Lines { prefix: true }, "[3] one\n[3] two\n"),
            (Form::Lines { prefix: false }, "one\ntwo\n"),
            (Form::Nothing, ""),
        ] {
            assert_eq!(output(form), (wanted.to_owned(), tail.clone()), "{form:?}");
        }
        let (json, _) = output(Form::Json);
        let lines: Vec<serde_json::Value> =
            json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            (lines.len(), &lines[1]["line"], &lines[1]["attempt"]),
            (2, &"two".into(), &2.into())
        );
    }
}
