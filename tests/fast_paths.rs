//! What the processor runs for a small malloc and a small free, from the disassembly of libmems.so: straight to the first `ret`
//! without a call, a locked instruction or a stack frame, and not one instruction more than is written down here. A change
//! that breaks this is a decision, not an accident: every malloc of every program pays for it.

#![cfg(target_arch = "x86_64")]

mod preload;

/// Instructions from the entry to the first `ret`, as objdump writes them.
fn path(function: &str) -> Vec<String> {
    let mut nm = std::process::Command::new("nm");
    let symbols = preload::run(nm.args(["-D", "--defined-only", "--format=posix"]).arg(preload::library()));
    let symbols = String::from_utf8_lossy(&symbols.stdout).into_owned();
    let address = symbols
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .find(|words| words[0].split('@').next() == Some(function))
        .and_then(|words| u64::from_str_radix(words[2], 16).ok())
        .unwrap_or_else(|| panic!("{function} is not exported"));
    let mut objdump = std::process::Command::new("objdump");
    objdump.args(["-d", "--no-show-raw-insn"]).arg(format!("--start-address={address}"));
    objdump.arg(format!("--stop-address={}", address + 1024)).arg(preload::library());
    let text = preload::run(&mut objdump);
    let mut found = Vec::new();
    for line in String::from_utf8_lossy(&text.stdout).lines() {
        // "   20e0a:\tret": an address, a tab, the instruction.
        if let Some((_, instruction)) = line.split_once(":\t") {
            let instruction = instruction.split('#').next().unwrap_or_default().trim().to_string();
            let end = instruction.starts_with("ret");
            found.push(instruction);
            if end {
                return found;
            }
        }
    }
    panic!("{function} has no ret in its first kilobyte: {found:#?}");
}

/// Why an instruction has no place on a fast path; `None` if it may stand there.
fn objection(instruction: &str) -> Option<&'static str> {
    let mut words = instruction.split_whitespace();
    let name = words.next().unwrap_or_default();
    let operands = words.collect::<String>();
    match name {
        "call" | "callq" => Some("a call"),
        "lock" | "mfence" => Some("a locked instruction"),
        // xchg with memory locks by itself.
        "xchg" if operands.contains('(') => Some("a locked instruction"),
        "push" | "pop" | "enter" | "leave" => Some("a stack frame"),
        "sub" | "add" | "lea" if operands.ends_with("%rsp") => Some("a stack frame"),
        "div" | "idiv" => Some("a division"),
        "syscall" => Some("a system call"),
        _ => None,
    }
}

fn check(function: &str, most: usize) {
    let path = path(function);
    let wrong: Vec<_> = path.iter().filter_map(|one| Some(format!("{}: {one}", objection(one)?))).collect();
    assert!(
        wrong.is_empty(),
        "on the fast path of {function}:\n{}\nin\n{}",
        wrong.join("\n"),
        path.join("\n")
    );
    assert!(path.len() <= most, "{function}: {} instructions, not {most}:\n{}", path.len(), path.join("\n"));
}

#[test]
fn a_small_malloc_calls_nothing_locks_nothing_and_needs_no_stack() {
    check("malloc", 30);
}

#[test]
fn a_small_free_calls_nothing_locks_nothing_and_needs_no_stack() {
    check("free", 45);
}

#[test]
fn the_objections_are_noticed() {
    for (instruction, noticed) in [
        ("call   39950 <x>", true),
        ("lock xadd %rax,(%rdi)", true),
        ("xchg   %rax,(%rdi)", true),
        ("xchg   %ax,%ax", false),
        ("push   %rbx", true),
        ("sub    $0x18,%rsp", true),
        ("sub    %rcx,0x1c18(%rax)", false),
        ("div    %rcx", true),
        ("jmp    39310 <slow>", false),
    ] {
        assert_eq!(objection(instruction).is_some(), noticed, "{instruction}");
    }
}
