//! A checksum of the whole file, kept where no reader of Parquet looks.
//!
//! Pages are found by their distance from the file's start, the footer by its length, which stands at the file's end. The
//! four bytes put between the two change neither. They hold the CRC-32 of all other bytes.

use std::ops::Range;

use flate2::Crc;

use super::Damage;

const CHECKSUM: usize = size_of::<u32>();
/// The footer's length and the magic number behind it.
const TAIL: usize = 8;

/// Puts the checksum into a finished Parquet file.
pub(super) fn seal(file: &mut Vec<u8>) {
    let footer = footer_start(file).expect("the writer has just finished this file");
    let checksum = crc(&[&file[..footer], &file[footer..]]).to_le_bytes();
    file.splice(footer..footer, checksum);
}

/// Whether this is a sealed Parquet file in which not one bit has changed.
pub(super) fn verify(file: &[u8]) -> Result<(), Damage> {
    let place =
        footer_start(file).and_then(|footer| checksum_place(footer, file)).ok_or_else(|| Damage("not a whole Parquet file".into()))?;
    let stored: [u8; CHECKSUM] = file[place.clone()].try_into().expect("the place is as long as a checksum");
    if crc(&[&file[..place.start], &file[place.end..]]) == u32::from_le_bytes(stored) {
        Ok(())
    } else {
        Err(Damage("its checksum does not match its content".into()))
    }
}

fn footer_start(file: &[u8]) -> Option<usize> {
    let (rest, tail) = file.split_last_chunk::<TAIL>()?;
    let [a, b, c, d, magic @ ..] = *tail;
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
    (magic == *b"PAR1").then(|| rest.len().checked_sub(length)).flatten()
}

fn checksum_place(footer: usize, file: &[u8]) -> Option<Range<usize>> {
    let start = footer.checked_sub(CHECKSUM)?;
    file.starts_with(b"PAR1").then_some(start..footer)
}

fn crc(parts: &[&[u8]]) -> u32 {
    let mut crc = Crc::new();
    for part in parts {
        crc.update(part);
    }
    crc.sum()
}
