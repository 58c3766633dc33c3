//! One stock: price with bands and averages, signals and trades on it, volume, RSI and MACD below.

use jiff::civil::Date;
use plotters::style::{Color, RGBColor};

use crate::{
    Format,
    canvas::{Align, Canvas, Words, draw},
    pane::{Pane, heading, nothing, range_of, stack},
    ticks::{short, signed_percent, written},
};

/// What is shown of a stock: a value a session in each column, oldest first, `NaN` where there is none (yet).
#[derive(Debug, Clone)]
pub struct StockChart<'a> {
    pub symbol: &'a str,
    pub company: &'a str,
    pub dates: &'a [Date],
    /// Dollars, on the share basis of the newest session, as all prices here.
    pub open: &'a [f64],
    pub high: &'a [f64],
    pub low: &'a [f64],
    pub close: &'a [f64],
    /// Shares.
    pub volume: &'a [f64],
    pub bands: Bands<'a>,
    pub averages: Averages<'a>,
    /// 0 to 100.
    pub rsi: &'a [f64],
    pub macd: Macd<'a>,
    /// What the model proposed.
    pub signals: &'a [Mark],
    /// What the user did.
    pub trades: &'a [Trade],
}

/// Bollinger's bands.
#[derive(Debug, Clone, Copy)]
pub struct Bands<'a> {
    pub upper: &'a [f64],
    pub middle: &'a [f64],
    pub lower: &'a [f64],
}

/// Simple averages of 50 and 200 closes.
#[derive(Debug, Clone, Copy)]
pub struct Averages<'a> {
    pub of_50: &'a [f64],
    pub of_200: &'a [f64],
}

#[derive(Debug, Clone, Copy)]
pub struct Macd<'a> {
    pub line: &'a [f64],
    pub signal: &'a [f64],
    pub histogram: &'a [f64],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Buy,
    Sell,
}

/// A proposal at a session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// Position among the dates.
    pub session: usize,
    pub direction: Direction,
    /// 0 to 1; the surer, the stronger the colour.
    pub confidence: f64,
}

/// Shares that changed hands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trade {
    /// Position among the dates.
    pub session: usize,
    pub direction: Direction,
    /// Dollars, on the chart's share basis.
    pub price: f64,
}

/// Draws it.
pub fn stock(chart: &StockChart<'_>, format: Format) -> String {
    let size = (f64::from(format.width), f64::from(format.height));
    let title = format!("{} · {}", chart.symbol, chart.company);
    draw(format, &title, |canvas| {
        let Some(last) = chart.close.len().checked_sub(1) else {
            heading(canvas, size.0, &title, &[], "");
            return nothing(canvas, size, "There are no prices in this range.");
        };
        head(canvas, chart, size.0, &title, last);
        let prices = chart.high.iter().chain(chart.low).chain(chart.bands.upper).chain(chart.bands.lower).copied();
        let prices = range_of(prices.chain(chart.trades.iter().map(|trade| trade.price)), 0.06);
        let volume = 0.0..range_of(chart.volume.iter().copied().chain([0.0]), 0.08).end;
        let swing = range_of(chart.macd.line.iter().chain(chart.macd.signal).chain(chart.macd.histogram).copied().chain([0.0]), 0.12);
        let parts = [(54.0, prices), (13.0, volume), (14.0, 0.0..100.0), (17.0, swing)];
        let panes = stack(size, chart.dates.len(), &parts);
        let [price, volume, rsi, macd] = &panes[..] else { return };
        for pane in &panes {
            pane.dates(canvas, chart.dates, std::ptr::eq(pane, macd));
        }
        draw_price(canvas, price, chart, last);
        draw_volume(canvas, volume, chart);
        draw_rsi(canvas, rsi, chart, last);
        draw_macd(canvas, macd, chart);
    })
}

