//! The mail that carries a sign-in code.

use std::time::Duration;

use domain::{Email, Timestamp};

use super::{CODE_LENGTH, Origin};
use crate::ports::Mail;

/// Says the code, how long it is good and who asked for it. The code is the only run of six digits in the text.
pub(super) fn sign_in(to: &Email, code: &str, life: Duration, origin: &Origin, now: Timestamp) -> Mail {
    let life = in_words(life);
    let asked = format!("Requested at {} UTC from {origin}.", now.strftime("%Y-%m-%d %H:%M"));
    let warning = "If you did not ask for it, ignore this mail: without the code nobody gets in. Never pass the code on; nobody from StockGPT will ask for it.";
    Mail {
        to: to.clone(),
        subject: "Your StockGPT sign-in code".into(),
        text: format!("Your StockGPT sign-in code is\n\n    {code}\n\nIt works once, within {life}.\n\n{asked}\n{warning}\n"),
        html: format!(
            r#"<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Your StockGPT sign-in code</title></head>
<body style="margin:0;padding:32px 16px;background:#f4f6f8;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#1c2733">
<div style="max-width:440px;margin:0 auto;padding:32px;background:#ffffff;border:1px solid #e1e6eb;border-radius:12px">
<p style="margin:0 0 8px;font-size:15px">Your StockGPT sign-in code is</p>
<p style="margin:0 0 16px;font-size:34px;font-weight:600;letter-spacing:8px;font-family:ui-monospace,Menlo,Consolas,monospace">{code}</p>
<p style="margin:0 0 24px;font-size:15px">It works once, within {life}.</p>
<p style="margin:0;font-size:13px;line-height:1.5;color:#5b6b7b">{asked}<br>{warning}</p>
</div>
</body>
</html>
"#
        ),
    }
}

/// The sign-in code in a mail's text, if there is one: a run of exactly six digits.
pub fn code_in(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == CODE_LENGTH)
}

fn in_words(life: Duration) -> String {
    match life.as_secs() {
        60 => "1 minute".into(),
        seconds if seconds.is_multiple_of(60) => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_the_only_number_of_six_digits() {
        let origin =
            Origin { ip: Some("2001:db8:1234:5678::9".parse().unwrap()), user_agent: Some("curl/8.123456".into()), request_id: None };
        let now = "2026-11-23T03:50:30Z".parse().unwrap();
        let mail = sign_in(&"ann@example.com".parse().unwrap(), "004217", Duration::from_mins(5), &origin, now);
        let long_runs: Vec<_> = mail.text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() >= CODE_LENGTH).collect();
        assert_eq!(long_runs, ["004217"]);
        assert_eq!(code_in(&mail.text), Some("004217"));
        for part in [&mail.text, &mail.html] {
            for fact in ["004217", "5 minutes", "2026-11-23 03:50 UTC", "2001:db8:1234:5678::9 (curl)"] {
                assert!(part.contains(fact), "{fact} is missing in {part}");
            }
        }
    }

    #[test]
    fn a_life_is_told_in_words() {
        for (seconds, words) in [(60, "1 minute"), (300, "5 minutes"), (90, "90 seconds"), (45, "45 seconds")] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }
}
