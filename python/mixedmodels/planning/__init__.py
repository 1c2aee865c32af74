"""Power of tests by simulation, and designs of studies that are still to be made."""
