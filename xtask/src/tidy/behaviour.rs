//! Rules of batch/v1 and the cases that show them: `docs/behaviour.md` numbers the rules, the titles
//! of cases name them, and `docs/behaviour-cases.md` is what comes of both.
//!
//! A rule is a line `- **J12** text`. A case is a title `=== what it shows [J12 TestName]` in a text
//! file below a folder `cases` (in some files `# what it shows [J12]`): the brackets hold rules and, if
//! the case stands for a test of upstream, that test's name.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use super::{File, Problems};
use crate::cargo;

const RULES: &str = "docs/behaviour.md";
const CASES: &str = "docs/behaviour-cases.md";

/// The letters of the sections.
const LETTERS: &str = "JVCSG";

/// Where the cases of the controllers and of validation lie, and how many there are at least.
const COUNTED: [&str; 2] = ["crates/reconcile/", "crates/kinds/"];
const CASES_MIN: usize = 600;

/// What the generated document says first.
const HEAD: &str = "# Cases of batch/v1

The rules of [behaviour.md](behaviour.md) and the cases that show them. Generated from the titles of
the cases: `UPDATE_EXPECT=1 cargo test -p xtask` writes it anew.

";

/// A case that names rules or a test of upstream.
struct Case<'a> {
    path: &'a str,
    title: &'a str,
    tags: Vec<&'a str>,
}

/// What is wrong between rules and cases. The generated document is written if that is asked for.
pub(super) fn check(files: &[File]) -> Problems {
    let Some(rules) = text(files, RULES).map(rules) else {
        return vec![format!("{RULES} is missing")];
    };
    let cases = cases(files);
    let mut problems = judge(&rules, &cases);
    problems.extend(too_few(&cases, CASES_MIN));
    let document = document(&rules, &cases);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        if let Err(error) = fs::write(cargo::root().join(CASES), document) {
            problems.push(format!("{CASES}: {error}"));
        }
    } else if text(files, CASES) != Some(&document) {
        problems.push(format!("{CASES} is not what the cases say: UPDATE_EXPECT=1 writes it anew"));
    }
    problems
}

/// How many rules and cases there are, in words.
pub(super) fn summary(files: &[File]) -> String {
    let rules = text(files, RULES).map(rules).unwrap_or_default();
    format!("{} rules of batch/v1, {} cases", rules.len(), cases(files).len())
}

fn text<'a>(files: &'a [File], path: &str) -> Option<&'a str> {
    files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
}

fn judge(rules: &[&str], cases: &[Case]) -> Problems {
    let mut problems = Problems::new();
    for (at, rule) in rules.iter().enumerate() {
        if rules[..at].contains(rule) {
            problems.push(format!("{RULES}: {rule} is there twice"));
        }
    }
    for rule in rules {
        if !cases.iter().any(|case| case.tags.contains(rule)) {
            problems.push(format!("{RULES}: no case shows {rule}"));
        }
    }
    for case in cases {
        let place = format!("{}: `{}`", case.path, case.title);
        if !case.tags.iter().any(|tag| is_rule(tag)) {
            problems.push(format!("{place} names no rule"));
        }
        for tag in &case.tags {
            if is_rule(tag) && !rules.contains(tag) {
                problems.push(format!("{place} names {tag}, which {RULES} does not have"));
            } else if !is_rule(tag) && !is_test(tag) {
                problems.push(format!("{place}: `{tag}` is neither a rule nor a test"));
            }
        }
    }
    problems
}

fn too_few(cases: &[Case], least: usize) -> Option<String> {
    let counted = |case: &&Case| COUNTED.iter().any(|place| case.path.starts_with(place));
    let count = cases.iter().filter(counted).count();
    (count < least).then(|| format!("{count} cases of batch/v1, at least {least} there should be"))
}

fn rules(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("- **")?.split_once("** "))
        .map(|(rule, _)| rule)
        .filter(|rule| is_rule(rule))
        .collect()
}

