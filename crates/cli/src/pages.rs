//! The man pages, made from the command line's own description.

use std::fs;
use std::path::Path;

use clap_mangen::Man;

use crate::arguments;
use crate::failure::{Failure, Outcome, reason};

/// Writes mems.1, mems-run.1 ... into the directory.
pub fn write(directory: &Path) -> Outcome<()> {
    let cannot =
        |path: &Path, e: &std::io::Error| Failure::refused(format!("{}: {}", path.display(), reason(e)));
    fs::create_dir_all(directory).map_err(|e| cannot(directory, &e))?;
    let command = arguments::command();
    let mut all = vec![(String::from("mems"), command.clone())];
    for part in command.get_subcommands() {
        let name = format!("mems-{}", part.get_name());
        // clap wants names that live as long as the program; there are eight of them.
        let name: &'static str = Box::leak(name.into_boxed_str());
        all.push((name.into(), part.clone().name(name).version(env!("CARGO_PKG_VERSION"))));
    }
    for (name, command) in all {
        let mut text = Vec::new();
        let path = directory.join(format!("{name}.1"));
        let written = Man::new(command).render(&mut text).and_then(|()| fs::write(&path, text));
        written.map_err(|e| cannot(&path, &e))?;
    }
    Ok(())
}
