"""Model files: a fitted model without its data in one file, read without running any code."""
