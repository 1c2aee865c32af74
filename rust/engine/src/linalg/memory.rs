//! How much memory there is, and buffers that may be refused.

use crate::error::{Error, Result};

/// Bytes that can still be had without swapping; `None` where the system does not say.
#[must_use]
pub fn available() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("MemAvailable:"))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

/// Less than this is there without asking, and less than this without looking at the whole system.
const TINY: f64 = 1e6;
const LITTLE: f64 = 1e8;

/// Room for what nobody counts, above all the buffer of 520 MiB that the dense kernels reserve and
/// hardly touch. (The allocator of Linux learns nothing from blocks of this size.)
const SPARE: f64 = 6.4e8;

/// Whether so many bytes can be had: the system has them free, and would give them to this process.
#[must_use]
pub fn suffices(bytes: f64) -> bool {
    let is_free = || bytes < LITTLE || available().is_none_or(|room| bytes <= room);
    bytes < TINY || (would_be_given(bytes + SPARE) && is_free())
}

/// Limits of the process count here. Nothing of the room is touched, so that asking costs little.
fn would_be_given(bytes: f64) -> bool {
    bytes <= isize::MAX as f64 && Vec::<u8>::new().try_reserve_exact(bytes as usize).is_ok()
}

/// Buffers of at least so many bytes are worth large pages.
const LARGE: usize = 1 << 22;

/// A vector with room for `len` values, for which the system may use large pages: touching a new
/// matrix page by page can take as long as factorising it. `None` when memory is short.
#[must_use]
pub fn with_room<T>(len: usize) -> Option<Vec<T>> {
    let mut room = Vec::new();
    room.try_reserve_exact(len).ok()?;
    prefer_large_pages(&room);
    Some(room)
}

/// The same, or an error with the size when the allocator refuses; `what` names the contents there.
pub fn room<T>(len: usize, what: &str) -> Result<Vec<T>> {
    with_room(len).ok_or_else(|| shortage((len as f64) * size_of::<T>() as f64, what))
}

/// So many copies of a value.
pub fn filled<T: Clone>(len: usize, value: T, what: &str) -> Result<Vec<T>> {
    let mut out = room(len, what)?;
    out.resize(len, value);
    Ok(out)
}

/// A copy of the values.
pub fn copied<T: Copy>(values: &[T], what: &str) -> Result<Vec<T>> {
    let mut out = room(values.len(), what)?;
    out.extend_from_slice(values);
    Ok(out)
}

/// Room for so many more values in a vector that grows.
pub fn reserve<T>(values: &mut Vec<T>, more: usize, what: &str) -> Result<()> {
    let len = values.len() as f64 + more as f64;
    values
        .try_reserve(more)
        .map_err(|_| shortage(len * size_of::<T>() as f64, what))
}

/// The values of an iterator that tells how many there are.
pub fn collected<T>(values: impl ExactSizeIterator<Item = T>, what: &str) -> Result<Vec<T>> {
    let mut out = room(values.len(), what)?;
    out.extend(values);
    Ok(out)
}

/// The error where so many bytes cannot be had.
#[must_use]
pub fn shortage(bytes: f64, what: &str) -> Error {
    Error::Memory {
        what: what.to_owned(),
        gib: bytes / f64::from(1 << 30),
    }
}

#[cfg(target_os = "linux")]
fn prefer_large_pages<T>(room: &Vec<T>) {
    const PAGE: usize = 4096;
    let start = (room.as_ptr() as usize).next_multiple_of(PAGE);
    let end = room.as_ptr() as usize + room.capacity() * size_of::<T>();
    if end.saturating_sub(start) >= LARGE {
        // SAFETY: the range lies within the allocation, and the advice changes neither contents nor
        // access; a refusal leaves ordinary pages.
        unsafe {
            libc::madvise(
                start as *mut libc::c_void,
                (end - start) / PAGE * PAGE,
                libc::MADV_HUGEPAGE,
            );
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn prefer_large_pages<T>(_: &Vec<T>) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_had_is_an_error_with_its_size() {
        let exabyte = 1_usize << 60;
        let refused = |found: Result<()>| match found {
            Err(Error::Memory { what, gib }) => what == "a table" && gib >= f64::from(1 << 30),
            _ => false,
        };
        assert!(refused(room::<u8>(exabyte, "a table").map(drop)));
        assert!(refused(filled(exabyte, 0_u8, "a table").map(drop)));
        assert!(refused(filled(usize::MAX, 0.0_f64, "a table").map(drop)));
        assert!(refused(reserve(&mut vec![1_u8], exabyte, "a table")));
        assert!(!suffices(exabyte as f64));
        assert!(!suffices(f64::INFINITY));
        assert!(suffices(1e5) && suffices(2e6));
        assert_eq!(copied(&[1, 2], "a table"), Ok(vec![1, 2]));
        assert_eq!(collected([1, 2].into_iter(), "a table"), Ok(vec![1, 2]));
    }
}
