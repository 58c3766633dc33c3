//! Win rate.

/// Share of `results` above zero, 0 to 1; a result of exactly zero counts as one that did not win. `None` without results.
pub fn win_rate(results: &[f64]) -> Option<f64> {
    let wins = results.iter().filter(|result| **result > 0.0).count();
    (!results.is_empty()).then(|| wins as f64 / results.len() as f64)
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_gained_is_not_won() {
        assert_eq!(super::win_rate(&[1.0, 0.0, -1.0, 2.0]), Some(0.5));
        assert_eq!(super::win_rate(&[]), None);
    }
}
