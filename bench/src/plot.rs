//! The report's plots, as SVG: where each allocator stands on time and memory, every row against the field of peers, and the
//! curves. It draws numbers it is given; it computes none but axis limits.

use plotters::prelude::*;
use std::path::Path;

/// One named line or point set of a plot.
pub struct Series {
    /// Name in the legend or beside the point.
    pub name: String,
    /// Points, x ascending for lines.
    pub points: Vec<(f64, f64)>,
}

/// One row of the field plot: ratios to glibc.
pub struct Field {
    /// Row name.
    pub name: String,
    /// Ratio of MeMS, where it ran.
    pub mems: Option<f64>,
    /// Ratios of the peers.
    pub peers: Vec<f64>,
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

const MEMS: RGBColor = RGBColor(200, 30, 30);
const PEER: RGBColor = RGBColor(110, 120, 135);

/// Distinct colours; MeMS's is its own everywhere.
fn colour(name: &str, index: usize) -> RGBColor {
    const OTHERS: [(u8, u8, u8); 8] = [
        (40, 40, 40),
        (31, 119, 180),
        (44, 160, 44),
        (148, 103, 189),
        (255, 127, 14),
        (23, 150, 160),
        (227, 119, 194),
        (140, 86, 75),
    ];
    let (r, g, b) = OTHERS[index % OTHERS.len()];
    if name.starts_with("mems") { MEMS } else { RGBColor(r, g, b) }
}

fn limits(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
}

fn label<'a>(size: f64, colour: &'a RGBColor) -> TextStyle<'a> {
    ("sans-serif", size).into_font().color(colour)
}

/// CPU time against peak RSS, both as geometric means of ratios to glibc: nearer to the lower left corner is better.
pub fn standing(path: &Path, series: &[Series]) -> Drawn {
    let root = SVGBackend::new(path, (760, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    let points = || series.iter().flat_map(|one| one.points.iter().copied());
    let ((left, right), (low, high)) = (limits(points().map(|p| p.0)), limits(points().map(|p| p.1)));
    let (wide, tall) = ((right - left).max(0.1) * 0.18, (high - low).max(0.1) * 0.12);
    let caption = "CPU time and peak RSS, geometric means, glibc = 1";
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .caption(caption, label(17.0, &BLACK))
        .build_cartesian_2d(left - wide / 2.0..right + wide * 1.3, low - tall..high + tall)?;
    chart.configure_mesh().light_line_style(WHITE).x_desc("CPU time").y_desc("peak RSS").draw()?;
    for one in series {
        let (colour, size) = if one.name.starts_with("mems") { (MEMS, 7) } else { (PEER, 5) };
        chart.draw_series(one.points.iter().map(|point| Circle::new(*point, size, colour.filled())))?;
        let text = one.points.iter().map(|point| {
            EmptyElement::at(*point) + Text::new(one.name.clone(), (9, -6), label(13.0, &BLACK))
        });
        chart.draw_series(text)?;
    }
    root.present()?;
    Ok(())
}

/// Every row: a grey span from the best to the worst peer, a tick for each of them, a dot for MeMS. Logarithmic.
pub fn field(path: &Path, title: &str, rows: &[Field]) -> Drawn {
    let height = 90 + 17 * rows.len() as u32;
    let root = SVGBackend::new(path, (860, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let all = rows.iter().flat_map(|row| row.peers.iter().copied().chain(row.mems));
    let (low, high) = limits(all.filter(|value| *value > 0.0));
    let (low, high) = ((low.min(1.0) * 0.85).ln(), (high.max(1.0) * 1.15).ln());
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .margin_left(150)
        .margin_bottom(44)
        .caption(title, label(17.0, &BLACK))
        .build_cartesian_2d(low..high, 0.0..rows.len() as f64)?;
    for mark in [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0] {
        let x = f64::ln(mark);
        if x > low && x < high {
            let style = if mark == 1.0 { BLACK.stroke_width(1) } else { PEER.mix(0.4).stroke_width(1) };
            chart.draw_series([PathElement::new(vec![(x, 0.0), (x, rows.len() as f64)], style)])?;
            let place = chart.backend_coord(&(x, 0.0));
            root.draw(&Text::new(mark.to_string(), (place.0 - 9, place.1 + 8), label(12.0, &BLACK)))?;
        }
    }
    root.draw(&Text::new("ratio to glibc", (12, height as i32 - 32), label(12.0, &BLACK)))?;
    for (index, row) in rows.iter().enumerate() {
        let y = rows.len() as f64 - index as f64 - 0.5;
        let (best, worst) = limits(row.peers.iter().map(|value| value.ln()));
        if best <= worst {
            chart.draw_series([PathElement::new(
                vec![(best, y), (worst, y)],
                PEER.mix(0.5).stroke_width(4),
            )])?;
        }
        chart.draw_series(row.peers.iter().map(|value| Circle::new((value.ln(), y), 2, PEER.filled())))?;
        chart.draw_series(row.mems.iter().map(|value| Circle::new((value.ln(), y), 5, MEMS.filled())))?;
        let place = chart.backend_coord(&(low, y));
        root.draw(&Text::new(row.name.clone(), (12, place.1 - 6), label(12.0, &BLACK)))?;
    }
    root.present()?;
    Ok(())
}

/// Powers of ten and two as people write them.
struct Plain;

impl Plain {
    fn text(value: f64) -> String {
        match value {
            v if v >= 1e6 => format!("{}M", v / 1e6),
            v if v >= 1e3 => format!("{}k", v / 1e3),
            v => format!("{v}"),
        }
    }
}

/// Lines over a logarithmic x axis.
pub fn curves(path: &Path, title: &str, x: &str, y: &str, series: &[Series]) -> Drawn {
    let root = SVGBackend::new(path, (760, 440)).into_drawing_area();
    root.fill(&WHITE)?;
    let points = || series.iter().flat_map(|one| one.points.iter().copied());
    let ((left, right), (_, high)) = (limits(points().map(|p| p.0)), limits(points().map(|p| p.1)));
    let mut chart = ChartBuilder::on(&root)
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .caption(title, label(17.0, &BLACK))
        .build_cartesian_2d((left..right * 1.02).log_scale(), 0.0..high * 1.05)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc(x)
        .y_desc(y)
        .x_label_formatter(&|value| Plain::text(*value))
        .draw()?;
    for (index, one) in series.iter().enumerate() {
        let colour = colour(&one.name, index);
        let width = if one.name.starts_with("mems") { 3 } else { 2 };
        let line =
            chart.draw_series(LineSeries::new(one.points.iter().copied(), colour.stroke_width(width)))?;
        line.label(one.name.clone())
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(width)));
        chart.draw_series(one.points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(PEER)
        .draw()?;
    root.present()?;
    Ok(())
}
