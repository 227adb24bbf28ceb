//! Nothing: this package exists for its dependency list, which pins the sources of the peers.
