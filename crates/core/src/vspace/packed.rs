//! A packed word: a few starts of segments in 64 bits, in order, read and replaced in one access.
//!
//! W bits a start: its place above one bit that says PROCESS. Their number is in the lowest bits; a word whose lowest
//! four bits are all set is none of these but an address. All places of a word are compared at once: each field
//! has its highest bit free, so that a subtraction over the whole word borrows nothing from its neighbour. Pure
//! arithmetic; owns nothing.

use core::hint::select_unpredictable;

/// Up to [`Packed::MOST`] starts. Places are below 2^(W − 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packed<const W: u32>(pub u64);

/// The lowest four bits of a word that is an address.
const ADDRESS: u64 = 15;

/// The address that `word` is, if it is one.
#[inline(always)]
pub fn address(word: u64) -> Option<usize> {
    if word & ADDRESS == ADDRESS { Some((word & !ADDRESS) as usize) } else { None }
}

/// The word that is `address`, a multiple of 16.
#[inline(always)]
pub fn to_address(address: usize) -> u64 {
    address as u64 | ADDRESS
}

impl<const W: u32> Packed<W> {
    /// How many starts fit: 7 of 8 bits, 5 of 12.
    pub const MOST: u32 = 60 / W;
    /// Where the first start's field begins.
    const BASE: u32 = 64 - Self::MOST * W;
    /// The lowest bit of each field: PROCESS.
    const LOW: u64 = {
        let (mut ones, mut i) = (0, 0);
        while i < Self::MOST {
            ones |= 1 << (Self::BASE + i * W);
            i += 1;
        }
        ones
    };
    /// The highest bit of each field's place, once moved down by one: free.
    const HIGH: u64 = Self::LOW << (W - 1);
    /// The greatest place.
    const PLACE: u64 = (1 << (W - 1)) - 1;

    /// No starts.
    pub const EMPTY: Self = Packed(0);

    /// How many there are.
    #[inline(always)]
    fn len(self) -> u32 {
        (self.0 & 7) as u32
    }

    /// Whether there is no room for one more.
    #[inline(always)]
    pub fn is_full(self) -> bool {
        self.len() == Self::MOST
    }

    /// The places, each in its field with the highest bit clear.
    #[inline(always)]
    fn places(self) -> u64 {
        (self.0 >> 1) & (Self::LOW * Self::PLACE)
    }

    /// The highest bits of the fields that are in use.
    #[inline(always)]
    fn used(self) -> u64 {
        Self::HIGH & u64::MAX >> ((Self::MOST - self.len()) * W)
    }

    /// The highest bits of the fields whose place is `from` or behind it.
    #[inline(always)]
    fn from(self, from: u32) -> u64 {
        (self.places() | Self::HIGH).wrapping_sub(Self::LOW * from as u64) & self.used()
    }

    /// The highest bits of the fields whose place is `to` or before it.
    #[inline(always)]
    fn up_to(self, to: u32) -> u64 {
        ((Self::LOW * to as u64) | Self::HIGH).wrapping_sub(self.places()) & self.used()
    }

    /// Place and kind in the field whose highest bit is number `bit`.
    #[inline(always)]
    fn field(self, bit: u32) -> (u32, bool) {
        let field = self.0 >> (bit + 1 - W);
        ((field >> 1 & Self::PLACE) as u32, field & 1 != 0)
    }

    /// The last start at `place` or before it, and whether it is PROCESS.
    #[inline(always)]
    pub fn last(self, place: u32) -> Option<(u32, bool)> {
        let (_, place, process) = self.last_of_two(place, Packed::EMPTY)?;
        Some((place, process))
    }

    /// The first start at `from` (up to 2^(W − 1)) or behind it.
    #[inline(always)]
    pub fn next(self, from: u32) -> Option<u32> {
        let found = self.from(from);
        if found == 0 { None } else { Some(self.field(found.trailing_zeros()).0) }
    }

    /// The sizes of the HOLEs but for the last start, which reaches out of here: each in its field with the highest bit
    /// clear, 0 where there is none.
    #[inline(always)]
    fn sizes(self) -> u64 {
        // Fields that are in use and not the last, and hold a HOLE.
        let holes = self.used() >> W & !((self.0 & Self::LOW) << (W - 1)) & Self::HIGH;
        let places = self.places();
        // What a field borrows from is its own highest bit; those that are not asked for do no harm.
        let sizes = (places >> W | Self::HIGH).wrapping_sub(places);
        // All bits below the highest of the fields that count.
        sizes & (holes - (holes >> (W - 1)))
    }

