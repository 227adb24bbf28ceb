//! The report of a guarded block's misuse: one line as ever, then where the block was taken and freed, a line a frame.
//!
//! Written from signal handlers too: reads words and /proc/self/maps, allocates nothing, takes no lock.

use super::page::{FREED, LIVE, Page, SET_UP};
use super::{number_of, pages, place};
use crate::misuse::{self, Misuse, Policy};
use crate::os::PAGE;
use crate::{say, site};

/// Of a call that was given `pointer`.
pub fn misuse(wrong: Misuse, pointer: usize, site: usize) {
    let page = &pages()[number_of(pointer)];
    misuse::report_with(wrong, site, || stacks(page));
}

/// Of an access to `address` by the code at `code` (0: not known); `write` says how, where it is known. False when no block
/// was ever near.
pub fn fault(address: usize, code: usize, write: Option<bool>) -> bool {
    let Some(page) = nearest(address) else { return false };
    if misuse::policy() == Policy::Ignore {
        return true;
    }
    let (base, asked) = (page.base(), page.asked());
    let freed = page.state() == FREED;
    say::line(|text| {
        text.text(match (freed, write) {
            (true, Some(true)) => "write after free to 0x",
            (true, Some(false)) => "read after free of 0x",
            (true, None) => "access after free of 0x",
            (false, Some(true)) => "write to 0x",
            (false, Some(false)) => "read of 0x",
            (false, None) => "access to 0x",
        });
        text.hex(address);
        text.text(", ");
        let (distance, how) = match address {
            _ if address < base => (base - address, " in front of the "),
            _ if address < base + asked => (address - base, " inside the "),
            _ => (address - base - asked, " past the end of the "),
        };
        text.number(distance as u64);
        text.text(if distance == 1 { " byte" } else { " bytes" });
        text.text(how);
        text.number(asked as u64);
        text.text("-byte block at 0x");
        text.hex(base);
        if code != 0 {
            text.text(", by 0x");
            text.hex(code);
            site::describe(code, text);
        }
    });
    stacks(page);
    true
}

/// The block that an access to `address` was most likely meant for.
fn nearest(address: usize) -> Option<&'static Page> {
    let number = number_of(address);
    // In a guard page it is the block before or the one behind.
    let around = if address < place(number) { number.saturating_sub(1)..=number } else { number..=number };
    let distance = |page: &&Page| {
        let (low, high) = (page.base(), page.base() + page.asked());
        if address < low { low - address } else { (address + 1).saturating_sub(high) }
    };
    let had = pages()[around].iter().filter(|page| page.state() != SET_UP);
    had.filter(|page| distance(page) < 2 * PAGE).min_by_key(distance)
}

fn stacks(page: &Page) {
    if page.state() == LIVE || page.state() == FREED {
        frames("allocated from", page.taken.frames());
    }
    if page.state() == FREED {
        frames("freed from", page.freed.frames());
    }
}

fn frames(what: &str, frames: impl Iterator<Item = usize>) {
    for (i, frame) in frames.enumerate() {
        say::line(|text| {
            text.text("  ");
            text.text(if i == 0 { what } else { "  from" });
            text.text(" 0x");
            text.hex(frame);
            site::describe(frame, text);
        });
    }
}
