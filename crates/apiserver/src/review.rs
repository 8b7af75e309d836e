//! The reviews: kinds that are only asked with POST and answered, never stored. One table, as for
//! the kinds that are.

/// A kind of review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Review {
    /// `authentication.k8s.io/v1 SelfSubjectReview`: who am I?
    SelfSubject,
    /// `authorization.k8s.io/v1 SelfSubjectAccessReview`: may I?
    SelfSubjectAccess,
    /// `authorization.k8s.io/v1 SelfSubjectRulesReview`: what may I?
    SelfSubjectRules,
}

/// What the API needs to know of a review.
#[derive(Debug)]
pub struct ReviewInfo {
    /// The review this row describes.
    pub review: Review,
    /// API group.
    pub group: &'static str,
    /// API version within the group.
    pub version: &'static str,
    /// The name in `kind:`.
    pub name: &'static str,
    /// The name in paths.
    pub plural: &'static str,
    /// The singular name.
    pub singular: &'static str,
    /// Whether it is asked about a namespace in its path.
    pub namespaced: bool,
}

/// Every review, in the order of [`Review`].
pub const REVIEWS: &[ReviewInfo] = &[
    ReviewInfo {
        review: Review::SelfSubject,
        group: "authentication.k8s.io",
        version: "v1",
        name: "SelfSubjectReview",
        plural: "selfsubjectreviews",
        singular: "selfsubjectreview",
        namespaced: false,
    },
    ReviewInfo {
        review: Review::SelfSubjectAccess,
        group: "authorization.k8s.io",
        version: "v1",
        name: "SelfSubjectAccessReview",
        plural: "selfsubjectaccessreviews",
        singular: "selfsubjectaccessreview",
        namespaced: false,
    },
    ReviewInfo {
        review: Review::SelfSubjectRules,
        group: "authorization.k8s.io",
        version: "v1",
        name: "SelfSubjectRulesReview",
        plural: "selfsubjectrulesreviews",
        singular: "selfsubjectrulesreview",
        namespaced: false,
    },
];

impl Review {
    /// The review's row of the table.
    pub fn info(self) -> &'static ReviewInfo {
        &REVIEWS[self as usize]
    }

    /// The review that is asked under this group, version and plural.
    pub(crate) fn by_path(group: &str, version: &str, plural: &str) -> Option<&'static ReviewInfo> {
        REVIEWS.iter().find(|r| r.group == group && r.version == version && r.plural == plural)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_numbers_and_are_found_by_their_paths() {
        for row in REVIEWS {
            assert_eq!(row.review.info().name, row.name);
            let found = Review::by_path(row.group, row.version, row.plural);
            assert_eq!(found.map(|found| found.name), Some(row.name));
        }
    }
}
