//! A driver of the C interface: bytes are read as calls, made on a libmems.so opened by hand, and every result is compared
//! with a model: where blocks lie and what they hold, which errors come, which address mems_malloc gives. Calls are made in
//! several threads, in forked children, while the kernel refuses memory, and wrongly.
//!
//! Shared by tests/drives.rs, which makes bytes from seeds, and verify/fuzz, which looks for bytes that reach new code.

mod api;
mod blocks;
mod input;
mod space;

pub use api::Api;
use blocks::Blocks;
use input::Input;
use space::Space;

/// Sizes above this are never served: there is not as much address space.
const IMPOSSIBLE: usize = 1 << 46;
const KEPT_ERRNO: i32 = 77;

/// What one input works on.
struct Driver<'a> {
    api: &'a Api,
    blocks: Blocks,
    space: Space,
    /// Whether misuse is part of it: the library is to ignore it.
    misuse: bool,
    /// The kernel refuses memory.
    starved: bool,
    forks: usize,
    /// A forked child makes no threads: theirs would be the stacks of threads that it has not, where this driver stands.
    alone: bool,
}

/// Makes the calls that `bytes` spell. Panics at the first wrong result. With `misuse` the library must have been told
/// to ignore it.
pub fn drive(api: &Api, bytes: &[u8], misuse: bool) {
    let mut driver = Driver {
        api,
        blocks: Blocks::new(1),
        space: Space::default(),
        misuse,
        starved: false,
        forks: 0,
        alone: false,
    };
    api.mems_init();
    driver.run(Input::new(bytes));
    driver.blocks.check_all();
    driver.blocks.end(api);
    driver.space.finish(api);
}

