//! The allocators under test: the C library's own, MeMS, and the peers that scripts/bench-peers.sh listed. A peer is a library
//! to preload and an environment; it never changes the command that runs.

use crate::Options;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One column of the tables.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Peer {
    /// Column name, unique.
    pub name: String,
    /// Version as its makers write it.
    pub version: String,
    /// Where it came from: crate, Debian package, this repository.
    pub origin: String,
    /// What is preloaded; `None` for the C library's own malloc.
    pub library: Option<PathBuf>,
    /// Environment that goes with it.
    pub environment: Vec<(String, String)>,
}

/// The name, or the beginning of the name, of MeMS with MEMS_HARDEN=1.
pub const HARDENED: &str = "mems-hard";
/// The same with MEMS_HUGEPAGES=1.
const HUGE: &str = "mems-huge";

/// MeMS counts and writes its dump in every row, as it does for everyone; only the dump's place is a file.
fn counting() -> Vec<(String, String)> {
    vec![("MEMS_STATS".into(), "summary".into()), ("MEMS_STATS_FILE".into(), "/dev/null".into())]
}

/// Standard output of a command, or "unknown": versions are told, never needed.
pub fn answer(program: &str, arguments: &[&str]) -> String {
    let out = Command::new(program).args(arguments).output();
    let text = out.ok().and_then(|out| String::from_utf8(out.stdout).ok()).unwrap_or_default();
    match text.lines().next() {
        Some(line) if !line.trim().is_empty() => line.trim().to_string(),
        _ => "unknown".into(),
    }
}

fn plain(name: &str, version: String, origin: &str, library: Option<PathBuf>) -> Peer {
    let mut environment = if name.starts_with("mems") { counting() } else { Vec::new() };
    if name.starts_with(HARDENED) {
        environment.push(("MEMS_HARDEN".into(), "1".into()));
    }
    if name.starts_with(HUGE) {
        environment.push(("MEMS_HUGEPAGES".into(), "1".into()));
    }
    Peer { name: name.into(), version, origin: origin.into(), library, environment }
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize()
        .map_err(|e| format!("{}: {e} (build it first: make, scripts/bench-peers.sh)", path.display()))
}

fn all(options: &Options) -> Result<Vec<Peer>, String> {
    let mut peers = vec![plain(
        "glibc",
        answer("getconf", &["GNU_LIBC_VERSION"]).replace("glibc ", ""),
        "the C library",
        None,
    )];
    if options.mems.exists() {
        let commit = answer("git", &["log", "-1", "--format=%h"]);
        let library = Some(absolute(&options.mems)?);
        peers.push(plain("mems", commit.clone(), "this repository", library.clone()));
        peers.push(plain(HARDENED, commit.clone(), "the same, MEMS_HARDEN=1", library.clone()));
        peers.push(plain(HUGE, commit, "the same, MEMS_HUGEPAGES=1", library));
    }
    for lib in &options.libs {
        let (name, path) = lib.split_once('=').ok_or_else(|| format!("--lib {lib}: want NAME=PATH"))?;
        peers.push(plain(name, String::new(), path, Some(absolute(Path::new(path))?)));
    }
    let list = options.target.join("peers/list");
    let text = std::fs::read_to_string(&list)
        .map_err(|e| format!("{}: {e} (run scripts/bench-peers.sh)", list.display()))?;
    for line in text.lines() {
        let [name, path, version, origin] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("{}: bad line: {line}", list.display()));
        };
        let peer = plain(name, version.into(), origin, Some(absolute(Path::new(path))?));
        let huge_pages = name == "mimalloc3" || name == "mimalloc2";
        peers.push(peer.clone());
        if huge_pages {
            let environment = vec![("MIMALLOC_ALLOW_THP".into(), "0".into())];
            peers.push(Peer {
                name: format!("{name}-4k"),
                origin: "the same, MIMALLOC_ALLOW_THP=0".into(),
                environment,
                ..peer
            });
        }
    }
    Ok(peers)
}

/// Peers that a machine may lack: asked for and not there, they are left out with a word, not an error.
const OPTIONAL: &[&str] = &["tcmalloc", "mimalloc-deb", "jemalloc-deb"];

/// The peers that the options name, in table order; glibc is always among them, since ratios need it.
pub fn chosen(options: &Options) -> Result<Vec<Peer>, String> {
    let peers = all(options)?;
    for name in options.peers.iter().filter(|name| !peers.iter().any(|peer| peer.name == **name)) {
        if OPTIONAL.contains(&name.as_str()) {
            eprintln!("mems-bench: {name} is not installed and left out");
            continue;
        }
        let names: Vec<_> = peers.iter().map(|peer| peer.name.as_str()).collect();
        return Err(format!("no allocator {name} here; there are {}", names.join(", ")));
    }
    let extra = |name: &String| options.libs.iter().any(|lib| lib.starts_with(&format!("{name}=")));
    let wanted = |peer: &Peer| {
        let named = options.peers.contains(&peer.name) || extra(&peer.name);
        options.peers.is_empty() || peer.name == "glibc" || named
    };
    Ok(peers.into_iter().filter(wanted).collect())
}
