//! The panels of the screen of `mems top`: processes, figures, sizes, call sites. They draw what a look has seen, no more.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Paragraph, Row, Table, Wrap};

use crate::busy::Order;
use crate::callers::Names;
use crate::figures::{bar, bytes, count, share, time, up_to};
use crate::look::Look;

/// For what explains.
pub const LABEL: Style = Style::new().fg(Color::DarkGray);
const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);

/// All processes, the chosen one marked.
pub fn processes(frame: &mut Frame, looks: &[Look], selected: usize, area: Rect) {
    let rows = looks.iter().enumerate().map(|(index, look)| {
        let counts = &look.facts.counts;
        let cells = [
            look.pid.to_string(),
            bytes(counts.live_usable as i64),
            bytes(counts.peak.live_usable as i64),
            bytes(counts.engine.mapped as i64),
            look.rates.map_or("-".into(), |rates| count(rates[0] as i64)),
            look.command.clone(),
        ];
        let style =
            if index == selected { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
        Row::new(cells).style(style)
    });
    let widths = [8, 11, 11, 11, 12].map(Constraint::Length).into_iter().chain([Constraint::Min(10)]);
    let heading = Row::new(["pid", "live", "peak", "mapped", "blocks/s", "command"]).style(LABEL);
    let table = Table::new(rows, widths).header(heading).block(Block::bordered().border_style(LABEL));
    frame.render_widget(table, area);
}

/// The figures of one process.
pub fn figures(frame: &mut Frame, look: &Look, area: Rect) {
    let counts = &look.facts.counts;
    let field = |label: &str, value: String, more: String| {
        Line::from(vec![
            Span::styled(format!(" {label:<10}"), LABEL),
            Span::styled(format!("{value:>12}"), STRONG),
            Span::raw(format!("   {more}")),
        ])
    };
    let peak = if counts.peak.exact {
        String::new()
    } else {
        format!(", within {}", bytes(counts.peak.bound as i64))
    };
    let threads = counts.threads;
    let failed: u64 = counts.failed.iter().sum();
    let asked: u64 = counts.asked.iter().sum();
    let unused = counts.engine.mapped.saturating_sub(counts.live_usable);
    let rates = match look.rates {
        Some([asked, freed, size]) => (
            count(asked as i64),
            format!("blocks asked a second, {} freed; {} a second", count(freed as i64), bytes(size as i64)),
        ),
        None => ("-".into(), "blocks asked a second".into()),
    };
    let lines = vec![
        field(
            "live",
            bytes(counts.live_usable as i64),
            format!("in {} blocks", count(counts.blocks_live as i64)),
        ),
        field(
            "peak",
            bytes(counts.peak.live_usable as i64),
            format!("in {} blocks{peak}", count(counts.peak.live_blocks as i64)),
        ),
        field(
            "mapped",
            bytes(counts.engine.mapped as i64),
            format!(
                "{} not live ({}); {} at its peak; {} mmap, {} munmap",
                bytes(unused as i64),
                share(unused as i64, counts.engine.mapped as i64),
                bytes(counts.peak.mapped as i64),
                count(counts.engine.mmap as i64),
                count(counts.engine.munmap as i64)
            ),
        ),
        field("rate", rates.0, rates.1),
        field(
            "asked",
            bytes(asked as i64),
            format!("in {} blocks since the start", count(counts.blocks_asked as i64)),
        ),
        field(
            "threads",
            count(threads[0] as i64),
            format!(
                "{} at the peak, {} ever; {} calls refused",
                threads[1],
                threads[2],
                count(failed as i64)
            ),
        ),
    ];
    let age =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
    let age = if look.facts.start_unix_ns > 0 {
        time(age.saturating_sub(look.facts.start_unix_ns))
    } else {
        String::new()
    };
    let block = Block::bordered().border_style(LABEL).title(format!(" memory after {age} "));
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// What sizes it asks for.
pub fn sizes(frame: &mut Frame, look: &Look, area: Rect) {
    let rows: Vec<_> = look.facts.counts.sizes.iter().filter(|row| row.blocks > 0).collect();
    let most = rows.iter().map(|row| row.blocks).max().unwrap_or(0);
    let blocks: u64 = rows.iter().map(|row| row.blocks).sum();
    let room = usize::from(area.height.saturating_sub(3));
    // Of too many, those with most blocks.
    let mut ranked: Vec<u64> = rows.iter().map(|row| row.blocks).collect();
    ranked.sort_unstable_by(|a, b| b.cmp(a));
    let least = ranked.get(room.saturating_sub(1)).copied().unwrap_or(0);
    let width = usize::from(area.width.saturating_sub(52));
    let shown = rows.iter().filter(|row| row.blocks >= least).take(room).map(|row| {
        Row::new([
            Cell::from(format!("{:>11}", up_to(row.le))),
            Cell::from(format!("{:>14}", count(row.blocks as i64))),
            Cell::from(format!("{:>4}", share(row.blocks as i64, blocks as i64))),
            Cell::from(format!("{:>10}", bytes(row.asked as i64))),
            Cell::from(bar(row.blocks, most, width)).style(Style::new().fg(Color::Blue)),
        ])
    });
    let widths = [11, 14, 5, 11].map(Constraint::Length).into_iter().chain([Constraint::Min(4)]);
    let heading = Row::new(["       size", "        blocks", "", "     asked", ""]).style(LABEL);
    let table = Table::new(shown, widths)
        .header(heading)
        .block(Block::bordered().border_style(LABEL).title(" sizes asked since the start "));
    frame.render_widget(table, area);
}

/// Who asks, in this order.
pub fn sites(frame: &mut Frame, look: &Look, order: Order, names: &Names, area: Rect) {
    let block = Block::bordered().border_style(LABEL).title(format!(" call sites by {} ", order.name()));
    if let Some(excuse) = look.sites.excuse() {
        let text = Paragraph::new(format!(" {excuse}")).wrap(Wrap { trim: false }).style(LABEL).block(block);
        return frame.render_widget(text, area);
    }
    let mark = look.sites.mark();
    let first = look.sites.first(order, usize::from(area.height.saturating_sub(3)));
    let rows = first.iter().map(|row| {
        let site = &row.site;
        let (calls, asked) = match row.rates {
            Some([calls, asked]) => (count(calls as i64), bytes(asked as i64)),
            None => ("-".into(), "-".into()),
        };
        let last = match order {
            Order::Temporary => count(site.temporary as i64),
            _ => calls,
        };
        Row::new([
            Cell::from(format!("{:>11}", format!("{mark}{}", bytes(site.live)))),
            Cell::from(format!("{:>4}", look.sites.share(row, order))),
            Cell::from(format!("{last:>11}")),
            Cell::from(format!("{asked:>10}")),
            Cell::from(names.line(site.number)),
        ])
    });
    let widths = [11, 4, 11, 10].map(Constraint::Length).into_iter().chain([Constraint::Min(10)]);
    let third = if order == Order::Temporary { "  temporary" } else { "   blocks/s" };
    let heading = Row::new(["       live", "", third, "   bytes/s", "called from"]).style(LABEL);
    frame.render_widget(Table::new(rows, widths).header(heading).block(block), area);
}
