"""How results look: one model of a page, four formats."""
