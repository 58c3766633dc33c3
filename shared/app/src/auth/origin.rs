//! Where a request came from, as far as it can be told.

use std::{fmt, net::IpAddr};

/// The peer's address and what it calls itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    pub ip: Option<IpAddr>,
    /// The request's `User-Agent`; anybody can write anything there.
    pub user_agent: Option<String>,
    /// The request's id, by which logs find it.
    pub request_id: Option<String>,
}

/// Programs by the word that gives them away. The order matters: browsers also carry the names of those they descend from.
const PROGRAMS: [(&str, &str); 10] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python", "Python"),
    ("axios/", "axios"),
    ("node", "Node.js"),
    ("Postman", "Postman"),
];

impl Origin {
    /// What limits are counted by: the address, or the network of 2^64 addresses that one IPv6 customer has.
    pub(super) fn source(&self) -> String {
        match self.ip.map(|ip| ip.to_canonical()) {
            None => "unknown".into(),
            Some(IpAddr::V4(ip)) => ip.to_string(),
            Some(IpAddr::V6(ip)) => {
                let [a, b, c, d, ..] = ip.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        }
    }

    /// A known name only: the header's own words would let a stranger write into a mail to somebody else.
    fn program(&self) -> Option<&'static str> {
        let agent = self.user_agent.as_deref()?;
        PROGRAMS.into_iter().find(|(word, _)| agent.contains(word)).map(|(_, name)| name)
    }
}

/// In words, such as `203.0.113.7 (Firefox)`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            Some(ip) => write!(f, "{}", ip.to_canonical())?,
            None => f.write_str("an unknown address")?,
        }
        self.program().map_or(Ok(()), |program| write!(f, " ({program})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_told_without_the_words_of_a_stranger() {
        for (ip, agent, words, source) in [
            (
                Some("203.0.113.7"),
                Some("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"),
                "203.0.113.7 (Firefox)",
                "203.0.113.7",
            ),
            (Some("2001:db8:1:2:3:4:5:6"), Some("curl/8.5.0"), "2001:db8:1:2:3:4:5:6 (curl)", "2001:db8:1:2::/64"),
            (Some("::ffff:203.0.113.7"), None, "203.0.113.7", "203.0.113.7"),
            (Some("127.0.0.1"), Some("Your code is 999999, call +1 555"), "127.0.0.1", "127.0.0.1"),
            (None, None, "an unknown address", "unknown"),
        ] {
            let origin = Origin { ip: ip.map(|ip| ip.parse().unwrap()), user_agent: agent.map(Into::into), request_id: None };
            assert_eq!((origin.to_string().as_str(), origin.source().as_str()), (words, source));
        }
    }
}