    /// The first HOLE of at least `want` (not 0) but for the last start: its place and size.
    #[inline(always)]
    pub fn fit(self, want: u32) -> Option<(u32, u32)> {
        if want as u64 > Self::PLACE {
            return None;
        }
        let sizes = self.sizes();
        let found = (sizes | Self::HIGH).wrapping_sub(Self::LOW * want as u64) & Self::HIGH;
        if found == 0 {
            return None;
        }
        let bit = found.trailing_zeros();
        Some((self.field(bit).0, (sizes >> (bit + 1 - W) & Self::PLACE) as u32))
    }

    /// The largest HOLE's size but for the last start; 0: none.
    #[inline(always)]
    pub fn largest(self) -> u32 {
        let sizes = self.sizes();
        (0..Self::MOST).fold(0, |most, i| most.max((sizes >> (Self::BASE + i * W) & Self::PLACE) as u32))
    }

    /// The last start if it is a HOLE's.
    #[inline(always)]
    pub fn last_hole(self) -> Option<u32> {
        let used = self.used();
        if used == 0 {
            return None;
        }
        let (place, process) = self.field((used & !(used >> W)).trailing_zeros());
        if process { None } else { Some(place) }
    }

    /// Of the starts at `place` or before it the last one's word, field bit and whether it is in `before`: in this word,
    /// or else the last in that. No branch depends on which; a bit of 0: none.
    #[inline(always)]
    fn last_field(self, place: u32, before: Self) -> (Self, u64, bool) {
        let here = self.up_to(place);
        let none = here == 0;
        let found = select_unpredictable(none, before.used(), here);
        let word = select_unpredictable(none, before.0, self.0);
        // All fields up to the one are found: its bit is the one with nothing above it.
        (Packed(word), found & !(found >> W), none)
    }

    /// The last start at `place` or before it in this word, or else the last of the word before: which word it is, the
    /// place, and whether it is PROCESS.
    #[inline(always)]
    pub fn last_of_two(self, place: u32, before: Self) -> Option<(bool, u32, bool)> {
        let (word, found, back) = self.last_field(place, before);
        if found == 0 {
            return None;
        }
        let (place, process) = word.field(found.trailing_zeros());
        Some((back, place, process))
    }

    /// Which word that start is in, and whether it is PROCESS.
    #[inline(always)]
    pub fn kind_of_two(self, place: u32, before: Self) -> Option<(bool, bool)> {
        let (word, found, back) = self.last_field(place, before);
        if found == 0 { None } else { Some((back, word.0 & found >> (W - 1) != 0)) }
    }

    /// The first start at `from` in this word, or else the first of the word behind: which word it is, and the place.
    /// No branch depends on which.
    #[inline(always)]
    pub fn next_of_two(self, from: u32, behind: Self) -> Option<(bool, u32)> {
        let here = self.from(from);
        let none = here == 0;
        let found = select_unpredictable(none, behind.used(), here);
        let word = Packed::<W>(select_unpredictable(none, behind.0, self.0));
        if found == 0 { None } else { Some((none, word.field(found.trailing_zeros()).0)) }
    }

    /// Whether the start at `place` is PROCESS; None: there is none.
    #[inline(always)]
    pub fn at(self, place: u32) -> Option<bool> {
        let found = self.from(place);
        if found == 0 {
            return None;
        }
        let (start, process) = self.field(found.trailing_zeros());
        if start == place { Some(process) } else { None }
    }

    /// Where the field begins that holds the first start from `place` on, or where the next new one would.
    #[inline(always)]
    fn field_of(self, place: u32) -> u32 {
        let found = self.from(place);
        if found == 0 { Self::BASE + self.len() * W } else { found.trailing_zeros() + 1 - W }
    }

    /// With a start at `place`, where there is none. Not when it is full.
    #[inline(always)]
    pub fn with(self, place: u32, process: bool) -> Self {
        debug_assert!(!self.is_full());
        let at = self.field_of(place);
        let before = self.0 & ((1 << at) - 1);
        let behind = (self.0 >> at << at) << W;
        let new = (place as u64) << 1 | u64::from(process);
        Packed((before | behind | new << at) + 1)
    }

    /// With the HOLE at `place` PROCESS up to `to`, where a HOLE starts now. Not when it is full.
    #[inline(always)]
    pub fn split(self, place: u32, to: u32) -> Self {
        debug_assert!(!self.is_full());
        let process = 1 << self.field_of(place);
        let at = self.field_of(place) + W;
        let before = self.0 & ((1 << at) - 1);
        let behind = (self.0 >> at << at) << W;
        Packed((before | process | behind | ((to as u64) << 1) << at) + 1)
    }

