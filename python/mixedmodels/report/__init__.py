"""Printed results; everything here reads a `FittedModel`."""
