//! The size histogram in as many rows as there is room for.
//!
//! Empty rows are left out, and where rows are still too many, the neighbours that hold the fewest blocks are made one,
//! so that detail stays where the blocks are. A row counts the sizes above the row before it. No row is ever dropped:
//! the rows' sums are the snapshot's.

use crate::count::{SIZES, SizeRow, Snapshot};

/// The upper limit of a row of the snapshot's histogram, in bytes.
pub fn limit(row: usize) -> u64 {
    16u64 << row.min(SIZES - 1)
}

/// Rows to show.
pub struct Rows {
    rows: [SizeRow; SIZES],
    len: usize,
}

impl Rows {
    /// The rows of `counts` in which blocks were asked, in at most `most` rows (at least 1). O(SIZES²).
    pub fn of(counts: &Snapshot, most: usize) -> Rows {
        let mut all = Rows { rows: [SizeRow::default(); SIZES], len: 0 };
        let asked = counts.sizes.iter().enumerate().filter(|(_, row)| row.blocks != 0 || row.asked != 0);
        for (place, (index, row)) in all.rows.iter_mut().zip(asked) {
            *place = SizeRow { le: limit(index), ..*row };
            all.len += 1;
        }
        while all.len > most.max(1) {
            all.join_smallest();
        }
        all
    }

    /// The rows, smallest sizes first.
    pub fn as_slice(&self) -> &[SizeRow] {
        self.rows.get(..self.len).unwrap_or_default()
    }

    fn join_smallest(&mut self) {
        let pair = |at: usize| match self.as_slice().get(at..at + 2) {
            Some([a, b]) => u128::from(a.blocks) + u128::from(b.blocks),
            _ => u128::MAX,
        };
        let Some(at) = (0..self.len.saturating_sub(1)).min_by_key(|at| pair(*at)) else { return };
        if let Some([a, b]) = self.rows.get_mut(at..at + 2) {
            b.blocks = b.blocks.wrapping_add(a.blocks);
            b.asked = b.asked.wrapping_add(a.asked);
        }
        self.rows.copy_within(at + 1..self.len, at);
        self.len -= 1;
    }
}
