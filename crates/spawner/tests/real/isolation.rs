//! What an isolated container sees and does not see.

use crate::harness::Harness;

#[test]
fn it_is_alone_in_its_namespaces() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "echo $$; hostname; id -u; cat /proc/self/mountinfo >&2; ls -la / /dev; cat /proc/net/dev; ps ax";
    let start = spawner.isolated("a", script, |_| {});
    let (end, lines) = spawner.run(start);
    println!("{}", lines.join("\n"));
    assert_eq!(end.code, Some(0));
}
