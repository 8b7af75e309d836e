//! What differs from run to run, and is not what a case is about.

/// Beginnings of lines whose values are this machine's. Capacities are those of a node only there
/// where `describe node` indents them so.
const MACHINE: &[&str] = &[
    ADDRESS,
    "  Machine ID:",
    "  System UUID:",
    "  Boot ID:",
    "  Kernel Version:",
    "  OS Image:",
    "  Container Runtime Version:",
    "  cpu:",
    "  memory:",
    "  ephemeral-storage:",
    "Annotations:   coracle.local/spawner:",
];

/// A machine has one or two.
const ADDRESS: &str = "  InternalIP:";

/// What stands before a value that looks like an age and is what somebody wrote.
const DURATIONS: &[&str] = &["cpu:", "for", "Seconds:"];

/// What stands before random numbers in the names of temporary directories.
const TEMPORARY: &[&str] = &["/tmp/LIVE-", "/tmp/MERGED-"];

/// Beginnings of the addresses of pods.
const POD_RANGES: &[&str] = &["10.186.", "fd63:6f72:6163:6c65::"];

/// Beginnings of values that are numbers of revisions.
const REVISIONS: &[&str] = &[
    "resourceVersion: \"",
    "\"resourceVersion\": \"",
    "\"resourceVersion\":\"",
    "resourceVersion=",
];

/// The letters of the five that the server puts behind names.
const SUFFIX: &str = "bcdfghjklmnpqrstvwxz2456789";

/// Masks an output of a session in `directory`. Columns stand three spaces apart afterwards,
/// because their widths depend on what was masked.
pub(crate) fn mask(output: &str, directory: &str) -> String {
    let version = concat!("+coracle.", env!("CARGO_PKG_VERSION"));
    let output = output.replace(directory, "<dir>").replace(version, "+coracle.<version>");
    let node = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
    let mut lines: Vec<String> =
        output.split_inclusive('\n').map(|line| line_masked(line, &node)).collect();
    lines.dedup_by(|line, before| line.starts_with(ADDRESS) && line == before);
    lines.concat()
}

fn line_masked(line: &str, node: &str) -> String {
    // In a diff, the indentation begins after the sign.
    let signed = usize::from(line.starts_with(['+', '-']));
    let spaces = line[signed..].len() - line[signed..].trim_start_matches(' ').len();
    let (indent, text) = line.split_at(signed + spaces);
    let mut text = dates(text);
    for start in REVISIONS {
        text = after(&text, start, |c| c.is_ascii_digit(), "<revision>");
    }
    for start in TEMPORARY {
        text = after(&text, start, |c| c.is_ascii_digit(), "<random>");
    }
    let mut masked = indent.to_owned();
    let (mut rest, mut before) = (text.as_str(), "");
    while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
        let (gap, from) = rest.split_at(start);
        let end = from.find(char::is_whitespace).unwrap_or(from.len());
        let (word, left) = from.split_at(end);
        masked += if gap.len() > 1 { "   " } else { gap };
        let aged = !DURATIONS.contains(&before) && is_age(word.trim_matches(AROUND));
        masked += &if aged { around(word, "<age>") } else { word_masked(word, node) };
        (rest, before) = (left, word);
    }
    if let Some(name) = MACHINE.iter().find(|name| masked.starts_with(**name)) {
        masked = format!("{name}   <machine>");
    }
    if rest.ends_with('\n') {
        masked.push('\n');
    }
    masked
}

/// Replaces the two forms of a date that have spaces: `Tue, 24 Nov 2026 12:00:51 +0000`, and
/// `2026-11-24 12:00:51.123456789 +0000`.
fn dates(text: &str) -> String {
    const ZONE: &str = " +0000";
    let mut masked = String::new();
    let mut rest = text;
    while let Some(end) = rest.find(ZONE) {
        let date = |length: usize, sign: char, at: usize| {
            let start = end.checked_sub(length)?;
            let found = rest.get(start..end)?.chars().nth(at)? == sign;
            found.then_some(start)
        };
        let start = date(25, ',', 3).or_else(|| date(29, '-', 4));
        masked += &rest[..start.unwrap_or(end)];
        masked += if start.is_some() { "<date>" } else { ZONE };
        rest = &rest[end + ZONE.len()..];
    }
    masked + rest
}

/// Replaces what follows each `start` and fits.
fn after(text: &str, start: &str, fits: impl Fn(char) -> bool, with: &str) -> String {
    let mut parts = text.split(start);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(&fits);
        let replaced = if rest.len() < part.len() { with } else { "" };
        masked += &format!("{start}{replaced}{rest}");
    }
    masked
}

/// Punctuation around a word is no part of it.
const AROUND: &[char] = &['(', ')', '[', ']', '{', '}', '"', '\'', ',', ';', ':', '<', '>'];

