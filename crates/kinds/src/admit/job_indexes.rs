//! Lists of indexes such as `1,3-5`, as a success policy and the status of a Job have them.

/// How many indexes the list names, all below `completions` and in rising order.
///
/// # Errors
/// The first thing wrong, in upstream's words.
pub(super) fn count(text: &str, completions: i32) -> Result<i32, String> {
    let mut previous: Option<i32> = None;
    let mut total = 0;
    for item in text.split(',').filter(|_| !text.is_empty()) {
        let (first, last) = interval(item, completions)?;
        if let Some(previous) = previous.filter(|previous| *previous >= first) {
            return Err(format!("non-increasing order, previous: {previous}, current: {first}"));
        }
        total += last - first + 1;
        previous = Some(last);
    }
    Ok(total)
}

/// The first and the last index of `3` or `3-5`.
fn interval(text: &str, completions: i32) -> Result<(i32, i32), String> {
    let mut parts = text.split('-');
    let (first, last) = (parts.next().unwrap_or_default(), parts.next());
    if parts.next().is_some() {
        return Err(format!(
            "the fragment {text:?} violates the requirement that an index interval can have at most two parts separated by '-'"
        ));
    }
    let first = index(first, completions)?;
    let Some(last) = last else { return Ok((first, first)) };
    let last = index(last, completions)?;
    if first >= last {
        return Err(format!("non-increasing order, previous: {first}, current: {last}"));
    }
    Ok((first, last))
}

fn index(text: &str, completions: i32) -> Result<i32, String> {
    let number: i64 = text
        .parse()
        .map_err(|_| format!("cannot convert string to integer for index: {text:?}"))?;
    let below = |index: &i32| *index < completions;
    i32::try_from(number).ok().filter(below).ok_or_else(|| format!("too large index: {text:?}"))
}

/// The first index that is in both lists; what cannot be read is skipped, being an error elsewhere.
pub(super) fn overlap(completed: &str, failed: &str, completions: i32) -> Option<i32> {
    let intervals = |text: &'_ str| -> Vec<(i32, i32)> {
        text.split(',').filter_map(|item| interval(item, completions).ok()).collect()
    };
    let (completed, failed) = (intervals(completed), intervals(failed));
    let (mut completed, mut failed) = (completed.iter().peekable(), failed.iter().peekable());
    while let (Some((c, c_last)), Some((f, f_last))) = (completed.peek(), failed.peek()) {
        if c <= f_last && f <= c_last {
            return Some(*c.max(f));
        }
        if c <= f {
            completed.next();
        } else {
            failed.next();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_overlap() {
        for (completed, failed, index) in [
            ("", "", None),
            ("", "1", None),
            ("0-2,5-9", "3,4", None),
            ("0-2,5-9", "3,6-7", Some(6)),
            ("0-2,4,x,6-8", "3,5,7", Some(7)),
            ("3,7", "x,1-2-3,6-8", Some(7)),
            ("x,5", "y,4-6", Some(5)),
            ("0-2,x", "3,y", None),
            ("5-6", "6-9", Some(6)),
        ] {
            assert_eq!(overlap(completed, failed, 10), index, "{completed} and {failed}");
        }
    }
}
