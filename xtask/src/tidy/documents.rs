//! Rules for the documents: links lead somewhere, the changelog is open, the map stays short.

use super::{File, Problems};

/// `ARCHITECTURE.md` is four pages.
const ARCHITECTURE_LINES_MAX: usize = 220;

/// What is wrong with one document. `exists` answers for paths from the root.
pub(super) fn check(file: &File, exists: &dyn Fn(&str) -> bool) -> Problems {
    if !file.path.ends_with(".md") {
        return Problems::new();
    }
    let directory = file.path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut problems = Problems::new();
    for (number, line) in file.text.lines().enumerate() {
        for target in links(line) {
            let resolves = match target.split_once('#') {
                Some(("", anchor)) => headings(&file.text).any(|heading| heading == anchor),
                Some((path, _)) => exists(&join(directory, path)),
                None => exists(&join(directory, target)),
            };
            if !resolves {
                let place = format!("{}:{}", file.path, number + 1);
                problems.push(format!("{place}: the link to {target} leads nowhere"));
            }
        }
    }
    problems
}

/// What is wrong with the documents as a set.
pub(super) fn check_all(files: &[File]) -> Problems {
    let mut problems = Problems::new();
    let mut text = |name: &str| {
        let file = files.iter().find(|file| file.path == name);
        if file.is_none() {
            problems.push(format!("{name} is missing"));
        }
        file.map_or("", |file| file.text.as_str())
    };
    let (readme, changelog) = (text("README.md"), text("CHANGELOG.md"));
    let architecture = text("ARCHITECTURE.md").lines().count();
    let _ = (text("CONTRIBUTING.md"), text("LICENSE"));
    if architecture > ARCHITECTURE_LINES_MAX {
        problems.push(format!(
            "ARCHITECTURE.md: {architecture} lines, at most {ARCHITECTURE_LINES_MAX}"
        ));
    }
    if !changelog.lines().any(|line| line == "## Unreleased") {
        problems.push("CHANGELOG.md: no section `## Unreleased`".to_owned());
    }
    // The two commands that a reader types first, and that CI runs.
    for command in ["cargo run --release -- run -f examples/checksums.yaml >sums", "cargo xtask ci"]
    {
        if !readme.lines().any(|line| line == command) {
            problems.push(format!("README.md: no line `{command}`"));
        }
    }
    problems
}

/// The targets within the tree of the links in a line of Markdown.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
}

/// The anchors of the headings, as Git forges make them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        line.trim_start_matches('#')
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    })
}

/// Follows `path` from `directory`, both from the root.
fn join(directory: &str, path: &str) -> String {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::{File, check, check_all};

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn links_lead_to_files_and_headings() {
        let exists = |path: &str| ["docs/support.md", "README.md"].contains(&path);
        let good = file(
            "docs/a.md",
            "# Up and down\n[a](support.md) [b](../README.md#x) [c](#up-and-down) [d](https://e.f)\n",
        );
        assert_eq!(check(&good, &exists), [""; 0]);
        let bad = file("docs/a.md", "# Up\n\n[a](gone.md) [c](#down)\n");
        let problems = check(&bad, &exists);
        assert_eq!(problems.len(), 2);
        assert_eq!(problems[0], "docs/a.md:3: the link to gone.md leads nowhere");
    }

    #[test]
    fn the_set_of_documents_is_whole() {
        let readme =
            "cargo run --release -- run -f examples/checksums.yaml >sums\ncargo xtask ci\n";
        let whole = |architecture: &str, changelog: &str| {
            check_all(&[
                file("README.md", readme),
                file("ARCHITECTURE.md", architecture),
                file("CONTRIBUTING.md", ""),
                file("CHANGELOG.md", changelog),
                file("LICENSE", ""),
            ])
        };
        assert_eq!(whole("short\n", "## Unreleased\n"), [""; 0]);
        assert!(whole(&"x\n".repeat(221), "## Unreleased\n")[0].contains("221 lines"));
        assert!(whole("short\n", "## 1.0\n")[0].contains("Unreleased"));
        assert!(check_all(&[]).iter().any(|problem| problem == "LICENSE is missing"));
    }
}
