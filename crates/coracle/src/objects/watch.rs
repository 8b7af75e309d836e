//! `coracle get --watch`: the objects, then a row for each change, until the server goes or somebody
//! stops it.

use kinds::Kind;
use serde_json::Value;

use super::{
    Format,
    get::{self, Get, Shape},
    print::table::Printer,
    problem::Problem,
    session,
    which::{Asked, Named},
};
use crate::client::{As, Change};

/// What is watched: all objects of a kind, or one.
pub(super) struct Watched {
    kind: Kind,
    one: Option<Named>,
}

impl Watched {
    /// # Errors
    /// More than that.
    pub(super) fn of(asked: &Asked) -> Result<Self, String> {
        match asked {
            Asked::Kinds(kinds) if kinds.len() == 1 => Ok(Self { kind: kinds[0], one: None }),
            Asked::Kinds(_) => Err("you may only specify a single resource type".to_owned()),
            Asked::Objects(objects) if objects.len() == 1 => {
                Ok(Self { kind: objects[0].kind, one: Some(objects[0].clone()) })
            }
            Asked::Objects(_) => {
                Err("watch is only supported on individual resources and resource \
                                      collections - more than 1 resource was found"
                    .to_owned())
            }
        }
    }
}

/// Shows objects and their changes until the server ends the watch.
pub(super) async fn watch(get: &Get<'_>, watched: &Watched) -> Vec<Problem> {
    let form = match &get.args.output {
        None | Some(Format::Wide) => As::Table,
        Some(Format::Form(_)) => As::Object,
    };
    let printer = Printer::new(get.options(watched.kind, false));
    let mut show = Show { get, kind: watched.kind, printer };
    follow(watched, form, &mut show).await.err().into_iter().collect()
}

/// One reading and the watch after it; `Ok` when the server ended the watch in good order.
async fn follow(watched: &Watched, form: As, show: &mut Show<'_>) -> Result<(), Problem> {
    let (get, session) = (show.get, show.get.session);
    let whole = match &watched.one {
        Some(named) => session.read_object(named, form, "").await?,
        None => session.read(get.collection(watched.kind, &[]), form).await?,
    };
    let revision = revision(&whole).to_owned();
    if !get.args.watch_only {
        show.answer(whole)?;
    }
    let target = match &watched.one {
        Some(named) => session.changes_of(named, &revision),
        None => get.collection(watched.kind, &[&session::changes_since(&revision)]),
    };
    let mut changes = session.client().changes(target, form).await?;
    while let Some(change) = changes.next().await? {
        match change {
            Change::Added(object) | Change::Modified(object) | Change::Deleted(object) => {
                show.answer(object)?;
            }
            Change::Bookmark => {}
        }
    }
    Ok(())
}

/// Of a list, of an object, or of the row of a table with one object.
fn revision(answer: &Value) -> &str {
    let row = &answer["rows"][0]["object"];
    [answer, row]
        .iter()
        .find_map(|value| value["metadata"]["resourceVersion"].as_str().filter(|r| !r.is_empty()))
        .unwrap_or("0")
}

struct Show<'a> {
    get: &'a Get<'a>,
    kind: Kind,
    printer: Printer,
}

impl Show<'_> {
    fn answer(&mut self, answer: Value) -> Result<(), Problem> {
        let args = self.get.args;
        let text = match &args.output {
            None | Some(Format::Wide) => self.printer.text(&[answer]),
            Some(Format::Form(form)) => {
                let shape =
                    Shape { managed_fields: args.show_managed_fields, headers: !args.no_headers };
                let mut text = String::new();
                for item in session::items(self.kind, answer) {
                    text += &get::in_form(vec![(self.kind, item)], true, form, shape)
                        .map_err(Problem::Said)?;
                }
                text
            }
        };
        get::print(&text);
        Ok(())
    }
}
