//! The set of indexes against the standard library's, and its text.

use std::collections::BTreeSet;

use proptest::prelude::*;
use reconcile::IndexSet;

const LIMIT: u32 = 200;

proptest! {
    #[test]
    fn behaves_like_a_set(inserts in prop::collection::vec(0..LIMIT, 0..150)) {
        let (mut ours, mut theirs) = (IndexSet::default(), BTreeSet::new());
        for index in inserts {
            prop_assert_eq!(ours.insert(index), theirs.insert(index));
        }
        check(&ours, &theirs);
        prop_assert_eq!(&IndexSet::parse(&ours.to_string(), LIMIT), &ours);
    }

    #[test]
    fn reading_never_fails_and_stays_below_the_limit(text in "[0-9,x-]{0,40}", limit in 0..LIMIT) {
        let set = IndexSet::parse(&text, limit);
        prop_assert!(set.next_absent(limit) == limit && set.len() <= limit);
        prop_assert_eq!(&IndexSet::parse(&set.to_string(), limit), &set);
    }
}

fn check(ours: &IndexSet, theirs: &BTreeSet<u32>) {
    assert_eq!(ours.len() as usize, theirs.len());
    assert_eq!(ours.is_empty(), theirs.is_empty());
    for index in 0..=LIMIT {
        assert_eq!(ours.contains(index), theirs.contains(&index), "{index}");
        let absent = (index..).find(|i| !theirs.contains(i));
        assert_eq!(Some(ours.next_absent(index)), absent, "from {index}");
    }
}

#[test]
fn text_form() {
    let rows = [
        ("", 9, ""),
        ("1", 9, "1"),
        ("1,2", 9, "1,2"),
        ("1-2", 9, "1,2"),
        ("1,2,3", 9, "1-3"),
        ("1,3-5,7", 9, "1,3-5,7"),
        ("0-3,4-6", 9, "0-6"),
        // Reading stops at the first start beyond the limit, and cuts what reaches over it.
        ("0-3,7-20", 9, "0-3,7,8"),
        ("0,9,1", 9, "0"),
        ("0-8", 0, ""),
        // What is no number or range is skipped.
        ("a,1,b-3,3-c,4,", 9, "1,4"),
        ("5-3,1", 9, "1"),
        ("-1,2", 9, "2"),
        ("1-2-3", 9, "1,2"),
        ("99999999999,1", 9, "1"),
        ("0-2147483646", i32::MAX as u32, "0-2147483646"),
    ];
    for (text, limit, expected) in rows {
        assert_eq!(IndexSet::parse(text, limit).to_string(), expected, "{text:?} below {limit}");
    }
}
