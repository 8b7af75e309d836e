//! The network of pods: a switch that all of them are plugged into.
//!
//! The switch is a network namespace of the spawner's own. Nothing of the machine's network is
//! touched, several spawners do not meet, and when the last descriptor of it is closed, be it by
//! kill -9, the kernel takes everything apart.
//!
//! Each pod has a veth pair, made in place: `eth0` in its namespace, the other end in the switch. The
//! ends are not bridged but routed, so that no two pods share a link: there is nothing to sniff, no
//! ARP and no neighbour discovery (both ends have one hardware address and are told not to ask). The
//! switch takes a packet from an end only if its source is the address that is routed to that end
//! (`rp_filter` for IPv4, a rule of nftables for IPv6), whatever a pod with NET_RAW sends.

mod addresses;
mod filter;
mod message;

pub(crate) use addresses::PodAddresses;

use crate::protocol::PodRange;
use crate::sys::netlink::Netlink;
use crate::sys::process;
use addresses::Addresses;
use message::{Batch, Body};
use std::cell::{Cell, RefCell};
use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

/// Try out, in namespaces of a thread of its own, whether pods can have addresses here. Nothing is
/// left of it.
///
/// # Errors
/// What the machine does not give; pods have loopback only then.
pub fn try_out(range: PodRange) -> io::Result<Families> {
    let try_out = move || {
        process::unshare(libc::CLONE_NEWNET)?;
        let switch = Rc::new(Switch::here(range)?);
        process::unshare(libc::CLONE_NEWNET)?;
        let own = OwnedFd::from(File::open("/proc/thread-self/ns/net")?);
        Switch::plug(&switch, &own)?;
        Ok(if switch.with_6 { Families::Both } else { Families::Ipv4 })
    };
    let thread = std::thread::Builder::new().spawn(try_out)?;
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the trial broke off")))
}

/// Which addresses pods have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// One of IPv4.
    Ipv4,
    /// One of IPv4 and one of IPv6.
    Both,
}

/// Written once in the switch, which forwards what has the right source and nothing else.
const SWITCH_SETTINGS: [(&str, &str); 5] = [
    ("/proc/sys/net/ipv4/ip_forward", "1"),
    ("/proc/sys/net/ipv4/conf/all/rp_filter", "1"),
    ("/proc/sys/net/ipv4/conf/all/accept_redirects", "0"),
    ("/proc/sys/net/ipv4/conf/all/send_redirects", "0"),
    ("/proc/sys/net/ipv4/conf/all/accept_source_route", "0"),
];

/// The same for IPv6. Links get no addresses by themselves, look for no routers and are none, so
/// that nothing is sent that no pod asked for; whether to forward is one setting for all.
const SWITCH_SETTINGS_6: [(&str, &str); 5] = [
    ("/proc/sys/net/ipv6/conf/all/forwarding", "1"),
    ("/proc/sys/net/ipv6/conf/default/forwarding", "0"),
    ("/proc/sys/net/ipv6/conf/default/accept_ra", "0"),
    ("/proc/sys/net/ipv6/conf/default/accept_redirects", "0"),
    NO_OWN_ADDRESSES,
];

const NO_OWN_ADDRESSES: (&str, &str) = ("/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1");

/// The name of a pod's link.
const POD_LINK: &str = "eth0";

/// The index of a pod's link in its namespace, beyond those that the kernel gives.
const POD_LINK_INDEX: u32 = 100;

/// The index of the first pod's link in the switch.
const SWITCH_LINK_INDEX_MIN: u32 = 1000;

/// The index of `lo` in every namespace.
const LOOPBACK_INDEX: u32 = 1;

/// The hardware address of both ends of every pair: what one sends is for the other.
const HARDWARE_ADDRESS: [u8; 6] = [0x02, b'c', b'o', b'r', b'a', b'c'];

/// Where pods send everything: nobody has these addresses, and nobody is asked for them.
const GATEWAY: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(169, 254, 1, 1), Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1));

/// The middle of the pods' network.
#[derive(Debug)]
pub(crate) struct Switch {
    /// What its addresses are of.
    pub(crate) range: PodRange,
    /// Keeps the namespace.
    _namespace: OwnedFd,
    socket: Netlink,
    addresses: RefCell<Addresses>,
    /// Whether pods have addresses of IPv6.
    with_6: bool,
    /// The index of the next link; none is used again, so that one that is still being taken apart is
    /// in nobody's way.
    link: Cell<u32>,
}

