//! How many locks this thread holds, but for outer ones: a signal handler that finds any has interrupted their holder.

thread_word!("mems_held");

/// Whether this thread holds a lock that counts.
#[inline]
pub fn any() -> bool {
    read() != 0
}

/// Changes the count. A handler between the two halves leaves it as it found it.
#[inline]
pub fn count(change: isize) {
    write(read().wrapping_add_signed(change));
}
