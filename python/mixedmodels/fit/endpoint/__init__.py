"""What the end point of a search is: an optimum or not, singular, undetermined, at infinity."""
