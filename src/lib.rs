//! libmems.so: what the dynamic linker sees.

mod dlopen;
mod exports;
mod info;
mod mems;
mod operators;
