//! Pods have addresses, reach each other, and can neither take nor forge those of others.

use crate::harness::{DEFAULT_CAPABILITIES, Harness, log_path, wait_for_text};
use spawner::protocol::{
    AddressWords, Container, ContainerFile, ContainerId, PodRange, Request, Running,
};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

/// Where the addresses of these tests come from. The machine does not see them.
const RANGE: PodRange = PodRange {
    v4: (Ipv4Addr::new(10, 77, 0, 0), 16),
    v6: Some((Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 0), 64)),
};

fn with_addresses(container: &mut Container) {
    container.addresses = Some(RANGE);
}

/// `None` where a test of this file cannot run.
fn harness() -> Option<Harness> {
    let spawner = Harness::new()?;
    let there = fs::metadata("/usr/bin/python3").is_ok();
    if !there {
        eprintln!("SKIPPED: no python3");
    }
    there.then_some(spawner)
}

/// A pod that runs until it is killed.
struct Pod {
    id: ContainerId,
    running: Running,
    log: PathBuf,
}

impl Pod {
    /// Start one, and wait until it prints `ready`.
    fn start(
        spawner: &mut Harness,
        name: &str,
        python: &str,
        change: impl FnOnce(&mut Container),
    ) -> Pod {
        let script = format!("exec /usr/bin/python3 -u -c '\n{PRELUDE}\n{python}'");
        let mut start = spawner.isolated(name, &script, |container| {
            with_addresses(container);
            change(container);
        });
        start.id.pod = name.to_owned();
        let log = log_path(&start.log);
        let id = spawner.start(start);
        let running = spawner.started(&id);
        wait_for_text(&log, "ready");
        Pod { id, running, log }
    }

    fn addresses(&self) -> [IpAddr; 2] {
        self.running.addresses.clone().try_into().expect("one of each family")
    }

    fn end(self, spawner: &mut Harness) {
        spawner.send(&Request::Kill { id: self.id.clone() });
        spawner.ended(&self.id);
    }
}

/// What the programs below have in common.
const PRELUDE: &str = r#"
import fcntl, os, select, socket, struct, time
def say(family, to, text):
    socket.socket(family, socket.SOCK_DGRAM).sendto(text, (to, 99))
