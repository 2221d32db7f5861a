"""Training and judging potentials."""
