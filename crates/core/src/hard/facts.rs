//! What is known of a slot, in one word beside its slab: its state, who asked for the block, and how many bytes.
//!
//! Written by the owning heap's thread, and by the one that frees the block; read by any. Arithmetic; owns nothing.

/// What a slot is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum State {
    /// Never given out since its pages came from the kernel.
    Fresh = 0,
    /// Given out.
    Live = 1,
    /// Freed by another thread; on its way back to its heap.
    Freed = 2,
    /// In its heap's quarantine, or free to be given out again; all zero.
    Free = 3,
    /// Found written to while it was free, and never given out again.
    Spoilt = 4,
}

/// A slot's word: state, whose block, bytes asked.
#[derive(Clone, Copy)]
pub struct Facts {
    /// The state.
    pub state: State,
    /// Whether operator new gave it out.
    pub new: bool,
    /// Bytes asked of the block that is, or was last, in it.
    pub asked: usize,
}

impl Facts {
    /// As a word.
    #[inline(always)]
    pub fn pack(self) -> u32 {
        self.asked as u32 | (self.new as u32) << 16 | (self.state as u32) << 17
    }

    /// From a word.
    #[inline(always)]
    pub fn unpack(word: u32) -> Facts {
        let state = match word >> 17 {
            0 => State::Fresh,
            1 => State::Live,
            2 => State::Freed,
            3 => State::Free,
            _ => State::Spoilt,
        };
        Facts { state, new: word >> 16 & 1 != 0, asked: word as usize & 0xffff }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_what_it_was_made_of() {
        for state in [State::Fresh, State::Live, State::Freed, State::Free, State::Spoilt] {
            for (new, asked) in [(false, 0), (true, 1), (false, 4096), (true, 32767)] {
                let facts = Facts::unpack(Facts { state, new, asked }.pack());
                assert_eq!((facts.state, facts.new, facts.asked), (state, new, asked));
            }
        }
        assert_eq!(Facts::unpack(0).state, State::Fresh, "what a new slab's words say");
    }
}
