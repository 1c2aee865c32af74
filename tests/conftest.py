"""Settings of the whole suite."""

from search_depth import load_profile

load_profile()
