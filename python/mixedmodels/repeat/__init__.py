"""Repetitions, such as the refits of a bootstrap: random streams, executors, progress."""