/// A pod's place at the switch. Its address is free when this is dropped.
#[derive(Debug)]
pub(crate) struct Port {
    switch: Rc<Switch>,
    number: u32,
    /// What its namespace was configured by. The kernel takes its time to forget one that is closed,
    /// and a namespace in which it counts more than [`Port::SOCKETS`] is not clean.
    socket: Netlink,
}

impl Switch {
    /// Make one out of the new network namespace that this process is in.
    pub(crate) fn here(range: PodRange) -> io::Result<Switch> {
        let invalid = |text| io::Error::new(io::ErrorKind::InvalidInput, text);
        let addresses = Addresses::new(range).map_err(invalid)?;
        let namespace = OwnedFd::from(File::open("/proc/thread-self/ns/net")?);
        process::loopback_up()?;
        for (path, value) in SWITCH_SETTINGS {
            fs::write(path, value)?;
        }
        let ready_6 = || {
            SWITCH_SETTINGS_6.iter().try_for_each(|(path, value)| fs::write(path, value))?;
            filter::refuse_forged_sources()
        };
        let with_6 = range.v6.is_some()
            && ready_6().inspect_err(|error| complain!("no IPv6 for pods: {error}")).is_ok();
        let socket = Netlink::open(libc::NETLINK_ROUTE)?;
        let mut batch = Batch::default();
        for address in addresses.switch(with_6).all() {
            add_address(&mut batch, address, LOOPBACK_INDEX);
        }
        send(&socket, batch)?;
        let link = Cell::new(SWITCH_LINK_INDEX_MIN);
        let addresses = RefCell::new(addresses);
        Ok(Switch { range, _namespace: namespace, socket, addresses, with_6, link })
    }

    /// Plug in the new network namespace that this process is in, known to it as `namespace`.
    pub(crate) fn plug(switch: &Rc<Switch>, namespace: &OwnedFd) -> io::Result<Port> {
        if switch.with_6 {
            fs::write(NO_OWN_ADDRESSES.0, NO_OWN_ADDRESSES.1)?;
        }
        let Some(number) = switch.addresses.borrow_mut().take() else {
            let (base, bits) = switch.range.v4;
            return Err(io::Error::other(format!("all pod addresses of {base}/{bits} are taken")));
        };
        let socket = Netlink::open(libc::NETLINK_ROUTE);
        let socket = socket.inspect_err(|_| switch.addresses.borrow_mut().give(number))?;
        let port = Port { switch: Rc::clone(switch), number, socket };
        let addresses = port.addresses();
        let link = switch.link.get();
        let mut outside = Batch::default();
        add_pair(&mut outside, link, namespace);
        let mut inside = Batch::default();
        bring_up(&mut inside, POD_LINK_INDEX);
        for address in addresses.all() {
            add_route(&mut outside, Some(address), link, None);
            add_address(&mut inside, address, POD_LINK_INDEX);
        }
        add_route(&mut inside, None, POD_LINK_INDEX, Some(GATEWAY.0.into()));
        if addresses.v6.is_some() {
            add_route(&mut inside, None, POD_LINK_INDEX, Some(GATEWAY.1.into()));
        }
        send(&switch.socket, outside)?;
        send(&port.socket, inside)?;
        switch.link.set(link + 1);
        Ok(port)
    }
}

impl Switch {
    /// Whether no pod was ever plugged in.
    pub(crate) fn is_unused(&self) -> bool {
        self.link.get() == SWITCH_LINK_INDEX_MIN
    }
}

impl Port {
    /// Sockets of the spawner's in a namespace with a port.
    pub(crate) const SOCKETS: u64 = 1;

    /// What the pod there is reached by.
    pub(crate) fn addresses(&self) -> PodAddresses {
        self.switch.addresses.borrow().of(self.number, self.switch.with_6)
    }

    /// What its addresses are of.
    pub(crate) fn range(&self) -> PodRange {
        self.switch.range
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // The link goes with the pod's namespace. Should that be later, it is of no use any more as
        // soon as another pod gets the address: the route leads to that one.
        self.switch.addresses.borrow_mut().give(self.number);
    }
}

fn send(socket: &Netlink, mut batch: Batch) -> io::Result<()> {
    batch.acknowledge();
    let (bytes, last) = batch.bytes();
    socket.send(bytes, last)
}

const CREATE: libc::c_int = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
const REPLACE: libc::c_int = libc::NLM_F_CREATE | libc::NLM_F_REPLACE;

