//! `cargo xtask tidy`: what keeps the tree readable and no compiler checks. Also a test, so that
//! nobody has to remember it.
//!
//! Every rule is a function from the text of one file, or from the list of all files, to problems;
//! this file reads the tree and calls them.

mod behaviour;
mod documents;
mod layering;
mod licences;
mod metadata;
mod sources;

use crate::cargo;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

/// One file of the tree that is text: its path from the root, and what it says.
pub(crate) struct File {
    path: String,
    text: String,
}

/// What is wrong, in words that say what to do.
type Problems = Vec<String>;

pub(crate) fn run() -> Result<()> {
    let files = files(cargo::root())?;
    println!("{}", sources::summary(&files));
    println!("{}", behaviour::summary(&files));
    let problems = problems(&files)?;
    for problem in &problems {
        eprintln!("{problem}");
    }
    match problems.len() {
        0 => Ok(()),
        count => bail!("{count} problems"),
    }
}

fn problems(files: &[File]) -> Result<Problems> {
    let metadata = metadata::read()?;
    let mut problems = layering::check(&metadata);
    problems.extend(licences::check(&metadata));
    for file in files {
        problems.extend(sources::check(file));
        problems.extend(documents::check(file, &|path| cargo::root().join(path).exists()));
    }
    problems.extend(sources::check_all(files));
    problems.extend(sources::unused_cases(files));
    problems.extend(documents::check_all(files));
    problems.extend(behaviour::check(files));
    Ok(problems)
}

/// Every text file that is or would be committed.
fn files(root: &Path) -> Result<Vec<File>> {
    let mut list = cargo::command("git");
    list.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let names = String::from_utf8(cargo::output(&mut list)?).context("a path that is not UTF-8")?;
    let mut files = Vec::new();
    for path in names.split_terminator('\0') {
        // A path that git still lists but that is gone from disk is about to be removed.
        let Ok(bytes) = fs::read(root.join(path)) else { continue };
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(File { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_tidy() {
        let files = super::files(crate::cargo::root()).expect("a git checkout");
        let problems = super::problems(&files).expect("cargo metadata");
        assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    }
}
