//! A rule: how to get from a frame to its caller's, for one address, in 31 bits.
//!
//! Read from the module's .eh_frame by way of its search table, which every toolchain writes, so programs without frame
//! pointers are unwound. What does not fit the few forms below (large or odd frames) has no rule: the stack is cut
//! there. Reads the module's memory, allocates nothing. Owns nothing.

use gimli::{
    BaseAddresses, CfaRule, EhFrame, EhFrameHdr, EndianSlice, NativeEndian, Pointer, Register, RegisterRule,
    UnwindContext, UnwindContextStorage, UnwindSection, UnwindTableRow,
};

use super::modules;

#[cfg(target_arch = "x86_64")]
const STACK: Register = Register(7);
#[cfg(target_arch = "x86_64")]
const FRAME: Register = Register(6);
#[cfg(target_arch = "x86_64")]
const RETURN: Register = Register(16);
#[cfg(target_arch = "aarch64")]
const STACK: Register = Register(31);
#[cfg(target_arch = "aarch64")]
const FRAME: Register = Register(29);
#[cfg(target_arch = "aarch64")]
const RETURN: Register = Register(30);

/// How to get to the caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// There is no caller, or no way to it.
    End,
    /// The way of code without description (a compiler at run time made it): by the frame pointer.
    Pointer,
    /// A signal handler's frame: the interrupted registers lie on the stack.
    Signal,
    /// By the description. Distances in words.
    Frame {
        /// Whether the frame's upper end is reckoned from the frame pointer, else from the stack pointer.
        from_frame: bool,
        /// Its distance from there.
        up: u16,
        /// How far below that end the caller's frame pointer is kept; 0: it is unchanged.
        frame: u16,
        /// How far below it the return address is kept; 0: in the link register.
        back: u16,
    },
}

/// Bits of a distance.
const BITS: u32 = 13;
const MOST: i64 = (1 << BITS) - 1;
/// Bits that a packed rule takes.
pub const PACKED: u32 = 5 + 2 * BITS;

impl Rule {
    /// The rule as a number below 2^[`PACKED`]; None where a distance is too large. On x86-64 the return address is right
    /// below the frame's end; elsewhere right above the caller's frame pointer, or in the link register.
    pub fn pack(self) -> Option<u64> {
        Some(match self {
            Rule::End => 1,
            Rule::Pointer => 2,
            Rule::Signal => 3 | 1 << 2,
            Rule::Frame { from_frame, up, frame, back } => {
                let beside = back != 0;
                if beside && cfg!(target_arch = "x86_64") && back != 1 {
                    return None;
                }
                if beside && cfg!(not(target_arch = "x86_64")) && back + 1 != frame {
                    return None;
                }
                3 | u64::from(from_frame) << 3
                    | u64::from(beside) << 4
                    | u64::from(up) << 5
                    | u64::from(frame) << (5 + BITS)
            }
        })
    }

    /// The rule of a number that [`Rule::pack`] gave.
    #[inline]
    pub fn unpack(bits: u64) -> Rule {
        match bits & 3 {
            1 => Rule::End,
            2 => Rule::Pointer,
            _ if bits & 1 << 2 != 0 => Rule::Signal,
            _ => {
                let frame = (bits >> (5 + BITS) & MOST as u64) as u16;
                let beside = bits & 1 << 4 != 0;
                let back = if cfg!(target_arch = "x86_64") { 1 } else { frame.wrapping_sub(1) };
                Rule::Frame {
                    from_frame: bits & 1 << 3 != 0,
                    up: (bits >> 5 & MOST as u64) as u16,
                    frame,
                    back: if beside { back } else { 0 },
                }
            }
        }
    }
}

/// Room for a row of the description, on the stack of a thread that may have little.
#[derive(Clone, Copy)]
struct Rows;

impl<T: gimli::ReaderOffset> UnwindContextStorage<T> for Rows {
    type Rules = [(Register, RegisterRule<T>); 20];
    type Stack = [UnwindTableRow<T, Self>; 3];
}

/// The rule for code at `pc`. About a microsecond.
pub fn of(pc: usize) -> Rule {
    let Some(place) = modules::place(pc) else { return Rule::Pointer };
    if place.header == 0 {
        return Rule::Pointer;
    }
    read(pc, place).unwrap_or(Rule::End)
}

/// The bytes of a module from `at` to its end.
fn bytes(at: usize, place: modules::Place) -> Option<EndianSlice<'static, NativeEndian>> {
    let length = place.end.checked_sub(at).filter(|_| at >= place.start)?;
    // SAFETY: within a loaded module; only what its headers and tables lead to is read, which is mapped and readable. It is
    // not unloaded meanwhile, since its code has a frame on this stack.
    let bytes = unsafe { core::slice::from_raw_parts(at as *const u8, length) };
    Some(EndianSlice::new(bytes, NativeEndian))
}

fn read(pc: usize, place: modules::Place) -> Option<Rule> {
    let bases = BaseAddresses::default().set_eh_frame_hdr(place.header as u64);
    let header = EhFrameHdr::from(bytes(place.header, place)?);
    let header = header.parse(&bases, size_of::<usize>() as u8).ok()?;
    let frames = match header.eh_frame_ptr() {
        Pointer::Direct(at) => at as usize,
        Pointer::Indirect(_) => return None,
    };
    let bases = bases.set_eh_frame(frames as u64);
    let section = EhFrame::from(bytes(frames, place)?);
    let table = header.table()?;
    let found = table.fde_for_address(&section, &bases, pc as u64, |section, bases, offset| {
        section.cie_from_offset(bases, offset)
    });
    let Ok(entry) = found else { return Some(Rule::Pointer) };
    if entry.is_signal_trampoline() {
        return Some(Rule::Signal);
    }
    let mut context: UnwindContext<usize, Rows> = UnwindContext::new_in();
    frame(entry.unwind_info_for_address(&section, &bases, &mut context, pc as u64).ok()?)
}

fn frame(row: &UnwindTableRow<usize, Rows>) -> Option<Rule> {
    let words = |distance: i64| {
        (distance % 8 == 0 && (0..=MOST * 8).contains(&distance)).then_some((distance / 8) as u16)
    };
    let CfaRule::RegisterAndOffset { register, offset } = *row.cfa() else { return None };
    let from_frame = register == FRAME;
    if !from_frame && register != STACK {
        return None;
    }
    let back = match row.register(RETURN) {
        RegisterRule::Offset(at) => words(-at)?,
        _ if cfg!(target_arch = "x86_64") => return Some(Rule::End),
        _ => 0,
    };
    let kept = match row.register(FRAME) {
        RegisterRule::Offset(at) => words(-at)?,
        RegisterRule::Undefined | RegisterRule::SameValue => 0,
        _ => return None,
    };
    Some(Rule::Frame { from_frame, up: words(offset)?, frame: kept, back })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_rule_is_the_rule() {
        let back = if cfg!(target_arch = "x86_64") { 1 } else { 4 };
        for rule in [
            Rule::End,
            Rule::Pointer,
            Rule::Signal,
            Rule::Frame { from_frame: false, up: 2, frame: 0, back: if back == 1 { 1 } else { 0 } },
            Rule::Frame { from_frame: true, up: 8191, frame: 5, back },
        ] {
            let packed = rule.pack().expect("it fits");
            assert!(packed < 1 << PACKED && packed != 0);
            assert_eq!(Rule::unpack(packed), rule);
        }
    }
}