fn cases<'a>(files: &'a [File]) -> Vec<Case<'a>> {
    let texts = files.iter().filter(|f| f.path.contains("/cases/") && f.path.ends_with(".txt"));
    let titles = texts.flat_map(|file| {
        let title = |line: &'a str| line.strip_prefix("=== ").or_else(|| line.strip_prefix("# "));
        let titles = file.text.lines().filter_map(title);
        titles.map(|title| (file.path.as_str(), title))
    });
    titles.filter_map(|(path, title)| tagged(path, title)).collect()
}

/// Reads a title; `None` if it names nothing.
fn tagged<'a>(path: &'a str, title: &'a str) -> Option<Case<'a>> {
    let (title, tags) = title.strip_suffix(']')?.rsplit_once(" [")?;
    let tags: Vec<_> = tags.split(' ').collect();
    tags.iter().any(|tag| is_rule(tag) || is_test(tag)).then_some(Case { path, title, tags })
}

fn is_rule(tag: &str) -> bool {
    let mut characters = tag.chars();
    characters.next().is_some_and(|letter| LETTERS.contains(letter))
        && tag.len() > 1
        && characters.all(|c| c.is_ascii_digit())
}

fn is_test(tag: &str) -> bool {
    tag.starts_with("Test") && tag.len() > 4
}

/// One line for each rule, so that changes of two rules never meet.
fn document(rules: &[&str], cases: &[Case]) -> String {
    let mut text = HEAD.to_owned();
    for rule in rules {
        let mut by_file: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for case in cases.iter().filter(|case| case.tags.contains(rule)) {
            by_file.entry(case.path).or_default().push(case.title);
        }
        let _ = write!(text, "- **{rule}**");
        for (path, titles) in by_file {
            let name = path.strip_prefix("crates/").unwrap_or(path);
            let _ = write!(text, " `{name}`: {}.", titles.join(" · "));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{File, cases, document, judge, rules, too_few};

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn rules_and_cases_are_joined() {
        let rules = rules("# Rules\n- **J1** One.\n- **V2** Two.\n- **note** none\n");
        assert_eq!(rules, ["J1", "V2"]);
        let files = [
            file("crates/a/cases/x.txt", "=== one [J1 TestOne]\n# both [J1 V2]\n=== rules[0]\n"),
            file("crates/a/tests/x.txt", "=== elsewhere [J1]\n"),
        ];
        let cases = cases(&files);
        assert_eq!(judge(&rules, &cases), [""; 0]);
        let document = document(&rules, &cases);
        assert!(document.contains("\n- **J1** `a/cases/x.txt`: one · both.\n"), "{document}");
        assert!(document.contains("\n- **V2** `a/cases/x.txt`: both.\n"), "{document}");
    }

    #[test]
    fn what_does_not_fit_is_a_problem() {
        let files = [file("crates/a/cases/x.txt", "=== a [J3]\n=== b [TestB]\n=== c [J1 why]\n")];
        let problems =
            judge(&rules("- **J1** One.\n- **J1** Two.\n- **J2** Three\n"), &cases(&files));
        let expected = [
            "docs/behaviour.md: J1 is there twice",
            "docs/behaviour.md: no case shows J2",
            "crates/a/cases/x.txt: `a` names J3, which docs/behaviour.md does not have",
            "crates/a/cases/x.txt: `b` names no rule",
            "crates/a/cases/x.txt: `c`: `why` is neither a rule nor a test",
        ];
        assert_eq!(problems, expected);
    }

    #[test]
    fn cases_of_other_crates_are_not_counted() {
        let files = [
            file("crates/kinds/tests/cases/x.txt", "# a [J1]\n# b [J1]\n"),
            file("crates/reconcile/cases/x.txt", "=== a [J1]\n"),
            file("crates/coracle/cases/x.txt", "=== a [J1]\n"),
        ];
        let cases = cases(&files);
        assert_eq!(too_few(&cases, 3), None);
        assert!(too_few(&cases, 4).is_some_and(|problem| problem.starts_with("3 cases")));
    }
}
