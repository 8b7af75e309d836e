//! `coracle get`: objects as a table, whose columns and cells are the server's, or in another form.

use std::io::Write as _;

use kinds::Kind;
use serde_json::{Value, json};

use super::{
    Form, Format,
    jsonpath::{self, Path},
    print::{
        custom, json as json_text,
        table::{Options, Printer},
        yaml,
    },
    problem::{self, Problem},
    session::{self, Session},
    sorted, watch,
    which::{self, Asked, Named},
};
use crate::{
    cli,
    client::As,
    exit::{Code, Failure},
};

/// Shows objects.
pub(crate) async fn get(args: &cli::Get) -> Result<Code, Failure> {
    let selective = args.which.selector.is_some() || args.field_selector.is_some();
    let asked = Asked::read(&args.which, &args.place, selective)?;
    let sort = args.sort_by.as_deref().map(jsonpath::path).transpose().map_err(Failure::failed)?;
    let watched = match args.watch || args.watch_only {
        true => Some(watch::Watched::of(&asked).map_err(Failure::failed)?),
        false => None,
    };
    if watched.is_some() && sort.is_some() {
        complain!("warning: --watch or --watch-only requested, --sort-by will be ignored");
    }
    let session = Session::look(&args.place, args.reach.all_namespaces).await?;
    let get = Get { args, session: &session, sort };
    let problems = match (&watched, &args.output) {
        (Some(watched), _) => watch::watch(&get, watched).await,
        (None, None | Some(Format::Wide)) => get.tables(&asked).await,
        (None, Some(Format::Form(form))) => get.objects(&asked, form).await,
    };
    session.end().await;
    Ok(problem::tell(&problems))
}

/// One `get`.
pub(super) struct Get<'a> {
    pub(super) args: &'a cli::Get,
    pub(super) session: &'a Session,
    sort: Option<Path>,
}

