//! Rules that every file of the project keeps: length of Rust files, how they open, no path of one machine, no build output.

use std::path::{Path, PathBuf};

const LONGEST: usize = 400;

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("the directory is read").flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if ["target", "build", ".git"].contains(&name.as_ref()) {
            continue;
        }
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn all() -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(Path::new(env!("CARGO_MANIFEST_DIR")), &mut found);
    found.sort();
    found
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| {
        let part = part.as_os_str();
        part == "tests" || part == "benches" || part == "examples" || part == "fuzz"
    })
}

#[test]
fn no_rust_file_is_longer_than_400_lines() {
    let mut wrong = Vec::new();
    for path in all().iter().filter(|p| p.extension().is_some_and(|e| e == "rs") && !is_test(p)) {
        let text = std::fs::read_to_string(path).expect("the file is read");
        // A file's own tests at its end do not count.
        let lines = text.split("#[cfg(test)]\nmod ").next().unwrap_or(&text).lines().count();
        if lines > LONGEST {
            wrong.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_rust_file_opens_with_what_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in all().iter().filter(|p| p.extension().is_some_and(|e| e == "rs")) {
        let text = std::fs::read_to_string(path).expect("the file is read");
        let shown = path.strip_prefix(root).unwrap_or(path).display();
        assert!(text.is_empty() || text.starts_with("//! "), "{shown} does not open with //!");
    }
}

#[test]
fn no_file_speaks_of_one_machine() {
    // Written in two halves, so that this file does not speak of them either.
    let paths = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let mut wrong = Vec::new();
    for path in all() {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            if paths.iter().any(|p| line.contains(p))
                && !line.contains("\"$work/home\"")
                && !line.contains("$work/home/")
            {
                wrong.push(format!("{}:{}: {line}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_script_is_executable_and_says_what_it_is() {
    use std::os::unix::fs::PermissionsExt;
    for path in all().iter().filter(|p| {
        p.extension().is_some_and(|e| e == "sh") && p.parent().is_some_and(|d| d.ends_with("scripts"))
    }) {
        let text = std::fs::read_to_string(path).expect("the script is read");
        let mode = std::fs::metadata(path).expect("the script is there").permissions().mode();
        assert!(mode & 0o111 != 0, "{} is not executable", path.display());
        assert!(text.starts_with("#!"), "{} has no #! line", path.display());
        assert!(
            text.lines().nth(1).is_some_and(|l| l.starts_with("# ")),
            "{} does not say what it is",
            path.display()
        );
    }
}

#[test]
fn nothing_that_git_is_told_to_ignore_is_kept_by_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--ignored", "--exclude-standard"])
        .current_dir(root)
        .output();
    // A source tree may have come without its history, or the machine without git.
    let Some(out) = listed.ok().filter(|out| out.status.success()) else {
        return println!("no git here");
    };
    let kept = String::from_utf8_lossy(&out.stdout);
    assert!(kept.is_empty(), "build output is kept:\n{kept}");
}
