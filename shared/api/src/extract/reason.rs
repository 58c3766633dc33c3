//! From serde's errors to the field and a sentence about it.

use serde_path_to_error::{Path, Segment};

use crate::problem::FieldError;

/// What is wrong with a field that is not there.
pub(super) const REQUIRED: &str = "is required";

/// Where an error happened and what it says, for a person: the JSON Pointer and the text without serde's positions.
pub(super) fn field_error(path: &Path, message: &str) -> FieldError {
    let message = without_position(message);
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.extend(["/", &index.to_string()]),
            Segment::Map { key } => push_escaped(&mut pointer, key),
            Segment::Enum { variant } => push_escaped(&mut pointer, variant),
            Segment::Unknown => {}
        }
    }
    // For a field that is not there, or should not be, the path ends at the object around it.
    for (prefix, detail) in [
        ("missing field `", REQUIRED),
        ("duplicate field `", "is given more than once"),
        ("unknown field `", "is not a field of this request"),
    ] {
        if let Some(name) = message.strip_prefix(prefix).and_then(|rest| rest.split('`').next()) {
            let mut last = String::new();
            push_escaped(&mut last, name);
            if !pointer.ends_with(&last) {
                pointer.push_str(&last);
            }
            let known = message.split_once("expected ").filter(|_| prefix.starts_with("unknown")).map(|(_, known)| known);
            let detail = known.map_or_else(|| detail.to_owned(), |known| format!("{detail}: expected {known}"));
            return FieldError { pointer, detail };
        }
    }
    FieldError { pointer, detail: message.to_owned() }
}

/// RFC 6901, 3.
fn push_escaped(pointer: &mut String, name: &str) {
    pointer.push('/');
    // Names come from outside: keep them short.
    pointer.push_str(&name.chars().take(60).collect::<String>().replace('~', "~0").replace('/', "~1"));
}

/// `expected value at line 1 column 5` → `expected value`: the pointer says where.
fn without_position(message: &str) -> &str {
    match message.rfind(" at line ") {
        Some(at) if message[at..].contains(" column ") => &message[..at],
        _ => message,
    }
}
