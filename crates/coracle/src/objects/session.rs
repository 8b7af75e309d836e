//! A verb's tie to the server, and where its objects are.

use apiserver::{Mode, Subresource, path, query_pair};
use hyper::Method;
use kinds::Kind;
use serde_json::Value;

use super::{
    problem::Problem,
    which::{Asked, Named},
};
use crate::{
    cli,
    client::{As, Body, Client, Selection, WATCH_S},
    data_dir::Home,
    exit::Failure,
    link::{self, Link, Visit},
};

/// The server that a verb talks to.
#[derive(Debug)]
pub(crate) struct Session {
    tie: Tie,
    /// The namespace of objects that name none.
    namespace: String,
    everywhere: bool,
}

#[derive(Debug)]
enum Tie {
    /// One that answers by itself.
    Found(Link),
    /// One that lives as long as this, where no other was there.
    Visit(Visit),
}

impl Session {
    /// For a verb that only looks: what is kept in the directory can be seen without `coracle up`,
    /// by a private server that acts on nothing.
    pub(crate) async fn look(place: &cli::Place, everywhere: bool) -> Result<Self, Failure> {
        let Some(home) = Home::existing(&place.data_dir)? else { return Err(nobody(place)?) };
        Ok(Self::with(Tie::Visit(Visit::begin(&home).await?), place, everywhere))
    }

    /// For a verb that changes something, which takes a server that acts on it.
    pub(crate) async fn act(place: &cli::Place, everywhere: bool) -> Result<Self, Failure> {
        match Link::existing(&place.data_dir).await? {
            Some((_, link)) => Ok(Self::with(Tie::Found(link), place, everywhere)),
            None => Err(nobody(place)?),
        }
    }

    fn with(tie: Tie, place: &cli::Place, everywhere: bool) -> Self {
        let namespace = place.namespace.clone().unwrap_or_else(|| "default".to_owned());
        Self { tie, namespace, everywhere }
    }

    /// Leaves the server.
    pub(crate) async fn end(self) {
        if let Tie::Visit(visit) = self.tie {
            visit.end().await;
        }
    }

    pub(crate) fn link(&self) -> &Link {
        match &self.tie {
            Tie::Found(link) => link,
            Tie::Visit(visit) => visit.link(),
        }
    }

    pub(crate) fn client(&self) -> &Client {
        self.link().client()
    }

    /// Whether the server acts on everything, and not for runs of the command line alone.
    pub(crate) async fn is_up(&self) -> Result<bool, Failure> {
        let status = self.client().status().await.map_err(|error| link::failure(&error))?;
        Ok(status.mode == Mode::Up)
    }

    /// Whether the server acts on objects that this run submitted, or nobody's: one of `coracle up`
    /// on all, a private one on those of live runs.
    pub(crate) async fn acts_on(&self, run: Option<&str>) -> Result<bool, Failure> {
        let status = self.client().status().await.map_err(|error| link::failure(&error))?;
        let live = |run: &str| status.runs.iter().any(|live| live.id == run);
        Ok(status.mode == Mode::Up || run.is_some_and(live))
    }

    /// The namespace of the command line.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The namespace in which objects of a kind are listed: empty for all, or for none.
    pub(crate) fn namespace_of(&self, kind: Kind) -> &str {
        if self.everywhere || !kind.info().namespaced { "" } else { &self.namespace }
    }

    /// Path and query of all objects of a kind that a selection leaves.
    pub(crate) fn collection(
        &self,
        kind: Kind,
        labels: &str,
        fields: &str,
        more: &[&str],
    ) -> String {
        let place = of_namespace(kind, self.namespace_of(kind), labels, fields);
        match (more, place.contains('?')) {
            ([], _) => place,
            (more, true) => format!("{place}&{}", more.join("&")),
            (more, false) => format!("{place}?{}", more.join("&")),
        }
    }

    /// Says that there is nothing, in the namespace where one was asked for.
    pub(crate) fn tell_nothing(&self, namespaced: bool) {
        if namespaced && !self.everywhere {
            complain!("No resources found in {} namespace.", self.namespace);
        } else {
            complain!("No resources found");
        }
    }

