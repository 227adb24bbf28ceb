//! The screen of `mems top`: what is on it, where, and the keys. What each panel shows is `panels`'.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Sparkline};
use ratatui::{DefaultTerminal, Frame};

use super::Options;
use super::panels::{self, LABEL};
use crate::busy::{Busy, Order};
use crate::callers::Names;
use crate::failure::{Failure, Outcome, reason};
use crate::figures::{bytes, cut};
use crate::live::Target;
use crate::look::{Look, look, more};

/// The state of the screen.
struct Screen {
    looks: Vec<Look>,
    selected: usize,
    /// Live memory of the selected process, oldest first.
    history: VecDeque<u64>,
    history_of: u32,
    order: Order,
    /// Where there is room for one panel only: sizes, and not sites.
    sizes: bool,
    names: HashMap<u32, Names>,
    ended: bool,
}

/// Shows it until a key ends it.
pub fn show(mut terminal: DefaultTerminal, mut targets: Vec<Target>, options: &Options) -> Outcome<()> {
    let failed = |e: io::Error| Failure::refused(format!("the terminal: {}", reason(&e)));
    let mut state = Screen {
        looks: Vec::new(),
        selected: 0,
        history: VecDeque::new(),
        history_of: 0,
        order: options.order,
        sizes: false,
        names: HashMap::new(),
        ended: false,
    };
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
                more(&mut targets);
            }
            // Names take their time when they are new: the figures are shown before.
            terminal.draw(|frame| draw(frame, &state)).map_err(failed)?;
        }
        state.name(&targets, terminal.size().map_or(0, |size| size.height.into()));
        terminal.draw(|frame| draw(frame, &state)).map_err(failed)?;
        if options.count.is_some_and(|most| looks >= most) {
            return Ok(());
        }
        let pause = next.saturating_duration_since(Instant::now());
        if event::poll(pause).map_err(failed)?
            && let Event::Key(key) = event::read().map_err(failed)?
            && key.kind == KeyEventKind::Press
        {
            match key.code {
                KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
                KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(()),
                KeyCode::Up | KeyCode::Char('k') => state.select(state.selected.saturating_sub(1)),
                KeyCode::Down | KeyCode::Char('j') => state.select(state.selected + 1),
                KeyCode::Char('m') => state.order = state.order.next(),
                KeyCode::Tab => state.sizes = !state.sizes,
                _ => {}
            }
        }
    }
}

impl Screen {
    fn select(&mut self, number: usize) {
        self.selected = number.min(self.looks.len().saturating_sub(1));
        if self.looks.get(self.selected).is_some_and(|look| look.pid != self.history_of) {
            self.remember();
        }
    }

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

    /// Looks up the names of the sites that are shown, `most` at most.
    fn name(&mut self, targets: &[Target], most: usize) {
        let Some(look) = self.looks.get(self.selected) else { return };
        if let Some(target) = targets.iter().find(|target| target.pid == look.pid) {
            look.sites.name(self.order, most, target, self.names.entry(look.pid).or_default());
        }
    }
}

/// Rows and columns from which both panels have room, one under the other or side by side.
const TALL: u16 = 38;
const WIDE: u16 = 150;

fn draw(frame: &mut Frame, state: &Screen) {
    let Some(look) = state.looks.get(state.selected) else { return };
    let whole = frame.area();
    let list = match state.looks.len() {
        0 | 1 => 0,
        more => (more as u16 + 3).min(whole.height / 3).max(5),
    };
    let history = if whole.height - list < 28 { 4 } else { 6 };
    let parts = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(list),
        Constraint::Length(8),
        Constraint::Length(history),
        Constraint::Min(4),
        Constraint::Length(1),
    ]);
    let [title, processes, figures, history, rest, foot] = parts.areas(whole);
    let head = format!(
        " mems top   {} {}",
        look.pid,
        cut(&look.command, usize::from(title.width).saturating_sub(24))
    );
    let head = Line::from(head).style(Style::new().fg(Color::Black).bg(Color::Cyan));
    frame.render_widget(Paragraph::new(head).style(Style::new().bg(Color::Cyan)), title);
    if list > 0 {
        panels::processes(frame, &state.looks, state.selected, processes);
    }
    panels::figures(frame, look, figures);
    draw_history(frame, state, history);
    let tab = draw_rest(frame, state, look, rest);
    let keys = match state.ended {
        true => " the process has ended   q quit".into(),
        false => {
            let choose = if list > 0 { "   up/down choose a process" } else { "" };
            format!(" q quit{choose}   m order sites by {}{tab}", state.order.next().name())
        }
    };
    frame.render_widget(Paragraph::new(keys).style(LABEL), foot);
}

fn draw_history(frame: &mut Frame, state: &Screen, area: Rect) {
    let values: Vec<u64> = state.history.iter().copied().collect();
    let shown = values.len().saturating_sub(usize::from(area.width.saturating_sub(2)));
    let highest = values.iter().max().copied().unwrap_or(0);
    let block =
        Block::bordered().border_style(LABEL).title(format!(" live, up to {} ", bytes(highest as i64)));
    let line = Sparkline::default().block(block).data(&values[shown..]).style(Style::new().fg(Color::Green));
    frame.render_widget(line, area);
}

/// Sites and sizes, where there is room for both; else the one that was chosen. What the foot says of that.
fn draw_rest(frame: &mut Frame, state: &Screen, look: &Look, area: Rect) -> &'static str {
    let none = Names::default();
    let names = state.names.get(&look.pid).unwrap_or(&none);
    let both = match frame.area() {
        whole if whole.width >= WIDE => {
            Some(Layout::horizontal([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(area))
        }
        whole if whole.height >= TALL => Some(Layout::vertical([Constraint::Percentage(50); 2]).areas(area)),
        _ => None,
    };
    if let Some([first, second]) = both {
        panels::sites(frame, look, state.order, names, first);
        panels::sizes(frame, look, second);
        return "";
    }
    // Where no sites are recorded the sizes are of more use.
    if state.sizes != matches!(look.sites, Busy::Off) {
        panels::sizes(frame, look, area);
        "   tab call sites"
    } else {
        panels::sites(frame, look, state.order, names, area);
        "   tab sizes"
    }
}
