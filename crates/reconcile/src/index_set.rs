//! A set of completion indexes, kept as runs. Indexes of a Job finish nearly in order, so a set of
//! a hundred thousand is a handful of runs, and "the next index that is not in it" is one search.

use std::fmt;

/// Which indexes of an Indexed Job are done. Its text form is that of `status.completedIndexes`:
/// increasing, comma-separated, three or more in a row as `first-last`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexSet {
    /// First and last of each run; ascending, never touching.
    runs: Vec<(u32, u32)>,
    count: u32,
}

impl IndexSet {
    /// Reads the text form as the Job controller does, leniently: a fragment that is no number or
    /// range is skipped, reading stops at the first start that is not below `limit` (the Job's
    /// completions), and a range's end is cut to `limit - 1`.
    pub fn parse(text: &str, limit: u32) -> Self {
        let mut set = Self::default();
        for fragment in text.split(',') {
            let (first, last) = match fragment.split_once('-') {
                Some((first, rest)) => (first, rest.split('-').next()),
                None => (fragment, None),
            };
            let Ok(first) = first.parse::<u32>() else { continue };
            if first >= limit {
                break;
            }
            let Ok(last) = last.map_or(Ok(first), str::parse) else { continue };
            set.insert_run(first, last.min(limit - 1));
        }
        set
    }

    /// How many indexes are in the set.
    pub fn len(&self) -> u32 {
        self.count
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether `index` is in the set.
    pub fn contains(&self, index: u32) -> bool {
        self.runs.get(self.run_from(index)).is_some_and(|run| run.0 <= index)
    }

    /// Puts `index` in; false if it was there already.
    pub fn insert(&mut self, index: u32) -> bool {
        let new = !self.contains(index);
        if new {
            self.insert_run(index, index);
        }
        new
    }

    /// The smallest index from `from` on that is not in the set.
    pub fn next_absent(&self, from: u32) -> u32 {
        match self.runs.get(self.run_from(from)) {
            Some(run) if run.0 <= from => run.1 + 1,
            _ => from,
        }
    }

    /// Whether every index of `other` is in the set.
    pub fn contains_all(&self, other: &Self) -> bool {
        other.runs.iter().all(|&(first, last)| {
            self.runs.get(self.run_from(first)).is_some_and(|run| run.0 <= first && last <= run.1)
        })
    }

    /// How many indexes of `other` are in the set.
    pub fn len_with(&self, other: &Self) -> u32 {
        let shared = other.runs.iter().flat_map(|&(first, last)| {
            let runs =
                self.runs[self.run_from(first)..].iter().take_while(move |run| run.0 <= last);
            runs.map(move |run| run.1.min(last) - run.0.max(first) + 1)
        });
        shared.sum()
    }

    /// Where the first run stands that ends at `index` or later.
    fn run_from(&self, index: u32) -> usize {
        self.runs.partition_point(|run| run.1 < index)
    }

    fn insert_run(&mut self, mut first: u32, mut last: u32) {
        if last < first {
            return;
        }
        let from = self.runs.partition_point(|run| run.1 < first.saturating_sub(1));
        let to = self.runs.partition_point(|run| run.0 <= last.saturating_add(1));
        for run in &self.runs[from..to] {
            (first, last) = (first.min(run.0), last.max(run.1));
            self.count -= run.1 - run.0 + 1;
        }
        self.count += last - first + 1;
        self.runs.splice(from..to, [(first, last)]);
    }
}

impl fmt::Display for IndexSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for &(first, last) in &self.runs {
            write!(f, "{comma}{first}")?;
            if last > first {
                write!(f, "{}{last}", if last == first + 1 { ',' } else { '-' })?;
            }
            comma = ",";
        }
        Ok(())
    }
}
