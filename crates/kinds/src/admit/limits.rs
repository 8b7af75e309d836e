//! LimitRanges: defaults and validation.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

use super::{meta::push_all, resources};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    quantity::Quantity,
    types::core::v1::{LimitRange, LimitRangeItem},
    validate,
};

const STANDARD_TYPES: [&str; 3] = ["Pod", "Container", "PersistentVolumeClaim"];

type List = BTreeMap<String, Text>;

/// Defaults of a LimitRange and everything wrong with it; an update may change all of it.
pub(super) fn finish(range: &mut LimitRange, _: Option<&LimitRange>, errors: &mut FieldErrors) {
    let at = Path::top("spec");
    let at = at.field("limits");
    let mut types = BTreeSet::new();
    for (i, item) in range.spec.get_or_insert_default().limits.iter_mut().enumerate() {
        defaults(item);
        let at = at.index(i);
        type_name(&item.type_, at.field("type"), errors);
        if !types.insert(item.type_.clone()) {
            errors.push(FieldError::duplicate(at.field("type"), item.type_.as_str()));
        }
        check(item, at, errors);
    }
}

/// Rounds every amount. For containers a missing default limit is the largest allowed one, and a
/// missing default request the default limit, or else the smallest allowed request.
fn defaults(item: &mut LimitRangeItem) {
    let lists = [
        &mut item.default,
        &mut item.default_request,
        &mut item.max,
        &mut item.max_limit_request_ratio,
        &mut item.min,
    ];
    lists.into_iter().flatten().for_each(resources::round);
    if item.type_ == "Container" {
        add_missing(&mut item.default, item.max.as_ref());
        add_missing(&mut item.default_request, item.default.as_ref());
        add_missing(&mut item.default_request, item.min.as_ref());
    }
}

fn add_missing(list: &mut Option<List>, from: Option<&List>) {
    for (name, amount) in from.into_iter().flatten() {
        let list = list.get_or_insert_default();
        list.entry(name.clone()).or_insert_with(|| amount.clone());
    }
}

fn type_name(name: &str, at: Path<'_>, errors: &mut FieldErrors) {
    let wrong = validate::qualified_name(name);
    if wrong.is_empty() && !name.contains('/') && !STANDARD_TYPES.contains(&name) {
        let text = "must be a standard limit type or fully qualified";
        errors.push(FieldError::invalid(at, name, text));
    }
    push_all(errors, at, name, wrong);
}

fn check(item: &LimitRangeItem, at: Path<'_>, errors: &mut FieldErrors) {
    let is_pod = item.type_ == "Pod";
    let mut names = BTreeSet::new();
    for (field, list, of_pods) in [
        ("max", &item.max, true),
        ("min", &item.min, true),
        ("default", &item.default, false),
        ("defaultRequest", &item.default_request, false),
        ("maxLimitRequestRatio", &item.max_limit_request_ratio, true),
    ] {
        let Some(list) = list.as_ref().filter(|list| !list.is_empty()) else { continue };
        let at = at.field(field);
        if is_pod && !of_pods {
            errors.push(FieldError::forbidden(at, "may not be specified when `type` is 'Pod'"));
            continue;
        }
        for name in list.keys() {
            match is_pod || item.type_ == "Container" {
                true => resources::container_name(name, at.key(name), errors),
                false => resources::name(name, at.key(name), errors),
            }
            names.insert(name.as_str());
        }
    }
    let stores = |list: &Option<List>| list.as_ref().is_some_and(|l| l.contains_key("storage"));
    if item.type_ == "PersistentVolumeClaim" && !stores(&item.min) && !stores(&item.max) {
        let text = "either minimum or maximum storage value is required, but neither was provided";
        errors.push(FieldError::required(at.field("limits"), text));
    }
    for name in names {
        Amounts::of(item, name).check(name, at, errors);
    }
}

/// What an item says about one resource.
struct Amounts {
    min: Option<Quantity>,
    max: Option<Quantity>,
    limit: Option<Quantity>,
    request: Option<Quantity>,
    ratio: Option<Quantity>,
}

impl Amounts {
    fn of(item: &LimitRangeItem, name: &str) -> Self {
        let amount = |list: &Option<List>| {
            let text = list.as_ref()?.get(name)?;
            Quantity::parse(&text.0).ok()
        };
        let of_pods = item.type_ == "Pod";
        Self {
            min: amount(&item.min),
            max: amount(&item.max),
            limit: amount(&item.default).filter(|_| !of_pods),
            request: amount(&item.default_request).filter(|_| !of_pods),
            ratio: amount(&item.max_limit_request_ratio),
        }
    }

    /// Whatever stands on the wrong side of something else. The value that is blamed is upstream's.
    fn check(&self, name: &str, at: Path<'_>, errors: &mut FieldErrors) {
        let Self { min, max, limit, request, ratio } = *self;
        for (small, large, field, words, blamed) in [
            (min, max, "min", ("min value", "max value"), min),
            (min, request, "defaultRequest", ("min value", "default request value"), request),
            (request, max, "defaultRequest", ("default request value", "max value"), request),
            (
                request,
                limit,
                "defaultRequest",
                ("default request value", "default limit value"),
                request,
            ),
            (min, limit, "default", ("min value", "default value"), min),
            (limit, max, "default", ("default value", "max value"), max),
        ] {
            if let (Some(small), Some(large), Some(blamed)) = (small, large, blamed)
                && small > large
            {
                let text = format!("{} {small} is greater than {} {large}", words.0, words.1);
                let at = at.field(field);
                errors.push(FieldError::invalid(at.key(name), blamed.to_string(), text));
            }
        }
        if let Some(ratio) = ratio {
            self.check_ratio(ratio, name, at.field("maxLimitRequestRatio"), errors);
        }
        if let (Some(limit), Some(request)) = (limit, request)
            && limit != request
            && !resources::may_be_overcommitted(name)
        {
            let text = format!(
                "default value {limit} must equal to defaultRequest value {request} in {name}"
            );
            let at = at.field("defaultRequest");
            errors.push(FieldError::invalid(at.key(name), request.to_string(), text));
        }
    }

    fn check_ratio(&self, ratio: Quantity, name: &str, at: Path<'_>, errors: &mut FieldErrors) {
        if ratio.milli() < 1000 {
            let text = format!("ratio {ratio} is less than 1");
            errors.push(FieldError::invalid(at.key(name), ratio.to_string(), text));
        }
        if let (Some(min), Some(max)) = (self.min, self.max) {
            let largest = max.approximate() / min.approximate();
            if ratio.approximate() > largest {
                let text = format!("ratio {ratio} is greater than max/min = {largest:.6}");
                errors.push(FieldError::invalid(at.key(name), ratio.to_string(), text));
            }
        }
    }
}
