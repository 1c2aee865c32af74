"""Profile likelihood: walks along one parameter with all others optimised again."""