/// A veth pair: one end here and up, the other in a namespace, where it is made. It cannot be up before
/// there is a pair.
fn add_pair(batch: &mut Batch, index: u32, namespace: &OwnedFd) {
    batch.add(libc::RTM_NEWLINK, CREATE, |body| {
        link(body, index, libc::IFF_UP, &format!("pod{index}"));
        body.nest(libc::IFLA_LINKINFO, |body| {
            body.text(libc::IFLA_INFO_KIND, "veth");
            body.nest(libc::IFLA_INFO_DATA, |body| {
                body.nest(VETH_INFO_PEER, |body| {
                    link(body, POD_LINK_INDEX, 0, POD_LINK);
                    let fd = namespace.as_raw_fd().to_ne_bytes();
                    body.attribute(libc::IFLA_NET_NS_FD, &fd);
                });
            });
        });
    });
}

/// `VETH_INFO_PEER`
const VETH_INFO_PEER: u16 = 1;

/// A link that asks for no hardware addresses, with further flags.
fn link(body: &mut Body, index: u32, flags: libc::c_int, name: &str) {
    link_flags(body, index, flags | libc::IFF_NOARP);
    body.text(libc::IFLA_IFNAME, name);
    body.attribute(libc::IFLA_ADDRESS, &HARDWARE_ADDRESS);
}

fn bring_up(batch: &mut Batch, index: u32) {
    batch.add(libc::RTM_NEWLINK, 0, |body| link_flags(body, index, libc::IFF_UP));
}

fn link_flags(body: &mut Body, index: u32, flags: libc::c_int) {
    // Family, padding, type.
    body.raw(&[0; 4]);
    body.raw(&index.to_ne_bytes());
    // The flags, and which of them are meant.
    body.raw(&flags.to_ne_bytes());
    body.raw(&flags.to_ne_bytes());
}

/// An address of a link, of nobody else on it.
fn add_address(batch: &mut Batch, address: IpAddr, index: u32) {
    let (family, bits, bytes) = parts(address);
    // Nobody can have the same, so IPv6 need not ask around.
    let flags = if address.is_ipv6() { libc::IFA_F_NODAD } else { 0 };
    let flags = u8::try_from(flags).expect("a low bit");
    batch.add(libc::RTM_NEWADDR, CREATE, |body| {
        body.raw(&[family, bits, flags, libc::RT_SCOPE_UNIVERSE]);
        body.raw(&index.to_ne_bytes());
        body.attribute(libc::IFA_LOCAL, &bytes);
        body.attribute(libc::IFA_ADDRESS, &bytes);
    });
}

/// A route to one address, or to everything, by a link and perhaps a gateway beyond it.
fn add_route(batch: &mut Batch, to: Option<IpAddr>, index: u32, gateway: Option<IpAddr>) {
    let is_6 = to.or(gateway).is_some_and(|address| address.is_ipv6());
    let family = family(is_6);
    let to = to.map(parts);
    let bits = to.as_ref().map_or(0, |(_, bits, _)| *bits);
    let scope =
        if gateway.is_some() || is_6 { libc::RT_SCOPE_UNIVERSE } else { libc::RT_SCOPE_LINK };
    let flags = if gateway.is_some() { RTNH_F_ONLINK } else { 0 };
    batch.add(libc::RTM_NEWROUTE, REPLACE, |body| {
        body.raw(&[family, bits, 0, 0, libc::RT_TABLE_MAIN, libc::RTPROT_STATIC, scope]);
        body.raw(&[libc::RTN_UNICAST]);
        body.raw(&u32::to_ne_bytes(flags));
        if let Some((_, _, bytes)) = &to {
            body.attribute(libc::RTA_DST, bytes);
        }
        if let Some(gateway) = gateway {
            body.attribute(libc::RTA_GATEWAY, &parts(gateway).2);
        }
        body.attribute(libc::RTA_OIF, &index.to_ne_bytes());
    });
}

/// `RTNH_F_ONLINK`: the gateway need not be reachable by another route.
const RTNH_F_ONLINK: u32 = 4;

/// Family, bits, bytes.
fn parts(address: IpAddr) -> (u8, u8, Vec<u8>) {
    match address {
        IpAddr::V4(v4) => (family(false), 32, v4.octets().to_vec()),
        IpAddr::V6(v6) => (family(true), 128, v6.octets().to_vec()),
    }
}

fn family(is_6: bool) -> u8 {
    let family = if is_6 { libc::AF_INET6 } else { libc::AF_INET };
    u8::try_from(family).expect("families are small")
}
