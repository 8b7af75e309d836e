//! Which addresses there are for pods, and which is next: the one that nobody has had for longest.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::protocol::PodRange;

/// Addresses that are told apart at most; a larger range is used from its beginning.
const COUNT_MAX: u32 = 65_536;

/// What is reserved at the beginning of a range: its name, and the address of the switch.
const RESERVED: u32 = 2;

/// The addresses of pods, by numbers that begin with 0.
#[derive(Debug)]
pub(super) struct Addresses {
    range: PodRange,
    /// The first that nobody has had so far.
    next: u32,
    count: u32,
    /// Those that somebody had, in the order they were given back.
    free: VecDeque<u32>,
}

impl Addresses {
    /// None is taken.
    ///
    /// # Errors
    /// What is wrong with the range.
    pub(super) fn new(range: PodRange) -> Result<Addresses, String> {
        let check =
            |bits: u8, of: u8, aligned: bool, text: String| match (of - bits.min(of), aligned) {
                (host, true) if (2..=of - 2).contains(&host) => Ok(host),
                (_, true) => {
                    Err(format!("{text}: a range of pods leaves 2 to {} bits to them", of - 2))
                }
                (_, false) => Err(format!("{text} has bits beyond its prefix")),
            };
        let PodRange { v4: (v4, bits4), v6 } = range;
        let below = |bits: u8| u32::MAX.checked_shr(bits.into()).unwrap_or(0);
        let host = check(bits4, 32, v4.to_bits() & below(bits4) == 0, format!("{v4}/{bits4}"))?;
        let mut count = 1_u32.checked_shl(host.into()).unwrap_or(u32::MAX);
        if let Some((v6, bits6)) = v6 {
            let below = u128::MAX.checked_shr(bits6.into()).unwrap_or(0);
            let text = format!("{v6}/{bits6}");
            let host = check(bits6, 128, v6.to_bits() & below == 0, text)?;
            count = count.min(1_u32.checked_shl(host.into()).unwrap_or(u32::MAX));
        }
        // The last one is the broadcast address of IPv4.
        let count = count.min(COUNT_MAX + RESERVED + 1) - RESERVED - 1;
        Ok(Addresses { range, next: 0, count, free: VecDeque::new() })
    }

    /// The one that rested longest; nobody has had those that were never given.
    pub(super) fn take(&mut self) -> Option<u32> {
        if self.next < self.count {
            self.next += 1;
            return Some(self.next - 1);
        }
        self.free.pop_front()
    }

    /// Take one back.
    pub(super) fn give(&mut self, number: u32) {
        self.free.push_back(number);
    }

    /// What a number stands for; IPv6 only on request.
    pub(super) fn of(&self, number: u32, with_6: bool) -> PodAddresses {
        self.at(number + RESERVED, with_6)
    }

    /// That of the switch: what pods see of it.
    pub(super) fn switch(&self, with_6: bool) -> PodAddresses {
        self.at(RESERVED - 1, with_6)
    }

    fn at(&self, offset: u32, with_6: bool) -> PodAddresses {
        let v4 = Ipv4Addr::from_bits(self.range.v4.0.to_bits() + offset);
        let v6 = self.range.v6.filter(|_| with_6);
        let v6 = v6.map(|(base, _)| Ipv6Addr::from_bits(base.to_bits() + u128::from(offset)));
        PodAddresses { v4, v6 }
    }
}

/// The addresses of one pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PodAddresses {
    pub(crate) v4: Ipv4Addr,
    pub(crate) v6: Option<Ipv6Addr>,
}

impl PodAddresses {
    /// The chief one first.
    pub(crate) fn all(&self) -> Vec<IpAddr> {
        std::iter::once(self.v4.into()).chain(self.v6.map(IpAddr::from)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(v4: &str, bits: u8, v6: Option<(&str, u8)>) -> PodRange {
        let v6 = v6.map(|(v6, bits)| (v6.parse().unwrap(), bits));
        PodRange { v4: (v4.parse().unwrap(), bits), v6 }
    }

    #[test]
    fn one_that_was_given_back_is_given_after_all_others() {
        let mut addresses = Addresses::new(range("10.0.0.0", 29, None)).unwrap();
        let taken: Vec<_> = std::iter::from_fn(|| addresses.take()).collect();
        assert_eq!(taken, [0, 1, 2, 3, 4]);
        addresses.give(3);
        addresses.give(0);
        assert_eq!(
            [addresses.take(), addresses.take(), addresses.take()],
            [Some(3), Some(0), None]
        );
    }

    #[test]
    fn names_and_broadcasts_are_nobodys() {
        let addresses = Addresses::new(range("10.0.0.0", 29, Some(("fd00::", 64)))).unwrap();
        let text = |of: PodAddresses| of.all().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(text(addresses.switch(true)), ["10.0.0.1", "fd00::1"]);
        assert_eq!(text(addresses.of(0, true)), ["10.0.0.2", "fd00::2"]);
        assert_eq!(text(addresses.of(4, false)), ["10.0.0.6"]);
    }

    #[test]
    fn a_range_must_be_one_and_leave_room() {
        let wrong = |v4, bits, v6| Addresses::new(range(v4, bits, v6)).unwrap_err();
        assert_eq!(wrong("10.0.0.1", 24, None), "10.0.0.1/24 has bits beyond its prefix");
        let text = "10.0.0.0/31: a range of pods leaves 2 to 30 bits to them";
        assert_eq!(wrong("10.0.0.0", 31, None), text);
        assert!(wrong("0.0.0.0", 0, None).contains("leaves"));
        assert!(wrong("10.0.0.0", 24, Some(("fd00::1", 64))).contains("beyond"));
        let largest = Addresses::new(range("10.0.0.0", 8, Some(("fd00::", 8)))).unwrap();
        assert_eq!(largest.count, COUNT_MAX);
    }
}
