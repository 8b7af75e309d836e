//! Bodies of requests in all three forms. The input is a line as in the cases of crate kinds, such
//! as `Job Strict yaml`, and below it the body.

use crate::{after_line, kind};
use kinds::{
    Draft,
    decode::{self, FieldValidation, Form},
};

pub(crate) fn fuzz(data: &[u8]) {
    let (head, body) = after_line(data);
    let mut words = head.split(' ');
    let kind = kind(words.next());
    let validation = words.next().and_then(FieldValidation::parse).unwrap_or_default();
    let form = match words.next() {
        Some("yaml") => Form::Yaml,
        Some("protobuf") => Form::Protobuf,
        _ => Form::Json,
    };
    if let Ok((draft, warnings)) = decode::body(kind, form, body, validation) {
        assert!(validation == FieldValidation::Warn || warnings.is_empty(), "{warnings:?}");
        must_be_read_again(&draft);
    }
}

/// What was accepted and is written out must be accepted by the strictest reader, as it is.
pub(crate) fn must_be_read_again(draft: &Draft) {
    let json = draft.to_json();
    match decode::body(draft.kind, Form::Json, &json, FieldValidation::Strict) {
        Ok((again, _)) => assert_eq!(
            String::from_utf8_lossy(&again.to_json()),
            String::from_utf8_lossy(&json),
            "read again, it is something else"
        ),
        Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&json)),
    }
}
