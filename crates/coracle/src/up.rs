//! `coracle up` and the private server behind `coracle run`: who may start a server, and how.

use std::ffi::OsString;

use crate::{
    cli,
    data_dir::Home,
    exit::{Code, Failure},
    server::{self, Config, Mode, Reach},
    start,
};

/// Serves in the foreground, or starts a server that goes on and prints its ready line.
pub(crate) fn up(args: &cli::Up) -> Result<Code, Failure> {
    let home = Home::open(&args.data_dir)?;
    let reach = reach(args, &home)?;
    if !args.listen.ip().is_loopback() {
        complain!(
            "warning: other machines can reach {}; whoever has the key in {} can do everything",
            args.listen,
            reach.kubeconfig.display()
        );
    }
    if !args.detach {
        let config = Config {
            data_dir: home.path().to_owned(),
            reach: Some(reach),
            stop_pods: args.stop_pods,
            turn: Some(home.start_turn()?),
        };
        return server::serve(config, Mode::Up);
    }
    let mut arguments: Vec<OsString> = vec!["up".into()];
    if args.stop_pods {
        arguments.push("--stop-pods".into());
    }
    arguments.extend(["--listen".into(), args.listen.to_string().into()]);
    arguments.extend(["--kubeconfig".into(), reach.kubeconfig.into()]);
    let ready = start::detached(&home, &arguments)?;
    tell!("{ready}");
    Ok(Code::OK)
}

fn reach(args: &cli::Up, home: &Home) -> Result<Reach, Failure> {
    let kubeconfig = match &args.kubeconfig {
        // A server that goes on has another working directory.
        Some(file) => std::path::absolute(file)
            .map_err(|error| Failure::usage(format!("--kubeconfig {}: {error}", file.display())))?,
        None => home.kubeconfig(),
    };
    Ok(Reach { listen: args.listen, kubeconfig })
}

/// Serves on behalf of live runs. In a session of its own: the terminal's signals are meant for the
/// client in front of it.
pub(crate) fn serve_private(args: &cli::DataDir) -> Result<Code, Failure> {
    let home = Home::open(args)?;
    // Fails only where it is a session leader already, which is what it is for.
    let _ = rustix::process::setsid();
    let config =
        Config { data_dir: home.path().to_owned(), reach: None, stop_pods: false, turn: None };
    server::serve(config, Mode::Private)
}
