//! The states of a heap: who has it, if anybody. Owns nothing; who changes it from what to what is `registry`'s and `remote`'s.

/// What a heap's thread is doing, or that there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum State {
    /// No thread has it yet.
    New = 0,
    /// A thread has it.
    Live = 1,
    /// Its thread has ended; the next new thread may have it.
    Abandoned = 2,
    /// Its thread has ended, and another one is just emptying its inbox.
    Visited = 3,
    /// In a forked child: its thread is not here and may have been in the middle of something, so it is never touched.
    Lost = 4,
}
