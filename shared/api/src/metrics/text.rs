//! Prometheus' text exposition format 0.0.4.

use std::fmt::Write as _;

use super::{Family, Kind, Sample};

pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The families as a scraper reads them.
pub fn encode(families: &[Family]) -> String {
    let mut text = String::new();
    for family in families {
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = family.help.replace('\\', r"\\").replace('\n', r"\n");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {0} {help}\n# TYPE {0} {kind}", family.name);
        for sample in &family.samples {
            write_sample(&mut text, &family.name, sample);
        }
    }
    text
}

fn write_sample(text: &mut String, name: &str, sample: &Sample) {
    let _ = write!(text, "{name}{}", sample.suffix);
    for (index, (label, value)) in sample.labels.iter().enumerate() {
        let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        let _ = write!(text, "{}{label}=\"{value}\"", if index == 0 { '{' } else { ',' });
    }
    let close = if sample.labels.is_empty() { "" } else { "}" };
    let _ = match sample.value {
        value if value.is_nan() => writeln!(text, "{close} NaN"),
        value if value.is_infinite() => writeln!(text, "{close} {}Inf", if value > 0.0 { '+' } else { '-' }),
        value => writeln!(text, "{close} {value}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_values_plain() {
        let family = Family::new("odd", "One\nhelp.", Kind::Gauge).with(&[("a", "x\"y\\z\n"), ("b", "")], 1.5).with(&[], f64::INFINITY);
        assert_eq!(encode(&[family]), "# HELP odd One\\nhelp.\n# TYPE odd gauge\nodd{a=\"x\\\"y\\\\z\\n\",b=\"\"} 1.5\nodd +Inf\n");
    }
}
