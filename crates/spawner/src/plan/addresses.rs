//! Telling a container the addresses of its pod, which nobody knows before there is a network.

use crate::protocol::{Isolation, Start};
use std::fmt::Write as _;
use std::net::IpAddr;

/// Put them where a start says they belong: for its words, and into files that name the pod.
pub(crate) fn tell_addresses(start: &mut Start, addresses: &[IpAddr]) {
    if let Some(words) = &start.address_words {
        let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let (first, all) = (texts.first().cloned().unwrap_or_default(), texts.join(","));
        for text in start.argv.iter_mut().chain(&mut start.env) {
            if text.contains(&words.first) || text.contains(&words.all) {
                *text = text.replace(&words.first, &first).replace(&words.all, &all);
            }
        }
    }
    let Isolation::Container(container) = &mut start.isolation else { return };
    for file in &mut container.files {
        let Some(names) = file.own_names.take() else { continue };
        let lines = addresses.iter().fold(String::new(), |mut lines, address| {
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "{address}\t{names}");
            lines
        });
        file.end.insert_str(0, &lines);
    }
}
