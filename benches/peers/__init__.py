"""The same mixed models fitted by this package and by its peers, side by side."""
