//! libmems.so: what the dynamic linker sees.

mod alloc;
mod counters;
mod daemon;
mod descriptor;
mod dlopen;
mod dump;
mod exec;
mod exit;
mod exports;
mod file;
mod info;
mod live;
mod log;
mod mems;
mod operators;
mod options;
mod place;
mod process;
mod raw;
mod record;
mod start;
mod stats_file;
mod stderr;
