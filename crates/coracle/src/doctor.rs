//! `coracle doctor`: what this machine can and cannot do for containers, with the mend.

use node::host::{self, Check, Machine, Verdict};

use crate::{
    cli,
    data_dir::Home,
    exit::{Code, Failure},
};

/// Looks at the machine and tells. The code says whether containers can run: 125 if not.
pub(crate) fn doctor(args: &cli::Doctor) -> Result<Code, Failure> {
    let directory = Home::locate(&args.data_dir)?;
    let checks = host::checks(&Machine::observe(&directory));
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
}
