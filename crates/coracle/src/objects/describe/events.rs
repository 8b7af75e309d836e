//! The events of an object, at the end of its description.

use serde_json::Value;

use super::writer::{Writer, moment, or, text};

/// Writes them, the oldest first. `parts` is whether each says which part of the object it is about.
pub(super) fn write(writer: &mut Writer, events: &[Value], parts: bool) {
    if events.is_empty() {
        writer.field(0, "Events", "<none>");
        return;
    }
    let mut events: Vec<&Value> = events.iter().collect();
    events.sort_by_key(|event| moment(&event["lastTimestamp"]).or(moment(&event["eventTime"])));
    writer.line(0, "Events:");
    writer.line(1, "Type\tReason\tAge\tFrom\tMessage");
    writer.line(1, "----\t------\t----\t----\t-------");
    for event in events {
        let source = or(&event["source"]["component"], "");
        let source = if source.is_empty() { text(&event["reportingComponent"]) } else { source };
        let part = text(&event["involvedObject"]["fieldPath"]);
        let part = if parts && !part.is_empty() { part + ": " } else { String::new() };
        writer.line(
            1,
            &format!(
                "{}\t{}\t{}\t{source}\t{part}{}",
                text(&event["type"]),
                text(&event["reason"]),
                interval(writer, event),
                text(&event["message"]).trim()
            ),
        );
    }
}

/// `5s`, or `5s (x3 over 2m)` for one that came again.
fn interval(writer: &Writer, event: &Value) -> String {
    let first = match moment(&event["eventTime"]) {
        Some(_) => writer.age(&event["eventTime"]),
        None => writer.age(&event["firstTimestamp"]),
    };
    let (series, count) = (&event["series"], event["count"].as_i64().unwrap_or(0));
    if let Some(times) = series["count"].as_i64() {
        format!("{} (x{times} over {first})", writer.age(&series["lastObservedTime"]))
    } else if count > 1 {
        format!("{} (x{count} over {first})", writer.age(&event["lastTimestamp"]))
    } else {
        first
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn events_say_how_often_and_since_when() {
        let event = |reason: &str, first: &str, last: &str, count: u32| {
            json!({
                "type": "Normal", "reason": reason, "message": " said\n", "count": count,
                "firstTimestamp": first, "lastTimestamp": last,
                "source": {"component": "job-controller"},
                "involvedObject": {"fieldPath": "spec.containers{main}"},
            })
        };
        let events = [
            event("Late", "2026-11-24T10:00:00Z", "2026-11-24T10:00:50Z", 3),
            event("Early", "2026-11-24T10:00:40Z", "2026-11-24T10:00:40Z", 1),
        ];
        let mut writer = Writer::new("2026-11-24T10:01:00Z".parse().unwrap());
        write(&mut writer, &events, false);
        expect![[r#"
            Events:
              Type    Reason  Age                From            Message
              ----    ------  ----               ----            -------
              Normal  Early   20s                job-controller  said
              Normal  Late    10s (x3 over 60s)  job-controller  said
        "#]]
        .assert_eq(&writer.finish());
        let mut writer = Writer::new("2026-11-24T10:01:00Z".parse().unwrap());
        write(&mut writer, &events[..1], true);
        assert!(writer.finish().contains("  spec.containers{main}: said\n"));
        let mut writer = Writer::new("2026-11-24T10:01:00Z".parse().unwrap());
        write(&mut writer, &[], false);
        assert_eq!(writer.finish(), "Events:  <none>\n");
    }
}
