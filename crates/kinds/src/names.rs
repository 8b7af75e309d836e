//! Names that the server makes up from `metadata.generateName`.

/// Letters of generated suffixes: no vowels and no look-alikes.
pub const SUFFIX_ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// Length of a generated suffix.
pub const SUFFIX_LENGTH: usize = 5;

/// Longest part of the base that is kept, so that the whole stays within 63 characters.
pub const BASE_LENGTH_MAX: usize = 58;

/// Five characters of the suffix alphabet from random bits.
pub fn suffix(random: u64) -> String {
    let mut rest = random;
    let mut letter = || {
        let at = rest % SUFFIX_ALPHABET.len() as u64;
        rest /= SUFFIX_ALPHABET.len() as u64;
        char::from(SUFFIX_ALPHABET[usize::try_from(at).expect("below 27")])
    };
    (0..SUFFIX_LENGTH).map(|_| letter()).collect()
}

/// The name made from `generateName` and a suffix: the base is cut to 58 bytes.
pub fn generate(base: &str, suffix: &str) -> String {
    let mut end = base.len().min(BASE_LENGTH_MAX);
    while !base.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &base[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_base_is_cut_and_the_suffix_stays_whole() {
        assert_eq!(generate("worker-", "bcdfg"), "worker-bcdfg");
        assert_eq!(generate(&"a".repeat(80), "bcdfg").len(), 63);
        assert_eq!(
            generate(&"ä".repeat(40), "bcdfg").len(),
            63,
            "58 is a boundary of 2-byte letters"
        );
        assert_eq!(generate(&format!("a{}", "ä".repeat(40)), "bcdfg").len(), 62);
    }

    #[test]
    fn suffixes_use_the_whole_alphabet() {
        let used: std::collections::BTreeSet<u8> =
            (0..27 * 27).flat_map(|n: u64| suffix(n).into_bytes()).collect();
        assert_eq!(used.len(), SUFFIX_ALPHABET.len());
        assert!((0..1000).all(|n| suffix(n * 7_919_777).len() == SUFFIX_LENGTH));
    }
}
