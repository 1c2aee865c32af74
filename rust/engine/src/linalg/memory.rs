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

/// A copy in such a vector.
#[must_use]
pub fn copied<T: Copy>(values: &[T]) -> Vec<T> {
    match with_room(values.len()) {
        Some(mut copy) => {
            copy.extend_from_slice(values);
            copy
        }
        None => values.to_vec(),
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