impl Get<'_> {
    /// Path and query of all objects of a kind that are asked for.
    pub(super) fn collection(&self, kind: Kind, more: &[&str]) -> String {
        let labels = self.args.which.selector.as_deref().unwrap_or_default();
        let fields = self.args.field_selector.as_deref().unwrap_or_default();
        self.session.collection(kind, labels, fields, more)
    }

    /// How a table of this kind is laid out.
    pub(super) fn options(&self, kind: Kind, several_kinds: bool) -> Options {
        Options {
            wide: self.args.output == Some(Format::Wide),
            no_headers: self.args.no_headers,
            namespace: self.args.reach.all_namespaces && kind.info().namespaced,
            kind: (several_kinds || self.args.show_kind).then(|| which::shown(kind) + "/"),
            labels: self.args.show_labels,
        }
    }

    /// Prints tables, one for each kind.
    async fn tables(&self, asked: &Asked) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut groups: Vec<(Kind, Vec<Value>)> = Vec::new();
        for (kind, answer) in self.read(asked, As::Table).await {
            match answer {
                Ok(table) => match groups.last_mut() {
                    Some((last, tables)) if *last == kind => tables.push(table),
                    _ => groups.push((kind, vec![table])),
                },
                Err(problem) => problems.push(problem),
            }
        }
        let several = groups.iter().any(|(kind, _)| *kind != groups[0].0);
        let mut texts = Vec::new();
        // Once there is a column of namespaces, it stays, also for kinds that have none.
        let mut namespace = false;
        for (kind, mut tables) in groups {
            namespace |= self.args.reach.all_namespaces && kind.info().namespaced;
            if let Err(wrong) = self.sort_rows(&mut tables) {
                problems.push(Problem::Said(wrong));
            }
            let text =
                Printer::new(Options { namespace, ..self.options(kind, several) }).text(&tables);
            texts.extend((!text.is_empty()).then_some(text));
        }
        let between = if self.args.no_headers { "" } else { "\n" };
        print(&texts.join(between));
        if texts.is_empty() && problems.is_empty() && !self.args.ignore_not_found {
            self.tell_nothing(asked);
        }
        problems
    }

    /// Puts the rows of tables of one kind into order, all in the first.
    fn sort_rows(&self, tables: &mut Vec<Value>) -> Result<(), String> {
        let (Some(path), Some(written)) = (&self.sort, &self.args.sort_by) else { return Ok(()) };
        let mut rows = Vec::new();
        for table in tables.iter_mut() {
            if let Value::Array(more) = table["rows"].take() {
                rows.extend(more);
            }
        }
        tables.truncate(1);
        let sorted = sorted::sort(&mut rows, path, written, |row| &row["object"]);
        if let Some(table) = tables.first_mut() {
            table["rows"] = rows.into();
        }
        sorted
    }

    fn tell_nothing(&self, asked: &Asked) {
        let namespaced = match asked {
            Asked::Kinds(kinds) => kinds.iter().all(|kind| kind.info().namespaced),
            Asked::Objects(_) => false,
        };
        self.session.tell_nothing(namespaced);
    }

    /// Prints objects in another form.
    async fn objects(&self, asked: &Asked, form: &Form) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut found = Vec::new();
        for (kind, answer) in self.read(asked, As::Object).await {
            match answer {
                Ok(answer) => {
                    found.extend(session::items(kind, answer).into_iter().map(|item| (kind, item)));
                }
                Err(problem) => problems.push(problem),
            }
        }
        if let (Some(path), Some(written)) = (&self.sort, &self.args.sort_by)
            && let Err(wrong) = sorted::sort(&mut found, path, written, |(_, item)| item)
        {
            problems.push(Problem::Said(wrong));
        }
        let single = matches!(asked, Asked::Objects(objects) if objects.len() == 1);
        if found.is_empty() && matches!(asked, Asked::Objects(_)) {
            return problems;
        }
        let options =
            Shape { managed_fields: self.args.show_managed_fields, headers: !self.args.no_headers };
        match in_form(found, single, form, options) {
            Ok(text) => print(&text),
            Err(wrong) => problems.push(Problem::Said(wrong)),
        }
        problems
    }

    /// The answer for each kind or object, in order; what is not there is left out where that is
    /// wanted.
    async fn read(&self, asked: &Asked, form: As) -> Vec<(Kind, Result<Value, Problem>)> {
        let whole =
            if self.sort.is_some() && form == As::Table { "includeObject=Object" } else { "" };
        let mut answers = Vec::new();
        match asked {
            Asked::Kinds(kinds) => {
                for kind in kinds {
                    let more: &[&str] = if whole.is_empty() { &[] } else { &[whole] };
                    answers
                        .push((*kind, self.session.read(self.collection(*kind, more), form).await));
                }
            }
            Asked::Objects(objects) => {
                for named in objects {
                    let answer = self.session.read_object(named, form, whole).await;
                    let forgiven = self.args.ignore_not_found
                        && answer.as_ref().is_err_and(Problem::not_found);
                    if !forgiven {
                        answers.push((named.kind, answer));
                    }
                }
            }
        }
        answers
    }
}

/// What is left out of objects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) managed_fields: bool,
    pub(super) headers: bool,
}

/// Objects in a form that is not a table. `single` is whether one was asked for, and not a list.
///
/// # Errors
/// A template that does not fit the objects.
pub(super) fn in_form(
    objects: Vec<(Kind, Value)>,
    single: bool,
    form: &Form,
    shape: Shape,
) -> Result<String, String> {
    let names = || {
        let name = |(kind, object): &(Kind, Value)| Named::of(*kind, object).shown() + "\n";
        objects.iter().map(name).collect::<String>()
    };
    let names = matches!(form, Form::Name).then(names).unwrap_or_default();
    let mut objects: Vec<Value> = objects.into_iter().map(|(_, object)| object).collect();
    for object in objects.iter_mut().filter(|_| !shape.managed_fields) {
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
    }
    match form {
        Form::Name => Ok(names),
        Form::Columns(columns) => custom::text(columns, &objects, shape.headers),
        Form::Yaml => Ok(yaml::text(&whole(objects, single))),
        Form::Json => Ok(json_text::pretty(&whole(objects, single)) + "\n"),
        Form::JsonPath(template) => jsonpath::text(template, &whole(objects, single))
            .map_err(|wrong| format!("error executing jsonpath: {wrong}")),
    }
}

/// The one object that was asked for, or a list.
fn whole(mut objects: Vec<Value>, single: bool) -> Value {
    match objects.pop() {
        Some(object) if single && objects.is_empty() => object,
        last => {
            objects.extend(last);
            json!({
                "apiVersion": "v1", "kind": "List", "items": objects,
                "metadata": {"resourceVersion": ""},
            })
        }
    }
}

/// Writes text as it is. Whoever stopped reading has what they wanted.
pub(super) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