def forged(source, to, text):
    udp = struct.pack("!HHHH", 99, 99, 8 + len(text), 0) + text
    if ":" in to:
        udp6 = struct.pack("!IBBBB", 0, 0, 0, 0, 17)
        pack = lambda a: socket.inet_pton(socket.AF_INET6, a)
        # IPv6 insists on a checksum.
        part = pack(source) + pack(to) + struct.pack("!II", len(udp), 17) + udp + b"\0" * (len(udp) % 2)
        total = sum(struct.unpack("!%dH" % (len(part) // 2), part))
        while total >> 16: total = (total & 0xffff) + (total >> 16)
        udp = udp[:6] + struct.pack("!H", ~total & 0xffff or 0xffff) + udp[8:]
        packet = struct.pack("!IHBB", 6 << 28, len(udp), 17, 9) + pack(source) + pack(to) + udp
    else:
        packet = struct.pack("!BBHHHBBH", 69, 0, 20 + len(udp), 1, 0, 9, 17, 0)
        packet += socket.inet_aton(source) + socket.inet_aton(to)
        total = sum(struct.unpack("!10H", packet))
        total = (total & 0xffff) + (total >> 16)
        packet = packet[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + packet[12:] + udp
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind(("eth0", 0))
    own = link.getsockname()[4]
    link.send(own + own + (b"\x86\xdd" if ":" in to else b"\x08\x00") + packet)
"#;

/// Says from whom it hears something.
const LISTENER: &str = r#"
four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); four.bind(("", 99))
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1); six.bind(("", 99))
print("ready")
while True:
    for s in select.select([four, six], [], [])[0]:
        data, sender = s.recvfrom(99)
        print(data.decode(), "from", sender[0], ".")
"#;

/// That a pod hears a last word of another, and has heard nothing else of it.
fn heard(listener: &Pod, last: &str) -> Vec<String> {
    wait_for_text(&listener.log, last);
    let text = fs::read_to_string(&listener.log).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(" stdout F "));
    lines.map(|(_, line)| line.to_owned()).filter(|line| line != "ready").collect()
}

#[test]
fn pods_have_addresses_and_reach_each_other() {
    let Some(mut spawner) = harness() else { return };
    let links = || fs::read_to_string("/proc/net/dev").unwrap().lines().count();
    let (machine, routes) = (links(), fs::read_to_string("/proc/net/route").unwrap());
    let listener = Pod::start(&mut spawner, "listener", LISTENER, |_| {});
    let [four, six] = listener.addresses();
    assert_eq!([four.to_string(), six.to_string()], ["10.77.0.2", "fd77::2"]);
    let talk = format!(
        r#"
say(socket.AF_INET, "{four}", b"hello"); say(socket.AF_INET6, "{six}", b"hello")
print("ready"); time.sleep(1000)"#
    );
    let talker = Pod::start(&mut spawner, "talker", &talk, |_| {});
    for address in talker.addresses() {
        wait_for_text(&listener.log, &format!("hello from {address} ."));
    }
    assert_eq!(links(), machine, "the machine has no link more");
    assert_eq!(fs::read_to_string("/proc/net/route").unwrap(), routes);
    talker.end(&mut spawner);
    listener.end(&mut spawner);
}

#[test]
fn a_forged_source_reaches_nobody() {
    let Some(mut spawner) = harness() else { return };
    let listener = Pod::start(&mut spawner, "listener", LISTENER, |_| {});
    let victim = Pod::start(&mut spawner, "victim", "print(\"ready\"); time.sleep(1000)", |_| {});
    let pairs = listener.addresses().into_iter().zip(victim.addresses());
    for (to, of_victim) in pairs {
        let (name, nobody, family, own) = match to {
            IpAddr::V4(_) => ("forger4", "10.77.9.9", "AF_INET", "10.77.0.4"),
            IpAddr::V6(_) => ("forger6", "fd77::99", "AF_INET6", "fd77::4"),
        };
        let forge = format!(
            r#"
for source in ["{of_victim}", "{nobody}", "{to}"]: forged(source, "{to}", b"lie")
forged("{own}", "{to}", b"truth"); say(socket.{family}, "{to}", b"{family} over")
print("ready"); time.sleep(1000)"#
        );
        let forger = Pod::start(&mut spawner, name, &forge, |_| {});
        assert!(forger.addresses().iter().any(|address| address.to_string() == own));
        let lines = heard(&listener, &format!("{family} over"));
        assert!(lines.contains(&format!("truth from {own} .")), "{lines:?}");
        assert!(!lines.iter().any(|line| line.starts_with("lie")), "{lines:?}");
        forger.end(&mut spawner);
    }
    victim.end(&mut spawner);
    listener.end(&mut spawner);
}

/// With NET_ADMIN a pod may give itself any address, but gets nothing of whom it belongs to, and
/// cannot speak for it.
#[test]
fn an_address_cannot_be_taken_from_another() {
    let Some(mut spawner) = harness() else { return };
    let listener = Pod::start(&mut spawner, "listener", LISTENER, |_| {});
    let [four, _] = listener.addresses();
    let take = format!(
        r#"
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8916, struct.pack("16sHH4s8s", b"eth0", socket.AF_INET, 0, socket.inet_aton("{four}"), b""))
{LISTENER}"#
    );
    let thief = Pod::start(&mut spawner, "thief", &take, |container| {
        container.capabilities = DEFAULT_CAPABILITIES | 1 << 12;
    });
    let talk =
        format!("say(socket.AF_INET, \"{four}\", b\"secret\"); print(\"ready\"); time.sleep(1000)");
    let talker = Pod::start(&mut spawner, "talker", &talk, |_| {});
    let [from, _] = talker.addresses();
    assert_eq!(heard(&listener, "secret"), [format!("secret from {from} .")]);
    assert_eq!(heard(&thief, "ready"), Vec::<String>::new());
    for pod in [talker, thief, listener] {
        pod.end(&mut spawner);
    }
}

