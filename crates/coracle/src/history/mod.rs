//! `coracle history`: finished Jobs, also those whose objects are gone; of one Job every run of it, with
//! all attempts of its pods.

mod attempts;
mod table;

use apiserver::HistoryLine;
use bytes::Bytes;

use crate::{
    cli::{self, Report},
    data_dir::Home,
    exit::{Code, Failure},
    link::{self, Visit},
    target::Target,
};

/// Shows the history of the data directory.
pub(crate) async fn history(args: &cli::History) -> Result<Code, Failure> {
    let job = match &args.job {
        None => String::new(),
        Some(text) => match Target::parse(text, true)? {
            Target::Job(name) => name,
            Target::Pod(_) => {
                return Err(Failure::usage("history is kept per job; say job/NAME"));
            }
        },
    };
    let namespace = args.namespace.as_deref().unwrap_or_default();
    let bytes = match Home::existing(&args.data_dir)? {
        Some(home) => read(&home, namespace, &job).await?,
        None => Bytes::new(),
    };
    let lines = parse(&bytes)?;
    if lines.is_empty() {
        let place = match namespace {
            "" => String::new(),
            namespace => format!(" in namespace {namespace:?}"),
        };
        let directory = Home::locate(&args.data_dir)?;
        let of = |what: &str| format!("{what} has finished yet{place} in {}", directory.display());
        if !job.is_empty() {
            return Err(Failure::usage(format!(
                "{}; coracle history lists those that did",
                of(&format!("no job {job:?}"))
            )));
        }
        complain!("{}", of("no job"));
        return Ok(Code::OK);
    }
    if args.output == Report::Json {
        lines.iter().for_each(|line| tell!("{}", attempts::to_json(line)));
        return Ok(Code::OK);
    }
    for row in table::table(&lines) {
        tell!("{row}");
    }
    Ok(Code::OK)
}

/// Reads what the server says of finished Jobs.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<HistoryLine>, Failure> {
    let lines: Result<Vec<HistoryLine>, _> =
        serde_json::Deserializer::from_slice(bytes).into_iter().collect();
    lines.map_err(|error| Failure::engine(format!("the history: {error}")))
}

async fn read(home: &Home, namespace: &str, job: &str) -> Result<Bytes, Failure> {
    let visit = Visit::begin(home).await?;
    let bytes = visit.link().client().history(namespace, job).await;
    visit.end().await;
    bytes.map_err(|error| link::failure(&error))
}
