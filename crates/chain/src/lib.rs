//! The heart of the MeMS engine: a main chain of regions, each with a sub-chain of PROCESS and HOLE segments.
#![no_std]
#![forbid(unsafe_code)]