/// Neither what others say to each other nor answers to lies about who has which address: the first
/// packet that comes is for the sniffer itself.
#[test]
fn there_is_nothing_to_sniff() {
    let Some(mut spawner) = harness() else { return };
    let sniff = r#"
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
link.bind(("eth0", 3))
own, here = link.getsockname()[4], socket.inet_aton
arp = struct.pack("!HHBBH6s4s6s4s", 1, 0x800, 6, 4, 1, own, here("10.77.0.3"), own, here("10.77.0.4"))
link.send(b"\xff" * 6 + own + b"\x08\x06" + arp)
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(("", 99))
print("ready")
while True:
    packet, (_, _, kind, _, _) = link.recvfrom(2048)
    if kind != socket.PACKET_OUTGOING: print(packet[42:].decode("latin1"), packet[:42].hex())"#;
    let sniffer = Pod::start(&mut spawner, "sniffer", sniff, |_| {});
    let [of_sniffer, _] = sniffer.addresses();
    let listener = Pod::start(&mut spawner, "listener", LISTENER, |_| {});
    let [four, six] = listener.addresses();
    let talk = format!(
        r#"
say(socket.AF_INET, "{four}", b"secret"); say(socket.AF_INET6, "{six}", b"secret")
say(socket.AF_INET, "{of_sniffer}", b"over"); print("ready"); time.sleep(1000)"#
    );
    let talker = Pod::start(&mut spawner, "talker", &talk, |_| {});
    let lines = heard(&sniffer, "over");
    assert!(lines.len() == 1 && lines[0].starts_with("over "), "{lines:?}");
    for pod in [talker, listener, sniffer] {
        pod.end(&mut spawner);
    }
}

#[test]
fn an_address_rests_with_its_namespace() {
    let Some(mut spawner) = harness() else { return };
    let wait = "print(\"ready\"); time.sleep(1000)";
    let first = Pod::start(&mut spawner, "first", wait, |_| {});
    let second = Pod::start(&mut spawner, "second", wait, |_| {});
    let (of_first, of_second) = (first.addresses(), second.addresses());
    assert_ne!(of_first, of_second);
    second.end(&mut spawner);
    first.end(&mut spawner);
    let third = Pod::start(&mut spawner, "third", wait, |_| {});
    assert_eq!(third.addresses(), of_second, "the one that has rested longest");
    third.end(&mut spawner);
    let other = PodRange { v4: (Ipv4Addr::new(10, 78, 0, 0), 24), v6: None };
    let pod = Pod::start(&mut spawner, "other", wait, |c| c.addresses = Some(other));
    assert_eq!(pod.running.addresses, ["10.78.0.2".parse::<IpAddr>().unwrap()]);
    pod.end(&mut spawner);
}

#[test]
fn a_container_is_told_the_addresses_of_its_pod() {
    let Some(mut spawner) = harness() else { return };
    let mut start = spawner.isolated("a", "echo $ALL $0; cat /etc/hosts", |container| {
        with_addresses(container);
        container.files = vec![ContainerFile {
            target: "/etc/hosts".to_owned(),
            mode: 0o644,
            text: "127.0.0.1\tlocalhost\n".to_owned(),
            own_names: Some("box".to_owned()),
            end: "# end\n".to_owned(),
            ..ContainerFile::default()
        }];
    });
    start.address_words = Some(AddressWords { first: "<one>".to_owned(), all: "<all>".to_owned() });
    start.env.push("ALL=<all>".to_owned());
    start.argv.push("<one>".to_owned());
    let (_, lines) = spawner.run(start);
    let hosts = ["127.0.0.1\tlocalhost", "10.77.0.2\tbox", "fd77::2\tbox", "# end"];
    let told = std::iter::once("10.77.0.2,fd77::2 10.77.0.2").chain(hosts);
    assert_eq!(lines, told.map(|line| format!("stdout F {line}")).collect::<Vec<_>>());
}

/// What is not there is not missed: the pod has loopback, and says that it has no address.
#[test]
fn without_a_switch_pods_go_on() {
    let Some(mut spawner) = harness() else { return };
    let none = PodRange { v4: (Ipv4Addr::new(10, 77, 0, 1), 16), v6: None };
    let start = spawner.isolated("a", "ls /sys/class/net; exec sleep 1000", |container| {
        container.addresses = Some(none);
    });
    let log = log_path(&start.log);
    let id = spawner.start(start);
    assert_eq!(spawner.started(&id).addresses, [] as [IpAddr; 0]);
    wait_for_text(&log, "lo");
    assert!(!fs::read_to_string(&log).unwrap().contains("eth0"));
    spawner.send(&Request::Kill { id: id.clone() });
    spawner.ended(&id);
}

#[test]
fn a_trial_says_what_pods_get() {
    if harness().is_some() {
        assert_eq!(spawner::try_network(RANGE).unwrap(), spawner::Families::Both);
    }
}
