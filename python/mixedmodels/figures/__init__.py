"""What figures of a model show: arrays from the state of a fit, which the room `plot` draws."""
