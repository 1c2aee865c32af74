"""Checks of a fitted model with verdicts, and the way to a simpler one."""
