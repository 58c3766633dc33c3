//! Sections as a mail, once as text and once as HTML.

use std::fmt::Write;

use domain::{Decimal, Email, Money, TradingDate};

use crate::ports::Mail;

const CLOSING: &str =
    "You get this mail because your preferences ask for it; there it can be switched off. Paper money, real prices; no advice.";

pub(super) struct Section {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
}

pub(super) fn mail(to: &Email, date: TradingDate, sections: &[Section]) -> Mail {
    let day = date.date().strftime("%A, %-d %B %Y").to_string();
    let (mut text, mut html) = (format!("StockGPT, {day}\n"), String::new());
    for Section { title, lines } in sections {
        let _ = writeln!(text, "\n{title}\n{}", "-".repeat(title.chars().count()));
        let _ = writeln!(html, "<h2 style=\"margin:24px 0 8px;font-size:16px\">{}</h2>", escaped(title));
        for line in lines {
            let _ = writeln!(text, "{line}");
            let _ = writeln!(html, "<p style=\"margin:0 0 6px;font-size:15px;line-height:1.4\">{}</p>", escaped(line));
        }
    }
    let _ = writeln!(text, "\n{CLOSING}");
    Mail { to: to.clone(), subject: format!("StockGPT: {day}"), text, html: page(&day, &html) }
}

fn page(day: &str, sections: &str) -> String {
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>StockGPT, {day}</title></head>
<body style="margin:0;padding:32px 16px;background:#f4f6f8;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#1c2733">
<div style="max-width:560px;margin:0 auto;padding:32px;background:#ffffff;border:1px solid #e1e6eb;border-radius:12px">
<p style="margin:0;font-size:13px;color:#5b6b7b">{day}</p>
{sections}<p style="margin:24px 0 0;font-size:13px;line-height:1.5;color:#5b6b7b">{CLOSING}</p>
</div>
</body>
</html>
"#
    )
}

/// Companies' names may hold what HTML means otherwise.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// With commas, `$100,000.00`: for people, and because six digits in a row are a sign-in code in our mail and nothing else.
pub(super) fn dollars(amount: Money) -> String {
    let text = amount.to_string();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let digits = whole.trim_start_matches('-');
    let grouped: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).expect("digits")).collect();
    format!("{}${}.{cents}", if whole.starts_with('-') { "-" } else { "" }, grouped.join(","))
}

/// With its sign, which is what matters of a change.
pub(super) fn change(amount: Money) -> String {
    if amount < Money::ZERO { dollars(amount) } else { format!("+{}", dollars(amount)) }
}

pub(super) fn in_brackets(percent: Option<Decimal>) -> String {
    percent.map(|percent| format!(" ({percent:+} %)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_html_say_the_same() {
        let sections = [Section { title: "Signals".into(), lines: vec!["BUY T (AT&T Inc.) at $18.51".into(), "<none>".into()] }];
        let mail = mail(&"ann@example.com".parse().unwrap(), "2022-01-03".parse().unwrap(), &sections);
        assert_eq!(mail.subject, "StockGPT: Monday, 3 January 2022");
        assert!(
            mail.text.starts_with("StockGPT, Monday, 3 January 2022\n\nSignals\n-------\nBUY T (AT&T Inc.) at $18.51\n<none>\n"),
            "{}",
            mail.text
        );
        assert!(mail.html.contains(">BUY T (AT&amp;T Inc.) at $18.51</p>") && mail.html.contains(">&lt;none&gt;</p>"), "{}", mail.html);
        assert!(mail.text.contains(CLOSING) && mail.html.contains(CLOSING));
    }

    #[test]
    fn changes_have_their_sign() {
        for (cents, expected) in
            [(123_456, "+$1,234.56"), (-50, "-$0.50"), (0, "+$0.00"), (10_000_000, "+$100,000.00"), (-12_345_600, "-$123,456.00")]
        {
            assert_eq!(change(Money::cents(cents)), expected);
        }
        assert_eq!(in_brackets(Some(Decimal::new(-52, 2))), " (-0.52 %)");
        assert_eq!(in_brackets(Some(Decimal::new(52, 2))), " (+0.52 %)");
        assert_eq!(in_brackets(None), "");
    }
}
