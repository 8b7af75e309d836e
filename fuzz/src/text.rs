//! The small languages: selectors, field selectors, quantities, media types, request lines. All of
//! them read the same input, as none costs anything.

use kinds::{
    KINDS,
    decode::FieldValidation,
    patch::PatchType,
    quantity::Quantity,
    selector::{FieldSelector, Selector},
};
use std::collections::BTreeMap;

pub(crate) fn fuzz(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(selector) = Selector::parse(text) {
        let labels = BTreeMap::from([("app".to_owned(), "x".to_owned())]);
        assert!(!selector.is_everything() || selector.matches(&labels));
    }
    for info in KINDS {
        drop(FieldSelector::parse(info.kind, text));
    }
    quantity(text);
    let _ = (FieldValidation::parse(text), PatchType::of_content_type(text));
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "BREW"] {
        let method = method.parse().expect("a method");
        drop(apiserver::parse(&method, path, query));
    }
}

/// The canonical form means the same, and is the canonical form of itself.
fn quantity(text: &str) {
    let Ok(quantity) = Quantity::parse(text) else { return };
    let _ = (quantity.milli(), quantity.value(), quantity.rounded_to_milli());
    let _ = (quantity + quantity, quantity - quantity);
    let canonical = quantity.to_string();
    let again = Quantity::parse(&canonical).expect("the canonical form is a quantity");
    assert_eq!(again, quantity, "{text:?} as {canonical:?}");
    assert_eq!(again.to_string(), canonical);
}
