//! The MeMS engine below the exported symbols: everything libmems.so does, as an ordinary library.
//!
//! The modules are floors; each uses only those above it in this list (the list is checked by
//! `tests/floors.rs`).
#![no_std]

#[macro_use]
mod thread_word;

pub mod account;
pub mod block;
pub mod borrower;
pub mod buffer;
pub mod class;
pub mod count;
pub mod engine;
pub mod foreign;
pub mod fork;
pub mod guard;
pub mod hard;
pub mod heap;
pub mod large;
pub mod ledger;
pub mod listen;
pub mod live;
pub mod loans;
pub mod lock;
pub mod marks;
pub mod misuse;
pub mod mode;
pub mod nodes;
pub mod os;
pub mod packet;
pub mod pagemap;
pub mod pile;
pub mod pool;
pub mod posix;
pub mod profile;
pub mod registry;
pub mod remote;
pub mod report;
pub mod say;
pub mod secret;
pub mod shared;
pub mod shelf;
pub mod site;
pub mod slab;
pub mod snapshot;
pub mod stack;
pub mod syscall;
pub mod tls;
pub mod vspace;
pub mod whole;
