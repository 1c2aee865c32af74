"""Numbers, tables and markup: how results look."""
