"""From arguments to the state of a fitted model, with the warnings a user should see."""