fn head(canvas: &mut Canvas<'_>, chart: &StockChart<'_>, width: f64, title: &str, last: usize) {
    let palette = canvas.palette;
    let toned = |change: f64| if change < 0.0 { palette.down } else { palette.up };
    let percent = |from: f64| (chart.close[last] / from - 1.0) * 100.0;
    let mut facts = vec![(format!("${}", written(chart.close[last], 2)), palette.text)];
    if last > 0 {
        let (day, range) = (percent(chart.close[last - 1]), percent(chart.close[0]));
        facts.push((format!("day {}", signed_percent(day)), toned(day)));
        facts.push((format!("range {}", signed_percent(range)), toned(range)));
    }
    let count = |direction| chart.signals.iter().filter(|mark| mark.direction == direction).count();
    let (buys, sells) = (count(Direction::Buy), count(Direction::Sell));
    let said = if buys + sells == 0 { String::new() } else { format!(" · signals: {buys} buy ▲, {sells} sell ▼") };
    let traded = match chart.trades.len() {
        0 => String::new(),
        1 => " · 1 trade of yours".to_owned(),
        number => format!(" · {number} trades of yours"),
    };
    let (from, until) = (day(chart.dates[0]), day(chart.dates[last]));
    heading(canvas, width, title, &facts, &format!("{from} – {until}, adjusted for splits{said}{traded}"));
}

pub(crate) fn day(date: Date) -> String {
    date.strftime("%-d %b %Y").to_string()
}

fn draw_price(canvas: &mut Canvas<'_>, pane: &Pane, chart: &StockChart<'_>, last: usize) {
    let palette = canvas.palette;
    let cents = if chart.close[last] < 100.0 { 2 } else { 0 };
    pane.numbers_beside(canvas, chart.close[last], |number, places| written(number, places.max(cents)));
    pane.band(canvas, chart.bands.upper, chart.bands.lower, palette.main.mix(0.09));
    pane.curve(canvas, chart.bands.upper, palette.main.mix(0.45), 1.0);
    pane.curve(canvas, chart.bands.lower, palette.main.mix(0.45), 1.0);
    pane.curve(canvas, chart.bands.middle, palette.main.mix(0.8), 1.2);
    pane.curve(canvas, chart.averages.of_50, palette.slow.mix(0.95), 1.4);
    pane.curve(canvas, chart.averages.of_200, palette.slower.mix(0.95), 1.4);
    if pane.shows_bars() {
        candles(canvas, pane, chart);
    } else {
        pane.curve(canvas, chart.close, palette.text.to_rgba(), 1.4);
    }
    marks(canvas, pane, chart);
    trades(canvas, pane, chart);
    let colour = if last > 0 && chart.close[last] < chart.close[last - 1] { palette.down } else { palette.up };
    pane.newest(canvas, chart.close[last], &written(chart.close[last], 2), colour);
    pane.legend(canvas, &[("Bollinger 20, 2σ", palette.main), ("SMA 50", palette.slow), ("SMA 200", palette.slower)]);
}

fn candles(canvas: &mut Canvas<'_>, pane: &Pane, chart: &StockChart<'_>) {
    let palette = canvas.palette;
    let half = pane.bar_width() / 2.0;
    for index in 0..chart.close.len() {
        let (open, close) = (chart.open[index], chart.close[index]);
        let colour = if close < open { palette.down } else { palette.up }.to_rgba();
        let x = pane.x(index);
        canvas.line(&[(x, pane.y(chart.high[index])), (x, pane.y(chart.low[index]))], colour, 1.0);
        let (top, bottom) = (pane.y(open.max(close)), pane.y(open.min(close)));
        canvas.fill((x - half, top), (x + half, bottom.max(top + 1.0)), colour);
    }
}

