//! ARCHITECTURE.md and README.md against the code: every module is named, `unsafe` stands where it is allowed, every
//! option is listed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The rows of the table of modules behind `heading`: name, and whether `unsafe` is allowed there.
fn rows(heading: &str) -> BTreeMap<String, bool> {
    let page = text("ARCHITECTURE.md");
    let part = page.split(heading).nth(1).expect("the heading is there");
    let table =
        part.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    table
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let name = cells[1].strip_prefix('`')?.strip_suffix('`')?;
            Some((name.to_string(), cells[3] != "–"))
        })
        .collect()
}

/// The files of each module of `src`: `report/json.rs` is part of report.
fn modules(src: &Path) -> BTreeMap<String, Vec<PathBuf>> {
    let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let mut folders = vec![src.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder is read").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let inside = path.strip_prefix(src).expect("the file is in src");
                let first = inside.components().next().expect("a part").as_os_str().to_string_lossy();
                found.entry(first.trim_end_matches(".rs").to_string()).or_default().push(path);
            }
        }
    }
    found.remove("lib");
    found
}

/// Whether code outside comments, strings and the file's own tests says `unsafe`.
fn is_unsafe(path: &Path) -> bool {
    let source = std::fs::read_to_string(path).expect("the file is read");
    let source = source.split("#[cfg(test)]").next().unwrap_or(&source);
    source.lines().any(|line| {
        let code = line.split("//").next().unwrap_or(line);
        let code: String = code.split('"').step_by(2).collect();
        code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
    })
}

fn holds(heading: &str, src: &str) {
    let (rows, modules) = (rows(heading), modules(&root().join(src)));
    let mut wrong = Vec::new();
    for (name, files) in &modules {
        let Some(&allowed) = rows.get(name) else {
            wrong.push(format!("{src}/{name} is not in ARCHITECTURE.md"));
            continue;
        };
        for file in files.iter().filter(|file| !allowed && is_unsafe(file)) {
            wrong.push(format!("{}: ARCHITECTURE.md allows no unsafe here", file.display()));
        }
        if allowed && !files.iter().any(|file| is_unsafe(file)) {
            wrong.push(format!("{src}/{name} has no unsafe, but ARCHITECTURE.md says what for"));
        }
    }
    wrong.extend(
        rows.keys()
            .filter(|name| !modules.contains_key(*name))
            .map(|name| format!("{name} is in ARCHITECTURE.md only")),
    );
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_module_of_core_is_in_the_table_and_unsafe_only_where_it_says() {
    holds("**crates/core**", "crates/core/src");
}

#[test]
fn every_module_of_the_root_is_in_the_table_and_unsafe_only_where_it_says() {
    holds("**src**", "src");
}

#[test]
fn the_readme_lists_every_option_and_no_other() {
    let source = text("src/options.rs");
    let known = source.split("const KNOWN").nth(1).expect("the table of options is there");
    let known = known.split("];").next().unwrap_or(known);
    let mut known: Vec<&str> =
        known.split('"').filter(|part| part.starts_with("MEMS_") && !part.contains(' ')).collect();
    let page = text("README.md");
    let mut listed: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|rest| rest.split('`').next())
        .filter(|name| name.starts_with("MEMS_"))
        .collect();
    known.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, known);
}

#[test]
fn the_links_of_the_pages_lead_somewhere() {
    let mut wrong = Vec::new();
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        for part in text(page).split("](").skip(1) {
            let link = part.split(')').next().unwrap_or("");
            let target = link.split('#').next().unwrap_or("");
            if !target.is_empty() && !target.starts_with("http") && !root().join(target).exists() {
                wrong.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
