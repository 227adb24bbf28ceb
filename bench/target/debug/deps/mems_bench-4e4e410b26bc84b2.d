/work/wt/rev/bench/target/debug/deps/mems_bench-4e4e410b26bc84b2.d: /work/wt/rev/clippy.toml src/main.rs src/figures.rs src/peers.rs src/plot.rs src/record.rs src/report.rs src/rows.rs src/run.rs src/sections.rs src/table.rs Cargo.toml

/work/wt/rev/bench/target/debug/deps/libmems_bench-4e4e410b26bc84b2.rmeta: /work/wt/rev/clippy.toml src/main.rs src/figures.rs src/peers.rs src/plot.rs src/record.rs src/report.rs src/rows.rs src/run.rs src/sections.rs src/table.rs Cargo.toml

/work/wt/rev/clippy.toml:
src/main.rs:
src/figures.rs:
src/peers.rs:
src/plot.rs:
src/record.rs:
src/report.rs:
src/rows.rs:
src/run.rs:
src/sections.rs:
src/table.rs:
Cargo.toml:

# env-dep:CARGO_PKG_DESCRIPTION=Measures libmems.so beside other allocators: rows x allocators, CPU time and peak RSS
# env-dep:CARGO_PKG_NAME=mems-bench
# env-dep:CARGO_PKG_VERSION=0.1.0
# env-dep:CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
# env-dep:CLIPPY_CONF_DIR
