//! "Did you mean": the field or word that was probably meant.

use std::collections::VecDeque;

use crate::schema::{Shape, Type};

/// How deep below the place of writing a field of exactly that name is looked for.
const SEARCH_DEPTH_MAX: usize = 4;

/// The field of `ty` that was probably meant: one spelt almost so, or one of exactly that name
/// further down (`template.spec.restartPolicy`).
pub(crate) fn field(ty: &'static Type, written: &str) -> Option<String> {
    let similar = word(written, ty.fields.iter().map(|f| f.name));
    similar.map(str::to_owned).or_else(|| below(ty, written))
}

/// The candidate that is spelt most like the word, if one is near enough.
pub fn word<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = written.to_lowercase();
    let near = |candidate: &&str| {
        let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
        (distance <= (written.len() / 3).clamp(1, 3)).then_some(distance)
    };
    let scored = candidates.into_iter().filter_map(|c| Some((near(&c)?, c)));
    scored.min().map(|(_, candidate)| candidate)
}

fn below(ty: &'static Type, name: &str) -> Option<String> {
    let mut queue = VecDeque::from([(ty, String::new(), 0)]);
    while let Some((ty, path, depth)) = queue.pop_front() {
        for field in ty.fields {
            let (inner, mark) = match field.shape {
                Shape::Object(inner) => (inner, ""),
                Shape::List(Shape::Object(inner)) => (*inner, "[]"),
                _ => continue,
            };
            let path = format!("{path}{}{mark}.", field.name);
            if inner.field(name).is_some() {
                return Some(path + name);
            }
            if depth + 1 < SEARCH_DEPTH_MAX && !matches!(field.name, "status" | "metadata") {
                queue.push_back((inner, path, depth + 1));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, schema};

    #[test]
    fn near_names_and_misplaced_names_are_found() {
        let job = schema::of(Kind::Job);
        let spec = match job.field("spec").unwrap().shape {
            Shape::Object(spec) => spec,
            other => panic!("{other:?}"),
        };
        assert_eq!(field(spec, "parallelsim").as_deref(), Some("parallelism"));
        assert_eq!(field(spec, "backofflimit").as_deref(), Some("backoffLimit"));
        assert_eq!(field(spec, "restartPolicy").as_deref(), Some("template.spec.restartPolicy"));
        assert_eq!(field(spec, "image").as_deref(), Some("template.spec.containers[].image"));
        assert_eq!(field(spec, "zzz"), None);
        assert_eq!(word("Jbo", ["Job", "Pod"]), Some("Job"));
    }
}
