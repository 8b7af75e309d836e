//! The files that `-f` names: a file, a directory, or standard input.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// The most bytes one manifest file may have.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Endings of the files that are read from a directory.
const EXTENSIONS: &[&str] = &["yaml", "yml", "json"];

/// Every named file with its text; directories stand for the manifests directly in them. What cannot
/// be read is told in `errors`.
pub(crate) fn read_all(files: &[PathBuf], errors: &mut Vec<String>) -> Vec<(String, Vec<u8>)> {
    let mut texts = Vec::new();
    for file in files {
        if file.as_os_str() == "-" {
            match read_bounded(io::stdin().lock()) {
                Ok(text) => texts.push(("standard input".to_owned(), text)),
                Err(error) => errors.push(format!("standard input: {error}")),
            }
            continue;
        }
        let paths = if file.is_dir() { manifests_in(file) } else { Ok(vec![file.clone()]) };
        match paths {
            Ok(paths) if paths.is_empty() => {
                errors.push(format!("{}: no .yaml, .yml or .json file in it", file.display()));
            }
            Ok(paths) => {
                for path in paths {
                    match fs::File::open(&path).and_then(read_bounded) {
                        Ok(text) => texts.push((path.display().to_string(), text)),
                        Err(error) => errors.push(format!("{}: {}", path.display(), plain(&error))),
                    }
                }
            }
            Err(error) => errors.push(format!("{}: {}", file.display(), plain(&error))),
        }
    }
    texts
}

fn manifests_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let known = path.extension().is_some_and(|e| EXTENSIONS.iter().any(|known| e == *known));
        if known && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read_bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    reader.take(FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

/// An error without the number that only programmers read.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let cut = text.find(" (os error").unwrap_or(text.len());
    let mut chars = text[..cut].chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
