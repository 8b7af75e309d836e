//! `coracle down`: stops the server of the data directory and waits until it let go of it.

use std::{fs::File, time::Duration};

use rustix::fs::{FlockOperation, flock};

use crate::{
    cli,
    data_dir::Home,
    exit::{Code, Failure},
    link::{self, Link},
};

/// How long the server may take to end, in milliseconds; with `--stop-pods` pods have their grace
/// periods, by default 30 s.
const STOP_WAIT_MS: u64 = 60_000;

/// Stops the server.
pub(crate) async fn down(args: &cli::Down) -> Result<Code, Failure> {
    let directory = Home::locate(&args.data_dir)?;
    let Some((home, link)) = Link::existing(&args.data_dir).await? else {
        tell!("no server holds {}", directory.display());
        return Ok(Code::OK);
    };
    let status = link.client().status().await.map_err(|error| link::failure(&error))?;
    let attended = status.runs.iter().filter(|run| !run.detached).count();
    if status.mode == apiserver::Mode::Private && attended > 0 {
        return Err(Failure::engine(format!(
            "the server of {} belongs to {attended} running `coracle run`; cancel those instead",
            directory.display()
        )));
    }
    link.client().stop(args.stop_pods).await.map_err(|error| link::failure(&error))?;
    wait(&home).await?;
    tell!("stopped");
    Ok(Code::OK)
}

/// Waits for the lock that a server holds as long as it lives.
async fn wait(home: &Home) -> Result<(), Failure> {
    let path = home.lock();
    let released = tokio::task::spawn_blocking(move || {
        flock(File::open(path)?, FlockOperation::LockShared)?;
        Ok::<(), std::io::Error>(())
    });
    match tokio::time::timeout(Duration::from_millis(STOP_WAIT_MS), released).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(error))) => Err(Failure::engine(format!("{}: {error}", home.lock().display()))),
        Ok(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
        Err(_) => Err(Failure::engine(format!(
            "the server has not ended after {} s; see {}",
            STOP_WAIT_MS / 1000,
            home.server_log().display()
        ))),
    }
}
