"""The bootstrap: resampled responses or rows, refits, intervals."""
