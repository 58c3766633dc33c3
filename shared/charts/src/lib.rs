//! Charts as SVG: one stock with its indicators, one portfolio against the market, a replay.
//!
//! Each chart takes plain columns and gives a text; the same input gives the same bytes. Nothing is read, and nothing in the text
//! refers to anything outside of it: no script, no style sheet, no font, so that it may be shown under the strictest policy.
//!
//! | file | what |
//! |---|---|
//! | `format` | size and colours |
//! | `canvas` | lines, areas, words in fractions of a pixel |
//! | `ticks` | round numbers and dates along the axes |
//! | `pane` | a part of a chart with an axis of its own over the sessions that all parts share |
//! | `stock`, `portfolio`, `replay` | the charts |

mod canvas;
mod format;
mod pane;
mod portfolio;
mod replay;
mod stock;
mod ticks;

pub use format::{Format, Theme};
pub use portfolio::{PortfolioChart, portfolio};
pub use replay::{Calibration, ReplayChart, replay};
pub use stock::{Averages, Bands, Direction, Macd, Mark, StockChart, Trade, stock};

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::*;

    const DARK: Format = Format { width: 900, height: 600, theme: Theme::Dark };

    fn days(number: usize) -> Vec<Date> {
        date(2021, 11, 1).series(jiff::Span::new().days(1)).take(number).collect()
    }

    /// A stock that swings around 100 dollars; averages are missing at the beginning.
    fn drawn(sessions: usize, format: Format) -> String {
        let dates = days(sessions);
        let wave: Vec<f64> = (0..sessions).map(|index| 100.0 + 10.0 * (index as f64 / 7.0).sin()).collect();
        let moved = |by: f64| wave.iter().map(|value| value + by).collect::<Vec<_>>();
        let late: Vec<f64> = wave.iter().enumerate().map(|(index, value)| if index < 20 { f64::NAN } else { *value }).collect();
        let chart = StockChart {
            symbol: "A&B",
            company: "Ampersand <& Sons>",
            dates: &dates,
            open: &moved(-0.5),
            high: &moved(2.0),
            low: &moved(-2.0),
            close: &wave,
            volume: &moved(1e6),
            bands: Bands { upper: &moved(5.0), middle: &late, lower: &moved(-5.0) },
            averages: Averages { of_50: &late, of_200: &vec![f64::NAN; sessions] },
            rsi: &moved(-50.0),
            macd: Macd { line: &moved(-100.0), signal: &moved(-101.0), histogram: &vec![1.0; sessions] },
            signals: &[Mark { session: 3, direction: Direction::Buy, confidence: 0.4 }],
            trades: &[Trade { session: 5, direction: Direction::Sell, price: 101.0 }],
        };
        stock(&chart, format)
    }

    #[test]
    fn the_same_input_gives_the_same_picture_of_any_number_of_sessions() {
        for sessions in [0, 1, 2, 60, 2_600] {
            let picture = drawn(sessions, DARK);
            assert_eq!(picture, drawn(sessions, DARK), "{sessions}");
            assert!(!picture.contains("NaN") && !picture.contains("inf") && !picture.contains("Ampersand <"), "{sessions}");
            for foreign in ["<script", "href", "url(", "style=", "<image", "<style"] {
                assert!(!picture.contains(foreign), "{foreign} in {sessions}");
            }
        }
        assert!(drawn(60, DARK).len() < drawn(120, DARK).len());
        assert!(drawn(2_600, DARK).len() < 400_000, "a line takes less than so many candles");
    }

    #[test]
    fn what_was_proposed_and_done_is_counted_in_words() {
        let picture = drawn(60, DARK);
        for words in ["A&amp;B · Ampersand &lt;&amp; Sons&gt;", "signals: 1 buy ▲, 0 sell ▼", "1 trade of yours", "30 Dec 2021", "SMA 200"]
        {
            assert!(picture.contains(words), "{words}");
        }
    }

    #[test]
    fn portfolios_and_replays_are_drawn_however_short_they_are() {
        for sessions in [0, 1, 40] {
            let (dates, values) = (days(sessions), vec![1_000.0; sessions]);
            let none = vec![0.0; sessions];
            let chart = PortfolioChart {
                dates: &dates,
                equity: &values,
                benchmark: &values,
                drawdown: &none,
                benchmark_drawdown: &none,
                invested: &none,
                total_return: None,
                benchmark_return: None,
            };
            let bins = [Calibration { signals: 10, said: 0.4, came_true: 0.5 }];
            let over = ReplayChart { dates: &dates, wealth: &values, benchmark: &values, calibration: &bins[..sessions.min(1)] };
            for picture in [portfolio(&chart, DARK), replay(&over, DARK)] {
                assert!(picture.trim_end().ends_with("</svg>") && !picture.contains("NaN") && !picture.contains("inf"), "{picture}");
            }
        }
    }
}
