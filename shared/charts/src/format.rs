//! Size and colours.

use plotters::style::RGBColor;

/// How a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// CSS pixels.
    pub width: u32,
    /// CSS pixels.
    pub height: u32,
    pub theme: Theme,
}

/// What the chart is seen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    #[default]
    Light,
    Dark,
}

/// The colours of a theme. Gains and losses also differ in lightness, for those who do not tell green from red.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Palette {
    pub(crate) ground: RGBColor,
    pub(crate) text: RGBColor,
    pub(crate) muted: RGBColor,
    pub(crate) grid: RGBColor,
    pub(crate) up: RGBColor,
    pub(crate) down: RGBColor,
    /// The line that the chart is about.
    pub(crate) main: RGBColor,
    /// What it is compared with.
    pub(crate) other: RGBColor,
    /// Averages.
    pub(crate) slow: RGBColor,
    pub(crate) slower: RGBColor,
}

impl Theme {
    pub(crate) fn palette(self) -> Palette {
        match self {
            Self::Light => Palette {
                ground: RGBColor(255, 255, 255),
                text: RGBColor(27, 36, 46),
                muted: RGBColor(104, 117, 131),
                grid: RGBColor(232, 236, 240),
                up: RGBColor(14, 138, 95),
                down: RGBColor(205, 56, 66),
                main: RGBColor(36, 99, 178),
                other: RGBColor(136, 144, 153),
                slow: RGBColor(214, 137, 16),
                slower: RGBColor(128, 84, 178),
            },
            Self::Dark => Palette {
                ground: RGBColor(16, 21, 28),
                text: RGBColor(228, 233, 238),
                muted: RGBColor(139, 151, 164),
                grid: RGBColor(35, 43, 53),
                up: RGBColor(52, 199, 141),
                down: RGBColor(242, 99, 110),
                main: RGBColor(98, 163, 240),
                other: RGBColor(128, 138, 150),
                slow: RGBColor(240, 176, 64),
                slower: RGBColor(181, 141, 230),
            },
        }
    }
}