    /// Path and query of an object; that of its collection where the name is empty.
    fn object(&self, named: &Named, name: &str, query: &str) -> String {
        let namespace = match (named.kind.info().namespaced, &named.namespace) {
            (false, _) => "",
            (true, Some(own)) => own,
            (true, None) => &self.namespace,
        };
        with_query(path(named.kind, namespace, name, Subresource::Main), query)
    }

    /// Path and query of an object.
    ///
    /// # Errors
    /// All namespaces are asked for, in which a name says nothing.
    pub(crate) fn target(&self, named: &Named, query: &str) -> Result<String, Problem> {
        if self.everywhere && named.kind.info().namespaced && named.namespace.is_none() {
            let text = "a resource cannot be retrieved by name across all namespaces";
            return Err(Problem::Said(text.to_owned()));
        }
        Ok(self.object(named, &named.name, query))
    }

    /// Path and query of the place where an object is created.
    pub(crate) fn place_of(&self, named: &Named, query: &str) -> String {
        self.object(named, "", query)
    }

    /// Path and query of the watch of one object: first as it is, then a bookmark, then its changes.
    pub(crate) fn watch_of(&self, named: &Named) -> String {
        let field = query_pair("fieldSelector", &format!("metadata.name={}", named.name));
        let query = format!(
            "{field}&watch=true&allowWatchBookmarks=true&sendInitialEvents=true\
             &resourceVersionMatch=NotOlderThan&timeoutSeconds={WATCH_S}"
        );
        self.object(named, "", &query)
    }

    /// Path and query of the changes of one object since a revision.
    pub(crate) fn changes_of(&self, named: &Named, revision: &str) -> String {
        let field = query_pair("fieldSelector", &format!("metadata.name={}", named.name));
        self.object(named, "", &format!("{field}&{}", changes_since(revision)))
    }

    /// Reads what a path names.
    pub(crate) async fn read(&self, target: String, form: As) -> Result<Value, Problem> {
        Ok(self.client().request(Method::GET, target, form, &Body::None).await?.body)
    }

    /// The objects that are asked for, by name: those of kinds are read first.
    pub(crate) async fn names(
        &self,
        asked: Asked,
        which: &cli::Which,
        among: &cli::Among,
    ) -> Result<Vec<Named>, Problem> {
        let kinds = match asked {
            Asked::Objects(objects) => return Ok(objects),
            Asked::Kinds(kinds) => kinds,
        };
        let labels = which.selector.as_deref().unwrap_or_default();
        let fields = among.field_selector.as_deref().unwrap_or_default();
        let mut named = Vec::new();
        for kind in kinds {
            let list = self.read(self.collection(kind, labels, fields, &[]), As::Object).await?;
            named.extend(items(kind, list).iter().map(|item| Named::of(kind, item)));
        }
        Ok(named)
    }

    /// Reads one object.
    pub(crate) async fn read_object(
        &self,
        named: &Named,
        form: As,
        query: &str,
    ) -> Result<Value, Problem> {
        self.read(self.target(named, query)?, form).await
    }
}

/// Path and query of the objects of a kind in a namespace, or in all.
pub(crate) fn of_namespace(kind: Kind, namespace: &str, labels: &str, fields: &str) -> String {
    let which = Selection { namespace, labels, fields };
    with_query(path(kind, namespace, "", Subresource::Main), &which.query().join("&"))
}

/// The query of a watch that begins after a revision.
pub(crate) fn changes_since(revision: &str) -> String {
    format!("watch=true&resourceVersion={revision}&timeoutSeconds={WATCH_S}")
}

fn with_query(path: String, query: &str) -> String {
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

/// No server, and what to type.
fn nobody(place: &cli::Place) -> Result<Failure, Failure> {
    let directory = Home::locate(&place.data_dir)?;
    let given = place.data_dir.on_command_line();
    let given = given.map(|given| format!(" --data-dir {given}")).unwrap_or_default();
    Ok(Failure::failed(format!(
        "no server holds {}; start one with: coracle up -d{given}",
        directory.display()
    )))
}

/// The objects of an answer: those of a list, or the one. Each says what it is, as kubectl prints it.
pub(crate) fn items(kind: Kind, mut answer: Value) -> Vec<Value> {
    let mut items = match answer.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => vec![answer],
    };
    for item in &mut items {
        let info = kind.info();
        item["apiVersion"] = info.api_version().into();
        item["kind"] = info.name.into();
    }
    items
}
