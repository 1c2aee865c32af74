"""Residuals by simulation, and their tests."""