fn set_errno(value: i32) {
    // SAFETY: the place of this thread's errno.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    unsafe { *place = value };
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

impl Driver<'_> {
    fn run(&mut self, mut input: Input) {
        while !input.is_empty() {
            match input.byte() {
                0..=199 => self.family(&mut input),
                200..=217 => {
                    let size = input.size();
                    self.space.malloc(self.api, size, false);
                }
                218..=229 => self.space.free(self.api, input.byte()),
                230..=235 => self.space.get(self.api, &mut input),
                236 => self.space.finish(self.api),
                237..=240 if !self.alone => self.elsewhere(&mut input),
                241..=243 if !self.alone => self.together(&mut input),
                244 => self.fork(&mut input),
                245..=248 => self.starve(&mut input),
                249 => self.api.trim(),
                250..=253 if self.misuse => self.wrong(&mut input),
                _ => self.blocks.check_all(),
            }
        }
    }

    /// One call of the malloc family.
    fn family(&mut self, input: &mut Input) {
        let (form, place) = (input.byte() % 20, input.byte());
        match form {
            0..=4 => self.give(input, place, |api, input| {
                let size = input.size();
                (api.malloc(size), size, 1, false)
            }),
            5 => self.give(input, place, |api, input| {
                let (count, size) = (input.size(), input.byte());
                let at = api.calloc(count, size);
                let whole = count.saturating_mul(size);
                if at != 0 {
                    Blocks::check_zero(at, whole);
                }
                (at, whole, 1, false)
            }),
            6 => self.give(input, place, |api, input| {
                let size = input.size();
                (api.new_nothrow(size), size, 1, true)
            }),
            7 => self.give(input, place, |api, input| {
                let (align, size) = (1 << (input.byte() % 20), input.size());
                (api.aligned_alloc(align, size), size, align, false)
            }),
            8 => self.memalign(input, place),
            9 => self.posix_memalign(input, place),
            10..=13 => self.resize(input, place),
            14 => self.blocks.check(place),
            _ => self.drop(place, input.byte()),
        }
    }

    /// A call that gives a block: its address, size, alignment, and whether it is operator new.
    fn give(
        &mut self,
        input: &mut Input,
        place: usize,
        call: impl Fn(&Api, &mut Input) -> (usize, usize, usize, bool),
    ) {
        self.drop(place, 0);
        set_errno(KEPT_ERRNO);
        let (at, size, align, new) = call(self.api, input);
        let error = errno();
        self.judge(at, size.saturating_add(align), error);
        if at != 0 {
            self.blocks.add(self.api, place, at, size, align, new);
        }
    }

    /// Whether a call for `size` bytes may have ended so.
    fn judge(&self, at: usize, size: usize, error: i32) {
        if at == 0 {
            assert!(self.starved || size > IMPOSSIBLE, "{size} bytes were refused");
            assert_eq!(error, libc::ENOMEM, "NULL for {size} bytes");
        } else {
            assert!(size <= IMPOSSIBLE, "{size} bytes were promised");
            assert_eq!(error, KEPT_ERRNO, "a call that succeeds keeps errno");
        }
    }

    /// With any alignment: one that is no power of two may be refused or rounded up.
    fn memalign(&mut self, input: &mut Input, place: usize) {
        self.drop(place, 0);
        let (align, size) = (input.align(), input.size());
        set_errno(KEPT_ERRNO);
        let at = self.api.memalign(align, size);
        let error = errno();
        if align.is_power_of_two() {
            self.judge(at, size.saturating_add(align), error);
        } else if at == 0 {
            assert!([libc::EINVAL, libc::ENOMEM].contains(&error));
        }
        if at != 0 {
            let align = if align.is_power_of_two() { align } else { 1 };
            self.blocks.add(self.api, place, at, size, align, false);
        }
    }

    fn posix_memalign(&mut self, input: &mut Input, place: usize) {
        self.drop(place, 0);
        let (align, size) = (input.align(), input.size());
        set_errno(KEPT_ERRNO);
        let (at, error) = self.api.posix_memalign(0x1234, align, size);
        assert_eq!(errno(), KEPT_ERRNO, "posix_memalign keeps errno");
        if !align.is_power_of_two() || align < 8 {
            return assert_eq!((at, error), (0x1234, libc::EINVAL), "alignment {align}");
        }
        if error == 0 {
            self.judge(at, size, KEPT_ERRNO);
            return self.blocks.add(self.api, place, at, size, align, false);
        }
        assert_eq!(at, 0x1234, "a call that fails leaves the pointer alone");
        self.judge(0, size.saturating_add(align), error);
    }

    /// realloc or reallocarray.
    fn resize(&mut self, input: &mut Input, place: usize) {
        if self.blocks.get(place).is_some_and(|block| block.new) {
            return self.drop(place, 0);
        }
        let count = if input.byte().is_multiple_of(4) { input.byte() } else { 1 };
        let size = input.size();
        let whole = count.saturating_mul(size);
        let old = self.blocks.get(place);
        self.blocks.check(place);
        let at = old.map_or(0, |block| block.at);
        set_errno(KEPT_ERRNO);
        let now =
            if count == 1 { self.api.realloc(at, size) } else { self.api.reallocarray(at, count, size) };
        let error = errno();
        if old.is_some() && whole == 0 {
            assert_eq!(now, 0, "realloc to nothing frees");
            self.blocks.forget(place);
            return;
        }
        self.judge(now, whole, error);
        match (old, now) {
            (_, 0) => self.blocks.check(place),
            (None, _) => self.blocks.add(self.api, place, now, whole, 1, false),
            (Some(old), _) => {
                self.blocks.check_front(place, now, old.size.min(whole));
                self.blocks.forget(place);
                self.blocks.add(self.api, place, now, whole, 1, false);
            }
        }
    }

    /// free or delete, in one of their forms.
    fn drop(&mut self, place: usize, form: usize) {
        let Some(block) = self.blocks.remove(place) else { return };
        set_errno(KEPT_ERRNO);
        match (block.new, form % 3) {
            (true, 1) => self.api.delete_sized(block.at, block.size),
            (true, _) => self.api.delete(block.at),
            (false, 1) => self.api.free_sized(block.at, block.size),
            (false, _) => self.api.free(block.at),
        }
        assert_eq!(errno(), KEPT_ERRNO, "free keeps errno");
    }

    /// The next calls are made by another thread, which then ends.
    fn elsewhere(&mut self, input: &mut Input) {
        let part = input.part(64);
        std::thread::scope(|scope| {
            let done = scope.spawn(|| self.run(part)).join();
            done.expect("the other thread sees nothing wrong");
        });
    }

    /// Three threads at once, each with blocks of its own; what they leave is freed here.
    fn together(&mut self, input: &mut Input) {
        let parts = [input.part(96), input.part(96), input.part(96)];
        let (api, misuse) = (self.api, self.misuse);
        std::thread::scope(|scope| {
            let threads = parts.map(|mut part| {
                scope.spawn(move || {
                    let blocks = Blocks::new(part.byte() as u8);
                    let mut driver = Driver {
                        api,
                        blocks,
                        space: Space::default(),
                        misuse,
                        starved: false,
                        forks: 9,
                        alone: true,
                    };
                    while !part.is_empty() {
                        driver.family(&mut part);
                    }
                    driver.blocks
                })
            });
            for thread in threads {
                let mut left = thread.join().expect("a thread sees nothing wrong");
                left.end(api);
            }
        });
    }

    /// The next calls are made by a child, on a copy of everything.
    fn fork(&mut self, input: &mut Input) {
        if self.forks >= 2 {
            return;
        }
        self.forks += 1;
        let part = input.part(48);
        // SAFETY: no other thread of this process is inside anything: they have all been joined.
        let child = unsafe { libc::fork() };
        assert!(child >= 0, "a child can be made");
        if child == 0 {
            (self.forks, self.alone) = (9, true);
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                self.run(part);
                self.blocks.check_all();
                self.space.check_all();
                self.blocks.end(self.api);
                self.space.finish(self.api);
            }));
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(i32::from(done.is_err())) };
        }
        let mut status = 0;
        // SAFETY: a child of this process.
        let ended = unsafe { libc::waitpid(child, &mut status, 0) };
        assert_eq!((ended, status), (child, 0), "the child sees nothing wrong");
    }

    /// The kernel refuses every mapping while the next few calls are made.
    fn starve(&mut self, input: &mut Input) {
        let limit = |soft: libc::rlim_t| {
            let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            // SAFETY: valid to write to.
            unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut now) };
            let wanted = libc::rlimit { rlim_cur: soft.min(now.rlim_max), ..now };
            // SAFETY: valid to read from.
            unsafe { libc::setrlimit(libc::RLIMIT_AS, &wanted) };
        };
        let calls = input.byte() % 24;
        limit(1 << 20);
        self.starved = true;
        for _ in 0..calls {
            self.family(input);
        }
        self.starved = false;
        limit(libc::RLIM_INFINITY);
    }

    /// What must not be done, which is ignored.
    fn wrong(&mut self, input: &mut Input) {
        let place = input.byte();
        let Some(block) = self.blocks.get(place) else { return };
        match input.byte() % 5 {
            0 => {
                self.drop(place, 0);
                self.api.free(block.at);
                self.api.free(block.at);
            }
            1 => {
                self.drop(place, 0);
                assert_eq!(self.api.realloc(block.at, 100), 0, "a freed block cannot be resized");
            }
            2 => {
                self.drop(place, 0);
                assert_eq!(self.api.usable_size(block.at), 0, "a freed block has no bytes");
            }
            3 if block.size > 16 => {
                self.api.free(block.at + 1 + input.word() % (block.size - 1));
                self.blocks.check(place);
            }
            _ => {
                let here = 0u64;
                self.api.free(std::ptr::from_ref(&here) as usize);
                assert_eq!(self.api.realloc(std::ptr::from_ref(&here) as usize, 64), 0);
            }
        }
    }
}
