//! The screen of `mems top`: processes, the figures of the chosen one, its live memory over time, its sizes.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Paragraph, Row, Sparkline, Table};
use ratatui::{DefaultTerminal, Frame};

use crate::failure::{Failure, Outcome, reason};
use crate::figures::{bar, bytes, count, cut, share, time};
use crate::live::Target;
use crate::top::{Look, Options, look, others};

/// The state of the screen.
struct Screen {
    looks: Vec<Look>,
    selected: usize,
    /// Live memory of the selected process, oldest first.
    history: VecDeque<u64>,
    history_of: u32,
    ended: bool,
}

/// Shows it until a key ends it.
pub fn show(mut terminal: DefaultTerminal, mut targets: Vec<Target>, options: &Options) -> Outcome<()> {
    let failed = |e: io::Error| Failure::refused(format!("the terminal: {}", reason(&e)));
    let mut state =
        Screen { looks: Vec::new(), selected: 0, history: VecDeque::new(), history_of: 0, ended: false };
    let mut looks = 0;
    let mut next = Instant::now();
    loop {
        if Instant::now() >= next {
            next = Instant::now() + Duration::from_secs_f64(options.interval);
            let now = look(&mut targets, &state.looks);
            state.ended = now.is_empty();
            if !state.ended {
                state.looks = now;
            }
            state.remember();
            looks += 1;
            if options.pid.is_none() {
                targets = others(&mut targets);
            }
        }
        terminal.draw(|frame| draw(frame, &state)).map_err(failed)?;
        if options.count.is_some_and(|most| looks >= most) {
            return Ok(());
        }
        let pause = next.saturating_duration_since(Instant::now());
        if event::poll(pause).map_err(failed)?
            && let Event::Key(key) = event::read().map_err(failed)?
            && key.kind == KeyEventKind::Press
        {
            let last = state.looks.len().saturating_sub(1);
            match key.code {
                KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
                KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(()),
                KeyCode::Up | KeyCode::Char('k') => state.selected = state.selected.saturating_sub(1),
                KeyCode::Down | KeyCode::Char('j') => state.selected = (state.selected + 1).min(last),
                _ => {}
            }
            state.remember();
        }
    }
}

impl Screen {
    /// Keeps the selected process's live memory, and begins anew with another process.
    fn remember(&mut self) {
        self.selected = self.selected.min(self.looks.len().saturating_sub(1));
        let Some(look) = self.looks.get(self.selected) else { return };
        if look.pid != self.history_of {
            self.history.clear();
            self.history_of = look.pid;
        }
        self.history.push_back(look.facts.counts.live_usable);
        if self.history.len() > 500 {
            self.history.pop_front();
        }
    }
}

const LABEL: Style = Style::new().fg(Color::DarkGray);
const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);

fn draw(frame: &mut Frame, state: &Screen) {
    let Some(look) = state.looks.get(state.selected) else { return };
    let list = if state.looks.len() > 1 {
        (state.looks.len() as u16 + 3).min(frame.area().height / 3).max(5)
    } else {
        0
    };
    let parts = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(list),
        Constraint::Length(8),
        Constraint::Length(6),
        Constraint::Min(4),
        Constraint::Length(1),
    ]);
    let [title, processes, figures, history, sizes, foot] = parts.areas(frame.area());
    let head = format!(
        " mems top   {} {}",
        look.pid,
        cut(&look.command, usize::from(title.width).saturating_sub(24))
    );
    let head = Line::from(head).style(Style::new().fg(Color::Black).bg(Color::Cyan));
    frame.render_widget(Paragraph::new(head).style(Style::new().bg(Color::Cyan)), title);
    if list > 0 {
        draw_processes(frame, state, processes);
    }
    draw_figures(frame, look, figures);
    let values: Vec<u64> = state.history.iter().copied().collect();
    let shown = values.len().saturating_sub(usize::from(history.width.saturating_sub(2)));
    let highest = values.iter().max().copied().unwrap_or(0);
    let block =
        Block::bordered().border_style(LABEL).title(format!(" live, up to {} ", bytes(highest as i64)));
    let line = Sparkline::default().block(block).data(&values[shown..]).style(Style::new().fg(Color::Green));
    frame.render_widget(line, history);
    draw_sizes(frame, look, sizes);
    let keys =
        if state.ended { " the process has ended   q quit" } else { " q quit   up/down choose a process" };
    frame.render_widget(Paragraph::new(keys).style(LABEL), foot);
}

fn draw_processes(frame: &mut Frame, state: &Screen, area: Rect) {
    let rows = state.looks.iter().enumerate().map(|(index, look)| {
        let counts = &look.facts.counts;
        let cells = [
            look.pid.to_string(),
            bytes(counts.live_usable as i64),
            bytes(counts.peak.live_usable as i64),
            bytes(counts.engine.mapped as i64),
            look.rates.map_or("-".into(), |rates| count(rates[0] as i64)),
            look.command.clone(),
        ];
        let style = if index == state.selected {
            Style::new().add_modifier(Modifier::REVERSED)
        } else {
            Style::new()
        };
        Row::new(cells).style(style)
    });
    let widths = [8, 11, 11, 11, 12].map(Constraint::Length).into_iter().chain([Constraint::Min(10)]);
    let heading = Row::new(["pid", "live", "peak", "mapped", "blocks/s", "command"]).style(LABEL);
    let table = Table::new(rows, widths).header(heading).block(Block::bordered().border_style(LABEL));
    frame.render_widget(table, area);
}

fn draw_figures(frame: &mut Frame, look: &Look, area: Rect) {
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

fn draw_sizes(frame: &mut Frame, look: &Look, area: Rect) {
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
        let limit = if row.le > 1 << 62 {
            "larger".into()
        } else {
            format!("<= {}", bytes(row.le as i64).replace(".0 ", " "))
        };
        Row::new([
            Cell::from(format!("{limit:>11}")),
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
