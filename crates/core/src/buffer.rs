//! Text built in bytes of the caller: appended to, never grown, never allocated.
//!
//! What does not fit is left out and remembered ([`Buffer::is_cut`]); nothing here can fail or panic, so it serves
//! on the exit path and in the middle of a misuse report. Owns nothing.
//!
//! What is called often from one function is a call and not inlined: every process runs it once, so its size in memory
//! counts for more than its speed.

use core::fmt;

/// Bytes of the caller and how many of them are text.
pub struct Buffer<'a> {
    bytes: &'a mut [u8],
    /// Invariant: `len <= bytes.len()`.
    len: usize,
    cut: bool,
}

impl<'a> Buffer<'a> {
    /// An empty text in `bytes`.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Buffer { bytes, len: 0, cut: false }
    }

    /// The text so far.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Bytes of text so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was appended yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that still fit.
    pub fn room(&self) -> usize {
        self.bytes.len() - self.len
    }

    /// Whether something did not fit.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Goes back to a text of `len` bytes, as [`Buffer::len`] gave it earlier.
    pub fn shorten(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Appends bytes; those that do not fit are left out.
    #[inline(never)]
    pub fn bytes(&mut self, more: &[u8]) {
        let take = more.len().min(self.room());
        self.cut |= take < more.len();
        if let (Some(to), Some(from)) = (self.bytes.get_mut(self.len..self.len + take), more.get(..take)) {
            to.copy_from_slice(from);
            self.len += take;
        }
    }

    /// Appends a string.
    pub fn text(&mut self, more: &str) {
        self.bytes(more.as_bytes());
    }

    /// Appends one byte `count` times.
    #[inline(never)]
    pub fn fill(&mut self, byte: u8, count: usize) {
        let take = count.min(self.room());
        self.cut |= take < count;
        if let Some(to) = self.bytes.get_mut(self.len..self.len + take) {
            to.fill(byte);
            self.len += take;
        }
    }

    /// Appends a number in decimal.
    pub fn number(&mut self, value: u64) {
        self.digits(value, false);
    }

    /// Appends a signed number in decimal.
    pub fn signed(&mut self, value: i64) {
        if value < 0 {
            self.text("-");
        }
        self.number(value.unsigned_abs());
    }

    /// Appends a number in decimal with a comma every three digits: `1,234,567`.
    pub fn grouped(&mut self, value: u64) {
        self.digits(value, true);
    }

    /// Appends a number in hexadecimal, without a prefix.
    pub fn hex(&mut self, value: usize) {
        let digits = (usize::BITS - value.leading_zeros()).div_ceil(4).max(1);
        for place in (0..digits).rev() {
            let digit = (value >> (place * 4) & 15) as u8;
            self.bytes(&[if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }]);
        }
    }

    /// Appends what `write` writes, with spaces in front so that it is at least `width` bytes.
    pub fn right(&mut self, width: usize, write: impl FnOnce(&mut Buffer)) {
        let mut place = [0; 64];
        let mut inner = Buffer::new(&mut place);
        write(&mut inner);
        self.fill(b' ', width.saturating_sub(inner.len()));
        self.bytes(inner.as_bytes());
    }

    /// Appends what `write` writes, with spaces behind so that it is at least `width` bytes.
    pub fn left(&mut self, width: usize, write: impl FnOnce(&mut Buffer)) {
        let before = self.len;
        write(self);
        self.fill(b' ', (before + width).saturating_sub(self.len));
    }

    #[inline(never)]
    fn digits(&mut self, value: u64, commas: bool) {
        let count = if value == 0 { 1 } else { value.ilog10() as usize + 1 };
        let mut unit = 10u64.pow(count as u32 - 1);
        for place in (0..count).rev() {
            self.bytes(&[b'0' + (value / unit % 10) as u8]);
            if commas && place > 0 && place.is_multiple_of(3) {
                self.text(",");
            }
            unit = (unit / 10).max(1);
        }
    }
}

impl fmt::Write for Buffer<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.text(s);
        Ok(())
    }
}
