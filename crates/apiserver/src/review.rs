//! The reviews: kinds that are only asked with POST and answered, never stored. One table, as for
//! the kinds that are.

mod decide;

use hyper::StatusCode;
use kinds::decode::{self, Sent};

use self::decide::Asking;
use crate::{
    Query,
    answer::{self, Answer},
    body::Body,
    content,
    handle::Context,
    write::WriteOptions,
};

/// Answers a review. It is made at once, with or without `dryRun`: there is nothing to store.
pub(crate) async fn review(
    review: Review,
    namespace: &str,
    query: &Query,
    mut context: Context<'_>,
) -> Answer {
    let options = WriteOptions::read(query, "CreateOptions")?;
    let form = content::form(&context.headers)?;
    let body = context.body().await?;
    let info = review.info();
    let api_version = format!("{}/{}", info.group, info.version);
    let sent = Sent { api_versions: &[&api_version], kind: info.name };
    let (asked, warnings) = decode::sent(&sent, form, &body, options.validation)?;
    let token = |token: &str, audience: &str| context.server.account_for(token, audience);
    let asking = Asking { review, namespace, asker: &context.asker, token: &token };
    let answered = decide::answer(&asking, asked, context.server.now())?;
    let mut response = answer::json(StatusCode::CREATED, Body::whole(answered.to_string()));
    answer::warn(&mut response, &warnings);
    Ok(response)
}

/// A kind of review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Review {
    /// `authentication.k8s.io/v1 SelfSubjectReview`: who am I?
    SelfSubject,
    /// `authorization.k8s.io/v1 LocalSubjectAccessReview`: may they, in this namespace?
    LocalSubjectAccess,
    /// `authorization.k8s.io/v1 SelfSubjectAccessReview`: may I?
    SelfSubjectAccess,
    /// `authorization.k8s.io/v1 SelfSubjectRulesReview`: what may I?
    SelfSubjectRules,
    /// `authorization.k8s.io/v1 SubjectAccessReview`: may they?
    SubjectAccess,
    /// `authentication.k8s.io/v1 TokenReview`: whose token is this?
    Token,
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
        review: Review::LocalSubjectAccess,
        group: "authorization.k8s.io",
        version: "v1",
        name: "LocalSubjectAccessReview",
        plural: "localsubjectaccessreviews",
        singular: "localsubjectaccessreview",
        namespaced: true,
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
    ReviewInfo {
        review: Review::SubjectAccess,
        group: "authorization.k8s.io",
        version: "v1",
        name: "SubjectAccessReview",
        plural: "subjectaccessreviews",
        singular: "subjectaccessreview",
        namespaced: false,
    },
    ReviewInfo {
        review: Review::Token,
        group: "authentication.k8s.io",
        version: "v1",
        name: "TokenReview",
        plural: "tokenreviews",
        singular: "tokenreview",
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