/// `with` inside the punctuation of `word`.
fn around(word: &str, with: &str) -> String {
    let core = word.trim_matches(AROUND);
    let at = word.find(core).unwrap_or(0);
    format!("{}{with}{}", &word[..at], &word[at + core.len()..])
}

fn word_masked(word: &str, node: &str) -> String {
    let core = word.trim_matches(AROUND);
    let core = if core.split(['/', '=']).any(|part| part == node) {
        core.replace(node, "<node>")
    } else {
        core.to_owned()
    };
    let masked = runs(&core, |c| c.is_ascii_hexdigit() || c == '-', is_uid, "<uid>");
    let masked = runs(&masked, |c| c.is_ascii_digit() || "-:.TZ".contains(c), is_time, "<time>");
    let masked = after(&masked, "<node>/", |c| ".:".contains(c) || c.is_ascii_hexdigit(), "<ip>");
    let masked = after(&masked, "127.0.0.1:", |c| c.is_ascii_digit(), "<port>");
    let masked = POD_RANGES.iter().fold(masked, |masked, range| {
        after(&masked, range, |c| c == '.' || c.is_ascii_hexdigit(), "<pod>")
    });
    around(word, &suffixes(&masked))
}

/// `12s`, `3m4s`, `2d`
fn is_age(word: &str) -> bool {
    let units = word.trim_matches(|c: char| c.is_ascii_digit());
    let known = |c: char| c.is_ascii_digit() || "smhdy".contains(c);
    word.starts_with(|c: char| c.is_ascii_digit()) && !units.is_empty() && word.chars().all(known)
}

fn is_uid(word: &str) -> bool {
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12]
}

fn is_time(word: &str) -> bool {
    word.len() >= 20 && word.ends_with('Z') && word.as_bytes()[10] == b'T'
}

/// Replaces each longest run of letters that fit and is what is looked for.
fn runs(
    text: &str,
    fits: impl Fn(char) -> bool,
    wanted: impl Fn(&str) -> bool,
    with: &str,
) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(&fits) {
        let from = &rest[start..];
        let end = from.find(|c| !fits(c)).unwrap_or(from.len());
        masked += &rest[..start];
        masked += if wanted(&from[..end]) { with } else { &from[..end] };
        rest = &from[end..];
    }
    masked + rest
}

/// `hello-x7k2p` becomes `hello-<rand>`.
fn suffixes(word: &str) -> String {
    let random = |part: &str| part.len() == 5 && part.chars().all(|c| SUFFIX.contains(c));
    let end = |c: char| !c.is_ascii_alphanumeric();
    let mut parts = word.split('-');
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_at(part.find(end).unwrap_or(part.len()));
        let name = if random(name) { "<rand>" } else { name };
        masked += &format!("-{name}{rest}");
    }
    masked
}

#[test]
fn only_what_differs_from_run_to_run_is_masked() {
    for (line, masked) in [
        ("NAME    AGE\n", "NAME   AGE\n"),
        (
            "hello-x7k2p   0/1     Running   0          12s\n",
            "hello-<rand>   0/1   Running   0   <age>\n",
        ),
        ("Created pod: hello-0-bcdfg\n", "Created pod: hello-0-<rand>\n"),
        ("a 1 (3m4s ago) 2d", "a 1 (<age> ago) <age>"),
        ("  uid: 0a1b2c3d-0000-4000-8000-0123456789ab\n", "  uid: <uid>\n"),
        ("\"at\": \"2026-11-24T12:00:51Z\",\n", "\"at\": \"<time>\",\n"),
        ("  resourceVersion: \"12\"\n", "  resourceVersion: \"<revision>\"\n"),
        ("  memory:     24684308Ki\n", "  memory:   <machine>\n"),
        ("      cpu:   100m\n", "      cpu:   100m\n"),
        ("op=Exists for 300s\n", "op=Exists for 300s\n"),
        ("      memory:     32Mi\n", "      memory:   32Mi\n"),
        ("Start Time:   Tue, 24 Nov 2026 12:00:51 +0000\n", "Start Time:   <date>\n"),
        (
            "--- /tmp/LIVE-12/x\t2026-11-24 12:00:51.123456789 +0000",
            "--- /tmp/LIVE-<random>/x\t<date>",
        ),
        ("+    labels:\n", "+    labels:\n"),
        ("Node:  here-1/\n", "Node:   <node>/\n"),
        ("on here-1\n", "on <node>\n"),
        ("completions: 3, image-pull, 10s-later\n", "completions: 3, image-pull, 10s-later\n"),
        ("<dir>/x", "<dir>/x"),
    ] {
        assert_eq!(line_masked(line, "here-1"), masked);
    }
}
