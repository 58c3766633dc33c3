//! What the vendor's plan allows.

use std::time::Duration;

use super::Vendor;

/// Limits of one key. The figures of the free plans are those that the vendors publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// So many requests in any such time.
    pub requests: Option<(usize, Duration)>,
    /// Different stocks that may be asked for (Tiingo, a month).
    pub symbols: Option<usize>,
    /// Bytes that may be answered (Tiingo, a month).
    pub bytes: Option<usize>,
    /// End-of-day data only, of two years (Polygon): no snapshots, nothing of today before its end.
    pub is_basic: bool,
}

impl Plan {
    pub const UNLIMITED: Self = Self { requests: None, symbols: None, bytes: None, is_basic: false };

    pub const fn free(vendor: Vendor) -> Self {
        match vendor {
            Vendor::Polygon => Self { requests: Some((5, Duration::from_mins(1))), is_basic: true, ..Self::UNLIMITED },
            Vendor::Tiingo => {
                Self { requests: Some((50, Duration::from_hours(1))), symbols: Some(500), bytes: Some(1 << 30), ..Self::UNLIMITED }
            }
        }
    }
}
