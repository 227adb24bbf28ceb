//! The forms of a report: their limits on any figures, the JSON's validity, the identities, the exact layout of one.

use mems_core::buffer::Buffer;
use mems_core::count::{ClassRow, FUNCTIONS, Function, MemsRow, SIZES, SizeRow, Snapshot, WalkItem};
use mems_core::report::{ExitKind, Process, Report, figures, full, json, line, sizes, summary};

const PROCESS: Process<'static> = Process {
    pid: 4711,
    ppid: 1,
    exe: b"/usr/lib/gcc/cc1",
    args: b"/usr/lib/gcc/cc1\0-quiet\0-O2\0small.c\0",
    args_cut: false,
    start_unix_ns: 1_700_000_000_000_000_000,
    start_ns: 1000,
    elapsed_ns: 1_380_000_000,
    exit: ExitKind::Exit,
    code: 0,
};

fn text(room: usize, write: impl FnOnce(&mut Buffer)) -> String {
    let mut place = vec![0; room];
    let mut buffer = Buffer::new(&mut place);
    write(&mut buffer);
    assert!(!buffer.is_cut(), "{room} bytes are not enough");
    String::from_utf8(buffer.as_bytes().to_vec()).expect("text is UTF-8")
}

fn summary_of(process: &Process, counts: &Snapshot, mems: &MemsRow, colours: bool) -> String {
    text(4096, |to| summary::write(&Report { process, counts, mems, whole: true }, colours, to))
}

