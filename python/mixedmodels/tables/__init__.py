"""Fits as tidy data frames and as tables for publications."""
