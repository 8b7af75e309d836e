//! `coracle up` and the private server behind `coracle run`: who may start a server, and how.

use crate::{
    cli,
    data_dir::Home,
    exit::{Code, Failure},
    server::{self, Config, Mode},
    start,
};

/// Serves in the foreground, or starts a server that goes on and prints its ready line.
pub(crate) fn up(args: &cli::Up) -> Result<Code, Failure> {
    let home = Home::open(&args.data_dir)?;
    if !args.detach {
        let config = Config {
            data_dir: home.path().to_owned(),
            stop_pods: args.stop_pods,
            turn: Some(home.start_turn()?),
        };
        return server::serve(config, Mode::Up);
    }
    let mut arguments = vec!["up"];
    if args.stop_pods {
        arguments.push("--stop-pods");
    }
    arguments.push("--data-dir");
    let ready = start::detached(&home, &arguments)?;
    tell!("{ready}");
    Ok(Code::OK)
}

/// Serves on behalf of live runs. In a session of its own: the terminal's signals are meant for the
/// client in front of it.
pub(crate) fn serve_private(args: &cli::DataDir) -> Result<Code, Failure> {
    let home = Home::open(args)?;
    // Fails only where it is a session leader already, which is what it is for.
    let _ = rustix::process::setsid();
    let config = Config { data_dir: home.path().to_owned(), stop_pods: false, turn: None };
    server::serve(config, Mode::Private)
}
