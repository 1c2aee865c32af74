"""Shares of variance and effect sizes."""
