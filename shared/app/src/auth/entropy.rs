//! Randomness from the operating system, for codes, keys and ids.

/// As [`getrandom::fill`]; an operating system without randomness cannot run this program.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// 128 random bits in hexadecimal: an id that nobody can guess and that never repeats.
pub fn id() -> String {
    hex::encode(bytes::<16>())
}

/// A number below `bound`, each equally likely.
pub fn below(bound: u32) -> u32 {
    // A plain remainder would favour small numbers: draws from the incomplete last stretch of the range are thrown away.
    let complete = u32::MAX - u32::MAX % bound;
    loop {
        let draw = u32::from_le_bytes(bytes());
        if draw < complete {
            return draw % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_below_the_bound_is_about_equally_likely() {
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[below(10) as usize] += 1;
        }
        // 1000 expected each, standard deviation 30: seven of them away has odds of one in 10^11.
        assert!(seen.iter().all(|&count| (790..=1210).contains(&count)), "{seen:?}");
    }

    #[test]
    fn ids_do_not_repeat() {
        let ids: std::collections::HashSet<String> = (0..1000).map(|_| id()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 32));
    }
}
