//! That every story of upstream's is told, or left out for a reason.

use std::{collections::BTreeMap, sync::Arc};

use libtest_mimic::{Failed, Trial};

use crate::story::{FILES, Story};

const LIST: &str = include_str!("../../../../docs/stories.md");

/// How many stories upstream has in each of the files, or we have chosen of them.
const COUNTS: [usize; FILES.len()] = [32, 12, 1, 4, 10, 14, 2, 12, 5, 3];

/// Beginning of what is said of a story that is not told.
const LEFT_OUT: &str = "left out: ";

pub(crate) fn trial(stories: &[Arc<Story>]) -> Trial {
    let told: Vec<(&str, String)> =
        stories.iter().map(|story| (story.file, story.title.clone())).collect();
    Trial::test("every story on the list is told", move || check(&told))
}

fn check(told: &[(&str, String)]) -> Result<(), Failed> {
    let list = list();
    for ((file, _), count) in FILES.iter().zip(COUNTS) {
        let rows = &list[file];
        if rows.len() != count {
            return Err(format!("{} of {count} stories are listed in {file}", rows.len()).into());
        }
        let wanted = rows.iter().filter(|(_, note)| !note.starts_with(LEFT_OUT));
        let wanted = wanted.map(|(title, _)| *title);
        let told = told.iter().filter(|(of, _)| of == file).map(|(_, title)| title.as_str());
        if !wanted.clone().eq(told.clone()) {
            let missing: Vec<_> =
                wanted.clone().filter(|title| !told.clone().any(|t| t == *title)).collect();
            let unknown: Vec<_> =
                told.filter(|title| !wanted.clone().any(|w| w == *title)).collect();
            return Err(format!(
                "{file}: not told {missing:?}, not listed {unknown:?}, or the order differs"
            )
            .into());
        }
    }
    Ok(())
}

/// The tables of the list: for each file, titles and notes.
fn list() -> BTreeMap<&'static str, Vec<(&'static str, &'static str)>> {
    let mut list = BTreeMap::<_, Vec<_>>::new();
    let mut file = "";
    for line in LIST.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            file = heading;
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", number, title, _, note, ""] = cells[..]
            && number.parse::<u32>().is_ok()
        {
            list.entry(file).or_default().push((title, note));
        }
    }
    list
}