fn json_of(process: &Process, counts: &Snapshot, mems: &MemsRow) -> serde_json::Value {
    let room = json::room(process.args.len());
    let text = text(room, |to| json::write(&Report { process, counts, mems, whole: true }, to));
    assert_eq!(text.find('\n'), Some(text.len() - 1), "one line");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Every figure the same.
fn all(n: u64) -> (Snapshot, MemsRow) {
    let mut s = Snapshot::EMPTY;
    s.calls = [n; FUNCTIONS];
    s.failed = [n; FUNCTIONS];
    s.asked = [n; FUNCTIONS];
    (s.free_null, s.delete_null, s.realloc_null, s.realloc_zero, s.realloc_in_place) = (n, n, n, n, n);
    (s.blocks_asked, s.usable_asked, s.blocks_freed, s.freed_usable, s.live_usable) = (n, n, n, n, n);
    (s.inherited_blocks, s.inherited_bytes) = (n, n);
    (s.peak.live_usable, s.peak.live_blocks, s.peak.at_ns) = (n, n, n);
    (s.peak.exact, s.peak.bound, s.peak.mapped) = (false, n, n);
    s.sizes = [SizeRow { le: n, blocks: n, asked: n }; SIZES];
    let e = &mut s.engine;
    (e.mmap, e.munmap, e.mapped, e.regions, e.process, e.hole) = (n, n, n, n, n, n);
    (e.hole_bytes, e.largest_hole, e.splits, e.joins, e.bookkeeping) = (n, n, n, n, n);
    (e.slack, e.rounding, e.madvise) = (n, n, n);
    for class in &mut s.classes {
        *class = ClassRow { slot: n, slabs: n, slots: n, used: n };
    }
    s.threads = [n; 3];
    let mems = MemsRow { page_size: n, start: n, pages: n, unused: n, regions: n, process: n, hole: n };
    (s, mems)
}

/// A plausible process: 3 sizes, a few of everything, the identities kept.
fn some() -> (Snapshot, MemsRow) {
    let mut s = Snapshot::EMPTY;
    s.calls[Function::Malloc as usize] = 461_464;
    s.calls[Function::Calloc as usize] = 168_052;
    s.calls[Function::Realloc as usize] = 39_120;
    s.calls[Function::Free as usize] = 712_912;
    s.asked[Function::Malloc as usize] = 100_000_000;
    s.asked[Function::Calloc as usize] = 50_000_000;
    s.asked[Function::Realloc as usize] = 58_456_269;
    s.free_null = 89_638;
    s.realloc_in_place = 23_863;
    s.blocks_asked = 668_636;
    s.blocks_freed = 662_393;
    s.live_usable = 2_516_582;
    s.peak.live_usable = 3_250_585;
    s.peak.exact = true;
    s.peak.live_blocks = 6_503;
    s.peak.at_ns = 1_280_001_000;
    s.peak.mapped = 4_194_304;
    s.sizes[0] = SizeRow { le: 16, blocks: 136_593, asked: 1_782_579 };
    s.sizes[1] = SizeRow { le: 32, blocks: 54_142, asked: 1_468_006 };
    s.sizes[10] = SizeRow { le: 16384, blocks: 477_901, asked: 205_205_684 };
    s.engine.mmap = 12;
    s.engine.munmap = 3;
    s.engine.mapped = 4_194_304;
    s.engine.regions = 9;
    s.engine.process = 6_243;
    s.engine.hole = 511;
    s.engine.hole_bytes = 734_003;
    s.engine.largest_hole = 217_088;
    s.engine.splits = 700;
    s.engine.joins = 650;
    s.engine.bookkeeping = 65_536;
    s.engine.slack = 4_194_304 - 2_516_582 - 734_003 - 65_536;
    s.engine.rounding = 6_253_688;
    s.classes[1] = ClassRow { slot: 16, slabs: 3, slots: 768, used: 700 };
    s.threads = [1, 1, 1];
    (s, MemsRow { page_size: 4096, start: 1000, ..MemsRow::default() })
}

/// Interesting figures: every power of two and of ten, and their neighbours.
fn figures_of_all_lengths() -> Vec<u64> {
    let powers = (0..64).map(|n| 1u64 << n).chain((0..20).map(|n| 10u64.pow(n)));
    let mut all: Vec<u64> = powers.flat_map(|n| [n - 1, n, n + 1, n.saturating_mul(10) - 1]).collect();
    all.extend([u64::MAX, u64::MAX - 1]);
    all
}

#[test]
fn summary_is_this_to_the_letter() {
    let (counts, mems) = some();
    let expected = "\
== mems 0.1.0 == pid 4711 cc1 -quiet -O2 small.c ===== exit 0 after 1.38 s ==
  calls       malloc     calloc    realloc    aligned       free     failed
             461,464    168,052     39,120          0    712,912          0
  asked       198.8 MiB in 668,636 blocks     +3% rounding    485 k blocks/s
  freed         662,393 blocks   free(NULL) 89,638   realloc in place 61%
  live          2.4 MiB in 6,243 blocks
  peak          3.1 MiB in 6,503 blocks at 1.28 s   exact
  mapped        4.0 MiB now, 4.0 MiB at peak   12 mmap, 3 munmap
               = 2.4 live + 0.7 holes + 0.8 slack + 0.1 bookkeeping MiB
  size              blocks             asked
    <= 16          136,593   20%     1.7 MiB  ########
    <= 32           54,142    8%     1.4 MiB  ###
    <= 16 KiB      477,901   71%   195.7 MiB  ############################
  main chain  9 regions   6,243 PROCESS   511 HOLE
  holes       716.8 KiB, largest 212.0 KiB   700 splits, 650 joins
=============================================================================
";
    assert_eq!(summary_of(&PROCESS, &counts, &mems, false), expected);
}

#[test]
fn summary_keeps_25_lines_79_columns_and_4096_bytes_whatever_the_figures() {
    let endings = [ExitKind::Exit, ExitKind::Quick, ExitKind::Exec, ExitKind::Signal, ExitKind::Live];
    for (n, exit) in figures_of_all_lengths().into_iter().zip(endings.into_iter().cycle()) {
        let (counts, mems) = all(n);
        let process = Process { pid: u32::MAX, elapsed_ns: n, start_ns: 0, exit, code: i32::MIN, ..PROCESS };
        let text = summary_of(&process, &counts, &mems, false);
        assert!(text.lines().count() <= 25, "{text}");
        for line in text.lines() {
            assert!(line.len() <= 79, "{} columns: {line}\n{text}", line.len());
            assert_eq!(line.trim_end(), line, "no blanks at the end");
        }
        summary_of(&process, &counts, &mems, true); // 4096 bytes are enough with colours as well
    }
}

#[test]
fn summary_of_nothing_is_whole() {
    let (counts, mems) = all(0);
    let process = Process { args: b"", exe: b"", elapsed_ns: 0, ..PROCESS };
    let text = summary_of(&process, &counts, &mems, false);
    assert!(text.starts_with("== mems ") && text.ends_with("=\n"), "{text}");
    assert!(!text.contains("C++") && !text.contains("mems_*") && !text.contains("inherited"), "{text}");
}

#[test]
fn summary_shows_new_and_delete_inherited_threads_and_the_mems_heap_only_where_they_are() {
    let (mut counts, mut mems) = some();
    counts.calls[Function::New as usize] = 12;
    counts.inherited_blocks = 5;
    counts.threads = [1, 3, 17];
    counts.engine.madvise = 4;
    mems.regions = 1;
    mems.pages = 3;
    let text = summary_of(&PROCESS, &counts, &mems, false);
    for part in [
        "C++",
        "inherited",
        "threads 3 at peak, 17 ever",
        "HOLE   4 madvise\n",
        "mems_*      3 pages x 4096, ",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let (counts, mems) = some();
    let coloured = summary_of(&PROCESS, &counts, &mems, true);
    let mut plain = String::new();
    for (index, part) in coloured.split('\x1b').enumerate() {
        plain += if index == 0 { part } else { part.split_once('m').expect("a colour").1 };
    }
    assert_eq!(plain, summary_of(&PROCESS, &counts, &mems, false));
    assert!(coloured.len() > plain.len());
}

#[test]
fn a_command_cannot_write_to_the_terminal_or_widen_the_title() {
    let hostile = b"/bin/\x1b]0;x\x07\0two\nlines\0\xff\xfe\0\xe2\x80\xaertl\0\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\0end\0";
    let (counts, mems) = some();
    let process = Process { args: hostile, ..PROCESS };
    let text = summary_of(&process, &counts, &mems, false);
    assert!(!text.contains('\x1b') && !text.contains('\u{202e}'), "{text}");
    let title = text.lines().next().unwrap();
    let columns: usize = title.chars().map(|c| if c < '\u{500}' { 1 } else { 2 }).sum();
    assert!(columns <= 79, "{columns}: {title}");
    let long = [b'x'; 5000];
    let text = summary_of(&Process { args: &[&long[..], b"\0"].concat(), ..PROCESS }, &counts, &mems, false);
    assert_eq!(text.lines().next().unwrap().len(), summary::WIDTH);
}

#[test]
fn size_rows_are_joined_where_blocks_are_few_and_keep_their_sum() {
    let mut counts = Snapshot::EMPTY;
    for (index, row) in counts.sizes.iter_mut().enumerate() {
        *row = SizeRow { le: 0, blocks: if index == 3 { 1_000_000 } else { 1 + index as u64 }, asked: 7 };
    }
    for most in 1..=SIZES {
        let rows = sizes::Rows::of(&counts, most);
        let rows = rows.as_slice();
        assert_eq!(rows.len(), most);
        assert_eq!(
            rows.iter().map(|r| r.blocks).sum::<u64>(),
            counts.sizes.iter().map(|r| r.blocks).sum::<u64>()
        );
        assert_eq!(rows.iter().map(|r| r.asked).sum::<u64>(), 7 * SIZES as u64);
        assert!(rows.is_sorted_by_key(|r| r.le));
        assert_eq!(rows.last().unwrap().le, sizes::limit(SIZES - 1));
        if most > 20 {
            assert!(rows.iter().any(|r| r.blocks == 1_000_000 && r.le == 128), "the large row stands alone");
        }
    }
}

#[test]
fn json_is_valid_and_has_every_field_whatever_the_figures() {
    for n in figures_of_all_lengths() {
        let (counts, mems) = all(n);
        let process = Process { pid: u32::MAX, code: i32::MIN, ..PROCESS };
        let value = json_of(&process, &counts, &mems);
        assert_eq!(value["schema"], "mems/1");
        assert_eq!(value["calls"]["malloc"], n);
        assert_eq!(value["calls"]["failed"]["pvalloc"], n);
        assert_eq!(
            value["engine"]["classes"][0]["slot"],
            if n == 0 { serde_json::Value::Null } else { n.into() }
        );
        assert_eq!(value["mems"]["hole"], n);
    }
}

#[test]
fn json_fields_of_the_schema_are_all_there_in_an_empty_report() {
    let (counts, mems) = all(0);
    let value = json_of(&PROCESS, &counts, &mems);
    let fields = "
        /process/pid /process/ppid /process/exe /process/argv /process/start_unix_ns /process/elapsed_ns
        /process/exit/kind /process/exit/code /process/threads/now /process/threads/peak /process/threads/created
        /process/page_size /calls/malloc /calls/calloc /calls/realloc /calls/reallocarray /calls/free
        /calls/memalign /calls/aligned_alloc /calls/posix_memalign /calls/valloc /calls/pvalloc /calls/new
        /calls/delete /calls/free_null /calls/realloc_null /calls/realloc_zero /calls/realloc_in_place
        /calls/failed/malloc /bytes/asked/malloc /bytes/asked/calloc /bytes/asked/realloc /bytes/asked/aligned
        /bytes/asked/new /bytes/freed_usable /bytes/live_usable /blocks/asked /blocks/freed /blocks/live
        /inherited/blocks /inherited/bytes /peak/live_usable /peak/live_blocks /peak/at_ns /peak/exact /peak/bound
        /peak/mapped /sizes /engine/mmap /engine/munmap /engine/mapped /engine/regions /engine/process
        /engine/hole /engine/hole_bytes /engine/largest_hole /engine/splits /engine/joins /engine/bookkeeping
        /engine/classes /mems/page_size /mems/start /mems/pages /mems/unused /mems/regions /mems/process
        /mems/hole";
    for field in fields.split_whitespace() {
        assert!(value.pointer(field).is_some(), "{field}");
    }
}

#[test]
fn json_keeps_the_identities_of_its_snapshot() {
    let (counts, mems) = some();
    let v = json_of(&PROCESS, &counts, &mems);
    let n = |path: &str| v.pointer(path).and_then(serde_json::Value::as_i64).expect(path);
    assert_eq!(n("/blocks/asked") - n("/blocks/freed"), n("/blocks/live"));
    let rows = v["sizes"].as_array().unwrap();
    assert_eq!(rows.iter().map(|r| r["blocks"].as_i64().unwrap()).sum::<i64>(), n("/blocks/asked"));
    let by_function: i64 =
        v["bytes"]["asked"].as_object().unwrap().values().map(|x| x.as_i64().unwrap()).sum();
    assert_eq!(rows.iter().map(|r| r["asked"].as_i64().unwrap()).sum::<i64>(), by_function);
    let parts =
        n("/bytes/live_usable") + n("/engine/hole_bytes") + n("/engine/slack") + n("/engine/bookkeeping");
    assert_eq!(parts, n("/engine/mapped"));
}

#[test]
fn json_live_goes_below_zero_where_a_child_freed_what_it_inherited() {
    let (mut counts, mems) = all(0);
    counts.inherited_blocks = 10;
    counts.blocks_freed = 4;
    assert_eq!(json_of(&PROCESS, &counts, &mems)["blocks"]["live"], -4);
    assert_eq!(Report { process: &PROCESS, counts: &counts, mems: &mems, whole: true }.live_blocks(), 6);
}

#[test]
fn json_strings_survive_any_bytes() {
    let every: Vec<u8> = (1..=255).collect();
    let (counts, mems) = some();
    let args = [&every[..], b"\0\0\xf0\x9f\x98\x80\0"].concat();
    let v = json_of(&Process { args: &args, exe: &every, args_cut: true, ..PROCESS }, &counts, &mems);
    let argv = v["process"]["argv"].as_array().unwrap();
    assert_eq!(argv.len(), 3);
    assert!(argv[0].as_str().unwrap().starts_with("\u{1}\u{2}\u{3}"));
    assert_eq!(
        argv[0].as_str().unwrap().chars().take(127).map(u32::from).sum::<u32>(),
        (1..=127).sum::<u32>()
    );
    assert_eq!(argv[1], "");
    assert_eq!(argv[2], "\u{1f600}");
    assert_eq!(v["process"]["argv_cut"], true);
}

#[test]
fn line_is_one_line() {
    let (counts, mems) = some();
    let write = |process: &Process, counts: &Snapshot| {
        text(512, |to| line::write(&Report { process, counts, mems: &mems, whole: true }, to))
    };
    assert_eq!(
        write(&PROCESS, &counts),
        "mems: 4711 cc1 -quiet -O2 small.c: exit 0, 1.38 s; 198.8 MiB in 669 k, live 2.4 MiB, peak 3.1 MiB\n"
    );
    for n in figures_of_all_lengths() {
        let long =
            Process { args: &[&[b'y'; 400][..], b"\0"].concat(), code: i32::MIN, elapsed_ns: n, ..PROCESS };
        let text = write(&long, &all(n).0);
        assert!(text.len() <= line::WIDTH + 1 && text.ends_with('\n'), "{text}");
    }
}

#[test]
fn full_lists_regions_in_the_notation_of_mems_print_stats() {
    let text = text(4096, |to| {
        let mut chain = full::Chain::default();
        for item in [
            WalkItem::Region { start: 0x10000, bytes: 0x10000 },
            WalkItem::Process { start: 0x10000, bytes: 0x4000, slab: Some((64, 256, 40)) },
            WalkItem::Hole { start: 0x14000, bytes: 0xc000 },
            WalkItem::Region { start: 0x30000, bytes: 0x1000 },
            WalkItem::Process { start: 0x30000, bytes: 0x1000, slab: None },
        ] {
            chain.item(&item, to);
        }
        chain.end(to);
    });
    assert_eq!(
        text,
        "MAIN[10000:1ffff]-> P[10000:13fff 64 B 40/256] <-> H[14000:1ffff] <-> NULL\n\
         MAIN[30000:30fff]-> P[30000:30fff] <-> NULL\n"
    );
}

#[test]
fn full_says_what_it_had_no_room_for() {
    let mut place = [0; 1000];
    let mut to = Buffer::new(&mut place);
    let mut chain = full::Chain::default();
    for _ in 0..1000 {
        chain.item(&WalkItem::Hole { start: usize::MAX - 9, bytes: 10 }, &mut to);
    }
    chain.end(&mut to);
    assert!(!to.is_cut());
    assert!(String::from_utf8_lossy(to.as_bytes()).ends_with("more)\n"));
}

#[test]
fn full_needs_no_more_room_than_it_names() {
    let (mut counts, _) = all(u64::MAX);
    (counts.engine.regions, counts.engine.process, counts.engine.hole) = (5, 1000, 1000);
    text(full::room(&counts), |to| {
        full::classes(&counts, to);
        let mut chain = full::Chain::default();
        for _ in 0..1000 {
            let slab = Some((u32::MAX, u32::MAX, u32::MAX));
            chain.item(&WalkItem::Process { start: usize::MAX / 2, bytes: usize::MAX / 2, slab }, to);
            chain.item(&WalkItem::Hole { start: usize::MAX / 2, bytes: usize::MAX / 2 }, to);
        }
        chain.end(to);
        assert!(!String::from_utf8_lossy(to.as_bytes()).contains("more)"));
    });
}

#[test]
fn figures_have_the_form_that_people_read() {
    let show = |write: &dyn Fn(&mut Buffer)| text(64, |to| write(to));
    for (n, expected) in [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1024 * 1024 - 1, "1.0 MiB"),
        (3_250_585, "3.1 MiB"),
        (u64::MAX, "16.0 EiB"),
    ] {
        assert_eq!(show(&|to| figures::bytes(n, to)), expected);
    }
    for (n, width, expected) in
        [(0, 9, "0"), (1_234_567, 9, "1,234,567"), (12_345_678, 9, "12.3 M"), (u64::MAX, 13, "18.4 E")]
    {
        assert_eq!(show(&|to| figures::count(n, width, to)), expected);
    }
    for (ns, expected) in [
        (999, "0 us"),
        (12_345, "12 us"),
        (3_450_000, "3.4 ms"),
        (1_380_000_000, "1.38 s"),
        (312_000_000_000, "5 min 12 s"),
        (11_220_000_000_000, "3 h 7 min"),
        (u64::MAX, "213503 d"),
    ] {
        assert_eq!(show(&|to| figures::span(ns, to)), expected);
    }
    for (part, whole, expected) in [
        (0, 0, "0%"),
        (1, 1000, "<1%"),
        (609, 1000, "61%"),
        (999, 1000, "99%"),
        (5, 5, "100%"),
        (u64::MAX, 1, "999%"),
    ] {
        assert_eq!(show(&|to| figures::percent(part, whole, to)), expected);
    }
}

#[test]
fn a_full_buffer_cuts_and_says_so() {
    let mut place = [0; 4];
    let mut to = Buffer::new(&mut place);
    to.grouped(1234);
    assert!(to.is_cut());
    assert_eq!(to.as_bytes(), b"1,23");
    to.hex(1);
    assert_eq!((to.len(), to.room()), (4, 0));
}
