//! Formats of what is stored.

/// Refuses by its number what a newer program wrote: this one must not guess what it means.
pub fn check_format(found: u32, newest: u32) -> Result<(), String> {
    if found > newest {
        return Err(format!("it has the format {found}, and this program reads up to {newest}: a newer one wrote it"));
    }
    Ok(())
}
