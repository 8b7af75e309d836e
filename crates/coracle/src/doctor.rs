//! `coracle doctor`: what this machine can and cannot do for containers, with the mend.

use std::{io, net::TcpListener};

use apiserver::TlsEndpoint;
use node::{
    Config,
    host::{self, Check, Machine, Verdict},
};
use spawner::Families;

use crate::{
    cli::{self, LISTEN},
    data_dir::Home,
    exit::{Code, Failure},
    link::Link,
};

/// Looks at the machine and tells. The code says whether containers can run: 125 if not.
pub(crate) async fn doctor(args: &cli::Doctor) -> Result<Code, Failure> {
    let directory = Home::locate(&args.data_dir)?;
    let mut checks = host::checks(&Machine::observe(&directory));
    let endpoint = match Link::existing(&args.data_dir).await? {
        Some((_, link)) => link.client().status().await.ok().and_then(|status| status.endpoint),
        None => None,
    };
    checks.push(pod_network(spawner::try_network(Config::POD_RANGE)));
    checks.push(port(endpoint.as_ref(), TcpListener::bind(LISTEN).map(drop)));
    for line in lines(&checks) {
        tell!("{line}");
    }
    let fails = checks.iter().filter(|check| check.verdict == Verdict::Fail).count();
    if fails == 0 {
        tell!("containers work here; try: coracle run coracle.local/host -- echo hello");
        return Ok(Code::OK);
    }
    tell!(
        "{fails} of {} checks failed: containers do not work here. Plain processes may: coracle run \
         --runtime process …",
        checks.len()
    );
    Ok(Code::ENGINE)
}

/// The port of `coracle up`. One that is taken keeps no container from running.
fn port(endpoint: Option<&TlsEndpoint>, free: io::Result<()>) -> Check {
    let check = |verdict, finding, mend| Check { name: "port", verdict, finding, mend };
    match (endpoint, free) {
        (Some(endpoint), _) => check(Verdict::Ok, format!("served at {}", endpoint.url), ""),
        (None, Ok(())) => check(Verdict::Ok, format!("{LISTEN} is free"), ""),
        (None, Err(error)) => check(
            Verdict::Warn,
            format!("{LISTEN}: {error}"),
            "coracle up --listen 127.0.0.1:0, which takes a free one",
        ),
    }
}

/// Where pods have no addresses, they go on with loopback only.
fn pod_network(tried: io::Result<Families>) -> Check {
    let check =
        |verdict, finding: String, mend| Check { name: "pod network", verdict, finding, mend };
    match tried {
        Ok(Families::Both) => check(Verdict::Ok, "IPv4 and IPv6".into(), ""),
        Ok(Families::Ipv4) => check(
            Verdict::Warn,
            "IPv4 only: the kernel has no IPv6, or no nftables with fib to keep it honest".into(),
            "modprobe nft_fib_ipv6",
        ),
        Err(error) => check(
            Verdict::Warn,
            format!("{error}: pods have loopback only"),
            "give the server CAP_NET_ADMIN and a writable /proc/sys; modprobe veth",
        ),
    }
}

fn lines(checks: &[Check]) -> Vec<String> {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for Check { name, verdict, finding, mend } in checks {
        let mark = match verdict {
            Verdict::Ok => "ok  ",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
        };
        lines.push(format!("{mark}  {name:<width$}  {finding}"));
        if !mend.is_empty() {
            lines.push(format!("      {:<width$}  mend: {mend}", ""));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn each_finding_is_one_line_and_its_mend_stands_below() {
        let check = |name, verdict, finding: &str, mend| Check {
            name,
            verdict,
            finding: finding.to_owned(),
            mend,
        };
        let text = lines(&[
            check("kernel", Verdict::Ok, "6.18", ""),
            check("namespaces", Verdict::Fail, "no user namespaces", "run it with sudo"),
        ]);
        expect![[r#"
            ok    kernel      6.18
            FAIL  namespaces  no user namespaces
                              mend: run it with sudo"#]]
        .assert_eq(&text.join("\n"));
    }

    #[test]
    fn a_pod_network_that_cannot_be_is_a_warning() {
        let results =
            [Ok(Families::Both), Ok(Families::Ipv4), Err(io::ErrorKind::PermissionDenied.into())];
        expect![[r#"
            ok    pod network  IPv4 and IPv6
            warn  pod network  IPv4 only: the kernel has no IPv6, or no nftables with fib to keep it honest
                               mend: modprobe nft_fib_ipv6
            warn  pod network  permission denied: pods have loopback only
                               mend: give the server CAP_NET_ADMIN and a writable /proc/sys; modprobe veth"#]]
        .assert_eq(&lines(&results.map(pod_network)).join("\n"));
    }

    #[test]
    fn a_port_that_others_have_is_a_warning_and_its_own_is_none() {
        let taken = || Err(io::ErrorKind::AddrInUse.into());
        let endpoint = TlsEndpoint { url: "https://a:1".into(), kubeconfig: "/k".into() };
        let text =
            lines(&[port(None, Ok(())), port(None, taken()), port(Some(&endpoint), taken())]);
        expect![[r#"
            ok    port  127.0.0.1:6443 is free
            warn  port  127.0.0.1:6443: address in use
                        mend: coracle up --listen 127.0.0.1:0, which takes a free one
            ok    port  served at https://a:1"#]]
        .assert_eq(&text.join("\n"));
    }
}
