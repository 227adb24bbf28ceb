//! Link flags of libmems.so: it stays loaded once it is (a thread's end and the exit call into it), and its
//! symbols are bound at load, so that no call of ours runs through the lazy binder inside malloc.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete,-z,now");
}
