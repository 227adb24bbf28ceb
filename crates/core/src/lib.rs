//! The MeMS engine below the exported symbols: everything libmems.so does, as an ordinary library.
//!
//! The modules are floors; each uses only those above it in this list (the list is checked by
//! `tests/floors.rs`).
#![no_std]

pub mod buffer;
pub mod class;
pub mod count;
pub mod lock;
pub mod misuse;
pub mod os;
pub mod report;
pub mod say;
