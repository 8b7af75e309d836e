//! GET of a collection. A list shows one revision, also over several pages and while others write:
//! an earlier state is the present one with the changes since undone.

use std::{collections::BTreeMap, rc::Rc, sync::Arc};

use hyper::{Response, StatusCode};
use jiff::Timestamp;
use kinds::{Key, Object, Reason, Revision, StatusError};
use serde::Serialize;
use store::{Expired, Store};

use crate::{
    Query, RequestInfo, Server,
    answer::{self, Answer, bad_request},
    body::Body,
    filter::Filter,
    form::Form,
    get::not_ahead,
    page::Page,
    revision::{self, ListAt},
};

pub(crate) async fn list(info: &RequestInfo, form: Form, server: &Rc<Server>) -> Answer {
    let listing = Listing::read(info)?;
    let found = listing.find(server.engine().store())?;
    let Some(found) = found else { return listing.expired() };
    server.durable(found.revision).await?;
    Ok(answer::json(StatusCode::OK, found.body(&listing, form, server.now())))
}

/// Which objects are asked for.
#[derive(Debug)]
pub(crate) struct Listing {
    filter: Filter,
    wanted: Wanted,
}

impl Listing {
    /// Reads the options of a list.
    ///
    /// # Errors
    /// 400 and 422 for those that cannot be read or make no sense.
    pub(crate) fn read(info: &RequestInfo) -> Result<Self, StatusError> {
        Ok(Self { filter: Filter::read(info)?, wanted: Wanted::read(&info.query)? })
    }

    /// What the store has of it; `None` when its state is too old to be known.
    ///
    /// # Errors
    /// 504 for a revision that does not exist yet.
    pub(crate) fn find(&self, store: &Store) -> Result<Option<Found>, StatusError> {
        not_ahead(self.wanted.newest_revision(), store.head())?;
        Ok(find(store, &self.filter, &self.wanted).ok())
    }

    /// The answer when the state is too old to be known.
    pub(crate) fn expired(&self) -> Answer {
        expired(&self.wanted)
    }
}

/// What part of which state is asked for.
#[derive(Debug)]
struct Wanted {
    at: ListAt,
    /// At most so many objects.
    limit: Option<usize>,
    page: Option<Page>,
}

impl Wanted {
    fn read(query: &Query) -> Result<Self, StatusError> {
        let at = revision::list(query)?;
        let limit = query.integer("limit")?.and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.filter(|limit| *limit > 0);
        let token = query.text("continue");
        if token.is_empty() {
            return Ok(Self { at, limit, page: None });
        }
        if !matches!(query.text("resourceVersion"), "" | "0") {
            let text = "specifying resource version is not allowed when using continue";
            return Err(bad_request(text));
        }
        let page = Page::parse(token)?;
        let at = page.revision.map_or(ListAt::NotOlderThan(0), ListAt::Exactly);
        Ok(Self { at, limit, page: Some(page) })
    }

    fn newest_revision(&self) -> Revision {
        match self.at {
            ListAt::NotOlderThan(revision) | ListAt::Exactly(revision) => revision,
        }
    }
}

/// One page of a list.
pub(crate) struct Found {
    revision: Revision,
    items: Vec<Arc<Object>>,
    /// How many objects of the whole list follow, if any do.
    remaining: usize,
}

/// What an object was at an earlier revision, for every key that changed since.
type Undone = BTreeMap<Key, Option<Arc<Object>>>;

fn find(store: &Store, filter: &Filter, wanted: &Wanted) -> Result<Found, Expired> {
    let (revision, undone) = match wanted.at {
        ListAt::NotOlderThan(_) => (store.head(), Undone::new()),
        ListAt::Exactly(revision) => (revision, undo(store, filter, revision)?),
    };
    let unchanged = filter.candidates(store);
    let unchanged = unchanged.filter(|object| !undone.contains_key(&object.key));
    let earlier = undone.values().flatten();
    let ours = |object: &&Arc<Object>| {
        let on_page = wanted.page.as_ref().is_none_or(|page| page.holds(&object.key));
        on_page && filter.matches(object)
    };
    let mut items: Vec<Arc<Object>> = unchanged.chain(earlier).filter(ours).cloned().collect();
    if !undone.is_empty() {
        items.sort_by(|a, b| a.key.cmp(&b.key));
    }
    let shown = wanted.limit.unwrap_or(usize::MAX).min(items.len());
    let remaining = items.len() - shown;
    items.truncate(shown);
    Ok(Found { revision, items, remaining })
}

fn undo(store: &Store, filter: &Filter, revision: Revision) -> Result<Undone, Expired> {
    let mut undone = Undone::new();
    for change in store.changes_since(revision)? {
        if change.object.key.kind == filter.kind {
            undone.entry(change.object.key.clone()).or_insert_with(|| change.previous.clone());
        }
    }
    Ok(undone)
}

/// `metadata` of a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListMeta {
    resource_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#continue: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining_item_count: Option<usize>,
}

impl Found {
    /// The objects that are shown.
    pub(crate) fn keys(&self) -> Vec<Key> {
        self.items.iter().map(|object| object.key.clone()).collect()
    }

    /// The list, in the form that was asked for.
    pub(crate) fn body(self, listing: &Listing, form: Form, now: Timestamp) -> Body {
        let filter = &listing.filter;
        let last = self.items.last().filter(|_| self.remaining > 0);
        let metadata = ListMeta {
            resource_version: self.revision.to_string(),
            r#continue: last.map(|last| Page::after(self.revision, &last.key).token()),
            remaining_item_count: last.filter(|_| !filter.selects()).map(|_| self.remaining),
        };
        let metadata = serde_json::to_string(&metadata).expect("a list's metadata serialises");
        let objects = self.items.iter().map(|object| &**object);
        match form.list(filter.kind, &metadata, objects, now) {
            Some(made) => Body::whole(made),
            None => Body::list(filter.kind.info(), &metadata, self.items),
        }
    }
}

/// 410. In the middle of a list it carries a token to go on with the newest state instead.
fn expired(wanted: &Wanted) -> Answer {
    let Some(page) = &wanted.page else {
        let text = "The resourceVersion for the provided list is too old.";
        return Err(StatusError::new(Reason::Expired, text));
    };
    let newest = Page { revision: None, ..page.clone() };
    let error = StatusError::new(Reason::Expired, INCONSISTENT);
    let mut status: serde_json::Value =
        serde_json::from_slice(&error.to_json()).map_err(answer::internal)?;
    status["metadata"]["continue"] = newest.token().into();
    let refusal: Response<Body> = answer::json(StatusCode::GONE, Body::whole(status.to_string()));
    Ok(refusal)
}

const INCONSISTENT: &str = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";
