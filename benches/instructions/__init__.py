"""Instructions of one evaluation of the objective, counted by valgrind's callgrind."""
