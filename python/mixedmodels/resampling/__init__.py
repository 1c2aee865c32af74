"""The bootstrap: responses and rows drawn anew, refits, intervals."""
