//! An SVG to draw on, in fractions of a pixel.
//!
//! The backend knows whole units only. It is given a canvas of [`SCALE`] units a pixel, and the finished text a view box of that
//! size, so that curves are smooth at any magnification.

use std::fmt::Write as _;

use plotters::{
    backend::DrawingBackend,
    prelude::SVGBackend,
    style::{
        Color, FontDesc, FontFamily, FontStyle, RGBAColor, RGBColor, ShapeStyle, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use crate::{Format, format::Palette};

/// Units a pixel.
const SCALE: f64 = 8.0;
/// The backend divides the size of a font by this, from points to pixels as it thinks.
const BACKEND_POINTS: f64 = 1.24;
/// What a machine that has none of the first ones shows is as good.
const FONT: &str = "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/// A point in pixels from the upper left corner.
pub(crate) type Point = (f64, f64);

/// On which side of its point a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// The text begins at the point.
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    pub(crate) size: f64,
    pub(crate) colour: RGBColor,
    pub(crate) align: Align,
    pub(crate) bold: bool,
}

impl Words {
    pub(crate) fn new(size: f64, colour: RGBColor) -> Self {
        Self { size, colour, align: Align::Start, bold: false }
    }

    pub(crate) fn align(self, align: Align) -> Self {
        Self { align, ..self }
    }

    pub(crate) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
}

/// About how wide a text will be, in pixels: which font is there nobody knows before it is shown.
pub(crate) fn width_of(text: &str, size: f64) -> f64 {
    let narrow = |letter: &char| " .,:;|'il1".contains(*letter);
    let (narrow, wide): (Vec<char>, Vec<char>) = text.chars().partition(narrow);
    (narrow.len() as f64 * 0.36 + wide.len() as f64 * 0.64) * size
}

pub(crate) struct Canvas<'a> {
    svg: SVGBackend<'a>,
    pub(crate) palette: Palette,
}

/// The chart that `paint` draws; `title` is what screen readers say.
pub(crate) fn draw(format: Format, title: &str, paint: impl FnOnce(&mut Canvas<'_>)) -> String {
    let mut text = String::new();
    let palette = format.theme.palette();
    let size = (units(f64::from(format.width)).unsigned_abs(), units(f64::from(format.height)).unsigned_abs());
    let mut canvas = Canvas { svg: SVGBackend::with_string(&mut text, size), palette };
    canvas.fill((0.0, 0.0), (f64::from(format.width), f64::from(format.height)), palette.ground.to_rgba());
    paint(&mut canvas);
    canvas.svg.present().expect("a string takes what is written to it");
    drop(canvas);
    with_head(&text, format, size, title)
}

/// The text under a head that says its size in pixels and what it shows.
fn with_head(text: &str, format: Format, size: (u32, u32), title: &str) -> String {
    let (_, body) = text.split_once('\n').expect("the backend begins with a line of its own");
    let mut whole = String::with_capacity(text.len() + 400);
    let (width, height) = (format.width, format.height);
    let _ = writeln!(
        whole,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {} {}" role="img" stroke-linejoin="round">"#,
        size.0, size.1
    );
    let _ = writeln!(whole, "<title>{}</title>", escaped(title));
    whole.push_str(body);
    whole
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[allow(clippy::cast_possible_truncation, reason = "a chart is some thousand pixels wide")]
fn units(pixels: f64) -> i32 {
    (pixels * SCALE).round() as i32
}

fn stroke(colour: RGBAColor, width: f64) -> ShapeStyle {
    ShapeStyle { color: colour, filled: false, stroke_width: units(width).unsigned_abs().max(1) }
}

fn unit_points(points: &[Point]) -> Vec<(i32, i32)> {
    points.iter().map(|(x, y)| (units(*x), units(*y))).collect()
}

impl Canvas<'_> {
    pub(crate) fn line(&mut self, points: &[Point], colour: RGBAColor, width: f64) {
        if points.len() > 1 {
            self.svg.draw_path(unit_points(points), &stroke(colour, width)).expect("a string takes what is written to it");
        }
    }

    pub(crate) fn dashed(&mut self, from: Point, to: Point, colour: RGBAColor, width: f64) {
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let (dash, gap) = (4.0, 3.0);
        let at = |distance: f64| {
            let part = (distance / length).min(1.0);
            (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part)
        };
        let mut start = 0.0;
        while start < length {
            self.line(&[at(start), at(start + dash)], colour, width);
            start += dash + gap;
        }
    }

    pub(crate) fn polygon(&mut self, points: &[Point], colour: RGBAColor) {
        if points.len() > 2 {
            self.svg.fill_polygon(unit_points(points), &colour).expect("a string takes what is written to it");
        }
    }

    /// A filled rectangle.
    pub(crate) fn fill(&mut self, corner: Point, opposite: Point, colour: RGBAColor) {
        let from = (units(corner.0.min(opposite.0)), units(corner.1.min(opposite.1)));
        let to = (units(corner.0.max(opposite.0)), units(corner.1.max(opposite.1)));
        self.svg.draw_rect(from, to, &colour, true).expect("a string takes what is written to it");
    }

    pub(crate) fn disc(&mut self, centre: Point, radius: f64, colour: RGBAColor) {
        let centre = (units(centre.0), units(centre.1));
        self.svg.draw_circle(centre, units(radius).unsigned_abs(), &colour, true).expect("a string takes what is written to it");
    }

    /// One line of text whose middle is as high as the point.
    pub(crate) fn text(&mut self, text: &str, at: Point, words: Words) {
        let style = if words.bold { FontStyle::Bold } else { FontStyle::Normal };
        let font = FontDesc::new(FontFamily::Name(FONT), (words.size * SCALE).round() * BACKEND_POINTS, style);
        let horizontal = match words.align {
            Align::Start => HPos::Left,
            Align::Middle => HPos::Center,
            Align::End => HPos::Right,
        };
        let style = TextStyle { font, color: words.colour.to_backend_color(), pos: Pos::new(horizontal, VPos::Center) };
        self.svg.draw_text(text, &style, (units(at.0), units(at.1))).expect("a string takes what is written to it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Theme;

    #[test]
    fn a_chart_is_as_large_as_asked_and_its_words_are_only_words() {
        let format = Format { width: 300, height: 200, theme: Theme::Light };
        let text = draw(format, "A & B <script>", |canvas| {
            canvas.text("x < y & z", (10.0, 10.0), Words::new(12.0, canvas.palette.text));
        });
        assert!(text.starts_with(r#"<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200" viewBox="0 0 2400 1600""#), "{text}");
        assert!(text.contains("<title>A &amp; B &lt;script&gt;</title>") && text.contains("x &lt; y &amp; z"), "{text}");
        assert!(text.trim_end().ends_with("</svg>"), "{text}");
    }
}
