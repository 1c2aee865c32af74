"""Printed results; everything here reads a `Fitted`."""
