//! The one rule of nftables in the switch: what comes from a pod with an IPv6 source that is not
//! routed back to it is dropped. IPv4 has a setting for that.

use super::message::{Batch, Body};
use crate::sys::netlink::Netlink;
use std::io;

const TABLE: &str = "coracle";
const CHAIN: &str = "sources";

/// Before connections are tracked and routes looked up.
const PRIORITY: i32 = -300;

// Of <linux/netfilter/nf_tables.h>, which libc has not.
const NFTA_LIST_ELEM: u16 = 1;
const NFTA_TABLE_NAME: u16 = 1;
const NFTA_CHAIN_TABLE: u16 = 1;
const NFTA_CHAIN_NAME: u16 = 3;
const NFTA_CHAIN_HOOK: u16 = 4;
const NFTA_CHAIN_TYPE: u16 = 7;
const NFTA_HOOK_HOOKNUM: u16 = 1;
const NFTA_HOOK_PRIORITY: u16 = 2;
const NFTA_RULE_TABLE: u16 = 1;
const NFTA_RULE_CHAIN: u16 = 2;
const NFTA_RULE_EXPRESSIONS: u16 = 4;
const NFTA_EXPR_NAME: u16 = 1;
const NFTA_EXPR_DATA: u16 = 2;
const NFTA_FIB_DREG: u16 = 1;
const NFTA_FIB_RESULT: u16 = 2;
const NFTA_FIB_FLAGS: u16 = 3;
const NFT_FIB_RESULT_OIF: u32 = 1;
const NFTA_FIB_F_SADDR: u32 = 1;
const NFTA_FIB_F_IIF: u32 = 8;
const NFTA_CMP_SREG: u16 = 1;
const NFTA_CMP_OP: u16 = 2;
const NFTA_CMP_DATA: u16 = 3;
const NFTA_IMMEDIATE_DREG: u16 = 1;
const NFTA_IMMEDIATE_DATA: u16 = 2;
const NFTA_DATA_VALUE: u16 = 1;
const NFTA_DATA_VERDICT: u16 = 2;
const NFTA_VERDICT_CODE: u16 = 1;

/// `AF_INET6`
const FAMILY: u8 = 10;
/// The one that the rule keeps something in.
const REGISTER: u32 = 1;

/// Install it in the network namespace that this process is in, in one transaction.
pub(super) fn refuse_forged_sources() -> io::Result<()> {
    let mut batch = Batch::default();
    add(&mut batch, BATCH_BEGIN, 0, |_| ());
    add(&mut batch, of_nftables(libc::NFT_MSG_NEWTABLE), libc::NLM_F_CREATE, |body| {
        body.text(NFTA_TABLE_NAME, TABLE);
    });
    add(&mut batch, of_nftables(libc::NFT_MSG_NEWCHAIN), libc::NLM_F_CREATE, |body| {
        body.text(NFTA_CHAIN_TABLE, TABLE);
        body.text(NFTA_CHAIN_NAME, CHAIN);
        body.nest(NFTA_CHAIN_HOOK, |body| {
            number(body, NFTA_HOOK_HOOKNUM, 0);
            number(body, NFTA_HOOK_PRIORITY, PRIORITY.cast_unsigned());
        });
        body.text(NFTA_CHAIN_TYPE, "filter");
    });
    let flags = libc::NLM_F_CREATE | libc::NLM_F_APPEND;
    add(&mut batch, of_nftables(libc::NFT_MSG_NEWRULE), flags, |body| {
        body.text(NFTA_RULE_TABLE, TABLE);
        body.text(NFTA_RULE_CHAIN, CHAIN);
        body.nest(NFTA_RULE_EXPRESSIONS, no_way_back);
    });
    // What is acknowledged is the last change; the end of the batch makes all of them.
    batch.acknowledge();
    let last = batch.bytes().1;
    add(&mut batch, BATCH_END, 0, |_| ());
    Netlink::open(libc::NETLINK_NETFILTER)?.send(batch.bytes().0, last)
}

/// `fib saddr . iif oif 0 drop`
fn no_way_back(body: &mut Body) {
    expression(body, "fib", |body| {
        body.attribute(NFTA_FIB_DREG, &REGISTER.to_be_bytes());
        body.attribute(NFTA_FIB_RESULT, &NFT_FIB_RESULT_OIF.to_be_bytes());
        body.attribute(NFTA_FIB_FLAGS, &(NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF).to_be_bytes());
    });
    expression(body, "cmp", |body| {
        number(body, NFTA_CMP_SREG, REGISTER);
        number(body, NFTA_CMP_OP, libc::NFT_CMP_EQ.cast_unsigned());
        body.nest(NFTA_CMP_DATA, |body| number(body, NFTA_DATA_VALUE, 0));
    });
    expression(body, "immediate", |body| {
        number(body, NFTA_IMMEDIATE_DREG, libc::NFT_REG_VERDICT.cast_unsigned());
        body.nest(NFTA_IMMEDIATE_DATA, |body| {
            body.nest(NFTA_DATA_VERDICT, |body| {
                number(body, NFTA_VERDICT_CODE, libc::NF_DROP.cast_unsigned());
            });
        });
    });
}

fn expression(body: &mut Body, name: &str, fill: impl FnOnce(&mut Body)) {
    body.nest(NFTA_LIST_ELEM, |body| {
        body.text(NFTA_EXPR_NAME, name);
        body.nest(NFTA_EXPR_DATA, fill);
    });
}

const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;

/// A message with the part that all of netfilter's have: family, version, and for batches whose.
fn add(batch: &mut Batch, kind: u16, flags: libc::c_int, fill: impl FnOnce(&mut Body)) {
    let subsystem = u16::try_from(libc::NFNL_SUBSYS_NFTABLES).expect("10");
    let (family, whose) =
        if matches!(kind, BATCH_BEGIN | BATCH_END) { (0, subsystem) } else { (FAMILY, 0) };
    batch.add(kind, flags, |body| {
        body.raw(&[family, 0]);
        body.raw(&whose.to_be_bytes());
        fill(body);
    });
}

fn of_nftables(message: libc::c_int) -> u16 {
    u16::try_from(libc::NFNL_SUBSYS_NFTABLES << 8 | message).expect("types are 16 bits")
}

fn number(body: &mut Body, kind: u16, value: u32) {
    body.attribute(kind, &value.to_be_bytes());
}
