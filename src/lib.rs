//! libmems.so: what the dynamic linker sees.

mod dlopen;
