//! Figures as people read them: bytes in KiB and MiB, counts with commas, times, shares, commands that print.

/// `1,234,567`.
pub fn count(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3 + 1);
    if n < 0 {
        out.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1.5 MiB`; below 1024 `17 B`.
pub fn bytes(n: i64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if n.unsigned_abs() < 1024 {
        return format!("{n} B");
    }
    let mut value = n as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would be shown as 1024.0.
    while value.abs() >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// As [`bytes`], without a decimal that is 0.
pub fn round(n: u64) -> String {
    bytes(n as i64).replace(".0 ", " ")
}

/// The sizes up to `limit` bytes: `<= 64 B`; those above every limit are `larger`.
pub fn up_to(limit: u64) -> String {
    if limit > 1 << 62 { "larger".into() } else { format!("<= {}", round(limit)) }
}

/// As [`bytes`], with a sign in front.
pub fn change(n: i64) -> String {
    if n > 0 { format!("+{}", bytes(n)) } else { bytes(n) }
}

/// As [`count`], with a sign in front.
pub fn count_change(n: i64) -> String {
    if n > 0 { format!("+{}", count(n)) } else { count(n) }
}

/// `17.3 ms`, `2.40 s`, `3 min 20 s`, `2 h 05 min`.
pub fn time(ns: u64) -> String {
    match ns {
        0..1_000_000 => format!("{:.0} us", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        1_000_000_000..120_000_000_000 => format!("{:.2} s", ns as f64 / 1e9),
        _ => {
            let s = ns / 1_000_000_000;
            if s < 7200 {
                format!("{} min {:02} s", s / 60, s % 60)
            } else {
                format!("{} h {:02} min", s / 3600, s / 60 % 60)
            }
        }
    }
}

/// `part` of `whole` in percent: `12%`, `<1%`, or nothing where there is no whole.
pub fn share(part: i64, whole: i64) -> String {
    if whole <= 0 || part <= 0 {
        return String::new();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    if percent < 1.0 { "<1%".into() } else { format!("{percent:.0}%") }
}

/// `text` without characters that would not print, at most `width` of them, the end cut with `...`.
pub fn cut(text: &str, width: usize) -> String {
    let clean = || text.chars().map(|c| if c.is_control() { '?' } else { c });
    if clean().count() <= width {
        return clean().collect();
    }
    clean().take(width.saturating_sub(3)).chain("...".chars()).collect()
}

/// A function's name that is long without what stands in its template arguments and parameters: `std::map<...>::at(...)`.
pub fn short(name: &str) -> String {
    if name.chars().count() <= 60 {
        return name.to_string();
    }
    let (mut out, mut depth, mut open, mut before) = (String::new(), 0, '<', ' ');
    for c in name.chars() {
        let close = if open == '<' { '>' } else { ')' };
        if depth > 0 {
            if c == open {
                depth += 1;
            } else if c == close && !(close == '>' && before == '-') {
                depth -= 1;
                if depth == 0 {
                    out.push_str("...");
                    out.push(c);
                }
            }
        } else {
            let opens = match c {
                '<' => !out.is_empty() && !out.ends_with("operator") && !out.ends_with("operator<"),
                // `(anonymous namespace)` and `operator()` are names.
                '(' => !out.is_empty() && !out.ends_with("operator") && !out.ends_with("::"),
                _ => false,
            };
            (depth, open) = (i32::from(opens), if opens { c } else { open });
            out.push(c);
        }
        before = c;
    }
    out
}

/// As [`cut`], but the beginning goes: for paths.
pub fn tail(text: &str, width: usize) -> String {
    let len = text.chars().count();
    if len <= width {
        return text.to_string();
    }
    format!("...{}", text.chars().skip(len - width.saturating_sub(3)).collect::<String>())
}

/// A bar of `part` of `whole`, `width` columns at most; something that is not nothing has one column.
pub fn bar(part: u64, whole: u64, width: usize) -> String {
    let columns = if whole == 0 { 0 } else { (part as f64 * width as f64 / whole as f64).round() as usize };
    "#".repeat(if part > 0 { columns.clamp(1, width) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_commas() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(-1_234_567), "-1,234,567");
    }

    #[test]
    fn bytes_never_show_1024_of_a_unit() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.0 KiB");
        assert_eq!(bytes((1 << 20) - 1), "1.0 MiB");
        assert_eq!(bytes(i64::MAX), "8.0 EiB");
    }

    #[test]
    fn long_names_lose_their_arguments() {
        let name = "std::map<std::basic_string<char>, std::vector<int, std::allocator<int> > >::operator[](std::basic_string<char>&&)";
        assert_eq!(short(name), "std::map<...>::operator[](...)");
        let name = "<alloc::vec::Vec<T, A> as core::iter::traits::collect::Extend<T>>::extend_with_something";
        assert_eq!(
            short(name),
            "<alloc::vec::Vec<...> as core::iter::traits::collect::Extend<...>>::extend_with_something"
        );
        let name =
            "(anonymous namespace)::Reader::operator<<(std::basic_ostream<char, std::char_traits<char> >&)";
        assert_eq!(short(name), "(anonymous namespace)::Reader::operator<<(...)");
        assert_eq!(short("a::b<c>(d)"), "a::b<c>(d)");
    }

    #[test]
    fn long_texts_are_cut_and_control_characters_replaced() {
        assert_eq!(cut("abc\ndef", 20), "abc?def");
        assert_eq!(cut("abcdefgh", 6), "abc...");
        assert_eq!(tail("/a/long/path", 8), ".../path");
    }
}