    /// Without the start at `place`.
    #[inline(always)]
    pub fn without(self, place: u32) -> Self {
        let at = self.field_of(place);
        let before = self.0 & ((1 << at) - 1);
        Packed((before | (self.0 >> at >> W) << at) - 1)
    }

    /// With the start at `place` of this kind.
    #[inline(always)]
    pub fn with_kind(self, place: u32, process: bool) -> Self {
        let at = self.field_of(place);
        Packed(self.0 & !(1 << at) | u64::from(process) << at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kind for each place that has a start.
    struct Plain<const W: u32>([Option<bool>; 2048]);

    impl<const W: u32> Plain<W> {
        fn next(&self, from: u32) -> Option<u32> {
            (from..1 << (W - 1)).find(|p| self.0[*p as usize].is_some())
        }

        fn last(&self, place: u32) -> Option<(u32, bool)> {
            (0..=place).rev().find_map(|p| self.0[p as usize].map(|kind| (p, kind)))
        }

        fn holes(&self) -> impl Iterator<Item = (u32, u32)> {
            (0..1 << (W - 1))
                .filter(|p| self.0[*p as usize] == Some(false))
                .filter_map(|p| self.next(p + 1).map(|end| (p, end - p)))
        }
    }

    fn agrees_with_a_plain_list<const W: u32>() {
        let places = 1u32 << (W - 1);
        let mut seed = 9u32;
        let mut random = |n: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) % n
        };
        let (mut word, mut plain, mut len) = (Packed::<W>::EMPTY, Plain::<W>([None; 2048]), 0);
        for _ in 0..5_000 {
            // Ends and neighbours as often as the middle.
            let place = [0, 1, places - 1, places / 2, random(places), random(places)][random(6) as usize];
            let process = random(2) == 0;
            let slot = &mut plain.0[place as usize];
            match *slot {
                Some(_) if process => {
                    (word, *slot) = (word.without(place), None);
                    len -= 1;
                }
                Some(kind) => (word, *slot) = (word.with_kind(place, !kind), Some(!kind)),
                None if !word.is_full() => {
                    (word, *slot) = (word.with(place, process), Some(process));
                    len += 1;
                }
                None => {}
            }
            assert_eq!(word.is_full(), len == Packed::<W>::MOST);
            assert_eq!(word == Packed::EMPTY, len == 0);
            assert_eq!(address(word.0), None);
            let other = Packed::<W>::EMPTY.with(place, process);
            for k in [0, place, random(places), places - 1] {
                assert_eq!(word.last(k), plain.last(k));
                assert_eq!(word.at(k), plain.0[k as usize]);
                assert_eq!(word.next(k), plain.next(k));
                let last = plain.last(k).map(|(p, kind)| (false, p, kind));
                let next = plain.next(k).map(|p| (false, p));
                assert_eq!(word.last_of_two(k, Packed::EMPTY), last);
                assert_eq!(word.next_of_two(k, Packed::EMPTY), next);
                assert_eq!(word.kind_of_two(k, Packed::EMPTY), last.map(|last| (last.0, last.2)));
                assert_eq!(
                    word.kind_of_two(k, other),
                    last.map(|last| (last.0, last.2)).or(Some((true, process)))
                );
                assert_eq!(word.last_of_two(k, other), last.or(Some((true, place, process))));
                assert_eq!(word.next_of_two(k, other), next.or(Some((true, place))));
            }
            if let Some((hole, false)) = word.last(place)
                && hole < place
                && !word.is_full()
            {
                let plain = word.with_kind(hole, true).with(place, false);
                assert_eq!(word.split(hole, place), plain);
            }
            assert_eq!(word.next(places), None);
            assert_eq!(word.last_hole(), plain.last(places - 1).filter(|s| !s.1).map(|s| s.0));
            assert_eq!(word.largest(), plain.holes().map(|hole| hole.1).max().unwrap_or(0));
            for want in [1, 2, 1 + random(places), places - 1, places, places + 1] {
                assert_eq!(word.fit(want), plain.holes().find(|hole| hole.1 >= want));
            }
        }
    }

    #[test]
    fn a_word_agrees_with_a_plain_list() {
        agrees_with_a_plain_list::<8>();
        agrees_with_a_plain_list::<12>();
    }

    #[test]
    fn an_address_is_told_from_starts() {
        assert_eq!(address(to_address(0x7f12_3456_7890)), Some(0x7f12_3456_7890));
    }
}
