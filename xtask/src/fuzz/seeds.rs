//! The first inputs of a fuzz target: examples and cases of the repository, brought into the form
//! that the target reads, and a folder of its own for what has no other place.

use crate::cargo;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the cases of crate kinds are.
const CASES: &str = "crates/kinds/tests/cases";

/// What the inputs are made of. Paths are seen from the root of the workspace.
pub(super) enum Seeds {
    /// Every file of a folder, as it is.
    Files(&'static str),
    /// The inputs of crate kinds' cases in the files whose names begin like this.
    Cases(&'static str),
    /// The same, where inputs are written in hexadecimal.
    Hex(&'static str),
    /// The requests of the API's cases.
    Requests(&'static str),
}

/// Writes all inputs of a target into a folder under `directory`, and gives that.
pub(super) fn write(name: &str, seeds: &[Seeds], directory: &Path) -> Result<PathBuf> {
    let folder = directory.join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let own = files(&cargo::root().join("fuzz/seeds").join(name), "")?;
    let inputs = seeds.iter().map(Seeds::read).collect::<Result<Vec<_>>>()?;
    for (number, input) in own.into_iter().chain(inputs.into_iter().flatten()).enumerate() {
        fs::write(folder.join(number.to_string()), input)?;
    }
    Ok(folder)
}

impl Seeds {
    fn read(&self) -> Result<Vec<Vec<u8>>> {
        let root = cargo::root();
        Ok(match self {
            Seeds::Files(folder) => files(&root.join(folder), "")?,
            Seeds::Cases(prefix) => texts(&root.join(CASES), prefix, cases)?,
            Seeds::Hex(prefix) => {
                texts(&root.join(CASES), prefix, cases)?.iter().filter_map(|c| bytes(c)).collect()
            }
            Seeds::Requests(folder) => texts(&root.join(folder), "", requests)?,
        })
    }
}

/// The files of a folder whose names begin like this; none where there is no folder.
fn files(folder: &Path, prefix: &str) -> Result<Vec<Vec<u8>>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    let read = |path: &PathBuf| fs::read(path).with_context(|| path.display().to_string());
    paths.iter().map(read).collect()
}

/// What stands in text files, taken apart.
fn texts(folder: &Path, prefix: &str, split: fn(&str) -> Vec<String>) -> Result<Vec<Vec<u8>>> {
    let files = files(folder, prefix)?;
    anyhow::ensure!(!files.is_empty(), "nothing begins with {prefix} in {}", folder.display());
    let texts = files.iter().flat_map(|file| split(&String::from_utf8_lossy(file)));
    Ok(texts.map(String::into_bytes).collect())
}

/// The inputs of a file of cases: between the title and the dashes.
fn cases(text: &str) -> Vec<String> {
    let input = |case: &str| {
        let (_, rest) = case.trim_matches('\n').split_once('\n')?;
        Some(rest.split_once("\n----")?.0.to_owned())
    };
    text.split("\n====\n").filter_map(input).collect()
}

/// The bytes behind a text in hexadecimal; a line with a space in it is not part of them.
fn bytes(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let digits: Vec<char> =
        text.lines().filter(|line| !line.contains(' ')).flat_map(str::chars).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).ok();
    digits.chunks(2).map(byte).collect()
}

/// The requests of a file of the API's cases: method and target, headers, an empty line, a body.
fn requests(text: &str) -> Vec<String> {
    let mut requests = Vec::new();
    for case in text.split("\n\n") {
        let lines: Vec<&str> = case.lines().filter_map(|line| line.strip_prefix("> ")).collect();
        let Some((target, rest)) = lines.split_first() else { continue };
        let rest = rest.iter().filter(|line| !line.starts_with('@'));
        let (headers, body): (Vec<&str>, Vec<&str>) = rest
            .partition(|line| line.split_once(": ").is_some_and(|(n, _)| !n.contains(['{', '"'])));
        requests.push(format!(
            "{}\n\n{}",
            [&[*target], &headers[..]].concat().join("\n"),
            body.concat()
        ));
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::{bytes, cases, requests};

    #[test]
    fn cases_give_their_inputs() {
        let text = "# one\nJob\n{}\n----\nno\n====\n# two\nx\n----\n";
        assert_eq!(cases(text), ["Job\n{}", "x"]);
        assert_eq!(bytes(b"batch/v1 Job\n6b38\n7300"), Some(b"k8s\0".to_vec()));
        assert_eq!(bytes(b"xy"), None);
    }

    #[test]
    fn requests_have_their_body_behind_an_empty_line() {
        let text = "# A case.\n> POST /api\n> Content-Type: a/b\n> @only /x\n> {\"a\": 1}\n201\n\n> GET /x\n200\n";
        assert_eq!(requests(text), ["POST /api\nContent-Type: a/b\n\n{\"a\": 1}", "GET /x\n\n"]);
    }
}
