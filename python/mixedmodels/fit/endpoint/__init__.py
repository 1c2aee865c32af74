"""Checks of the end point of a search: optimum, singular, undetermined, at infinity."""
