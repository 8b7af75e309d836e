//! Where dependencies come from and on which terms: the public registry, permissive licences.

use super::Problems;
use super::metadata::{Metadata, Package};

/// Licences that ask for no more than their own text to be kept.
const PERMISSIVE: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(metadata: &Metadata) -> Problems {
    let mut problems = Problems::new();
    for Package { name, license, source, .. } in &metadata.packages {
        if source.as_deref().is_some_and(|source| source != REGISTRY) {
            problems.push(format!("{name} does not come from the public registry"));
        }
        let license = license.as_deref().unwrap_or("none");
        if !permissive(license) {
            problems.push(format!("{name}: the licence `{license}` is not permissive"));
        }
    }
    problems
}

/// Whether an SPDX expression leaves us a choice of permissive licences: every part that is joined
/// by AND must have one. Parentheses do not matter, because nobody nests an AND inside an OR.
fn permissive(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], "").replace('/', " OR ");
    flat.split(" AND ").all(|part| part.split(" OR ").any(|name| PERMISSIVE.contains(&name.trim())))
}

#[cfg(test)]
mod tests {
    use super::permissive;

    #[test]
    fn a_licence_is_permissive_if_a_choice_is() {
        for good in ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "(MIT OR GPL-2.0) AND Unicode-3.0"]
        {
            assert!(permissive(good), "{good}");
        }
        for bad in ["GPL-3.0", "none", "MIT AND MPL-2.0", "AGPL-3.0 OR BUSL-1.1"] {
            assert!(!permissive(bad), "{bad}");
        }
    }
}