/// Triangles: below the low to buy, above the high to sell.
fn marks(canvas: &mut Canvas<'_>, pane: &Pane, chart: &StockChart<'_>) {
    let palette = canvas.palette;
    let size = (pane.step() * 0.55).clamp(3.2, 5.5);
    for mark in chart.signals.iter().filter(|mark| mark.session < chart.close.len()) {
        let x = pane.x(mark.session);
        let (tip, base, colour) = match mark.direction {
            Direction::Buy => (pane.y(chart.low[mark.session]) + 5.0, 1.0, palette.up),
            Direction::Sell => (pane.y(chart.high[mark.session]) - 5.0, -1.0, palette.down),
        };
        let strength = (0.35 + mark.confidence).clamp(0.4, 1.0);
        let foot = tip + base * size * 1.7;
        canvas.polygon(&[(x, tip), (x - size, foot), (x + size, foot)], colour.mix(strength));
    }
}

/// Discs with a letter at the price that was paid or received.
fn trades(canvas: &mut Canvas<'_>, pane: &Pane, chart: &StockChart<'_>) {
    let palette = canvas.palette;
    for trade in chart.trades.iter().filter(|trade| trade.session < chart.close.len()) {
        let at = pane.at(trade.session, trade.price);
        let (letter, colour) = match trade.direction {
            Direction::Buy => ("B", palette.up),
            Direction::Sell => ("S", palette.down),
        };
        canvas.disc(at, 8.5, palette.ground.to_rgba());
        canvas.disc(at, 7.2, colour.to_rgba());
        canvas.text(letter, at, Words::new(9.5, palette.ground).align(Align::Middle).bold());
    }
}

fn draw_volume(canvas: &mut Canvas<'_>, pane: &Pane, chart: &StockChart<'_>) {
    let palette = canvas.palette;
    pane.numbers(canvas, |number, _| short(number));
    if pane.shows_bars() {
        let colour = |index: usize| if chart.close[index] < chart.open[index] { palette.down } else { palette.up }.mix(0.55);
        pane.bars(canvas, chart.volume, colour);
    } else {
        pane.area(canvas, chart.volume, 0.0, palette.muted.mix(0.5));
    }
    pane.legend(canvas, &[("Volume", palette.muted)]);
}

fn draw_rsi(canvas: &mut Canvas<'_>, pane: &Pane, chart: &StockChart<'_>, last: usize) {
    let palette = canvas.palette;
    let levels: &[f64] = if pane.height() < 70.0 { &[30.0, 70.0] } else { &[30.0, 50.0, 70.0] };
    pane.lines(canvas, levels, |number| written(number, 0));
    let over: Vec<f64> = chart.rsi.iter().map(|value| if *value > 70.0 { *value } else { 70.0 }).collect();
    let under: Vec<f64> = chart.rsi.iter().map(|value| if *value < 30.0 { *value } else { 30.0 }).collect();
    pane.area(canvas, &over, 70.0, palette.down.mix(0.3));
    pane.area(canvas, &under, 30.0, palette.up.mix(0.3));
    pane.curve(canvas, chart.rsi, palette.slower.to_rgba(), 1.4);
    let value = chart.rsi.get(last).copied().filter(|value| value.is_finite());
    let newest = value.map_or_else(|| "RSI 14".to_owned(), |value| format!("RSI 14  {}", written(value, 1)));
    pane.legend(canvas, &[(&newest, palette.slower)]);
}

fn draw_macd(canvas: &mut Canvas<'_>, pane: &Pane, chart: &StockChart<'_>) {
    let palette = canvas.palette;
    pane.numbers(canvas, written);
    let tone = |index: usize| -> RGBColor { if chart.macd.histogram[index] < 0.0 { palette.down } else { palette.up } };
    if pane.shows_bars() {
        pane.bars(canvas, chart.macd.histogram, |index| tone(index).mix(0.45));
    } else {
        pane.area(canvas, chart.macd.histogram, 0.0, palette.muted.mix(0.4));
    }
    pane.curve(canvas, chart.macd.line, palette.main.to_rgba(), 1.4);
    pane.curve(canvas, chart.macd.signal, palette.slow.to_rgba(), 1.4);
    pane.legend(canvas, &[("MACD 12, 26", palette.main), ("signal 9", palette.slow)]);
}
