//! How much memory there is.

/// Bytes that can still be had without swapping; `None` where the system does not say.
#[must_use]
pub fn available() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("MemAvailable:"))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

/// Less than this is there without asking.
const LITTLE: f64 = 1e8;

/// Whether so many bytes can be had.
#[must_use]
pub fn suffices(bytes: f64) -> bool {
    bytes < LITTLE || available().is_none_or(|room| bytes <= room)
}
