"""The public model classes and the functions that make them."""
