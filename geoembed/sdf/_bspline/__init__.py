"""Distances baked into B-splines on nested bricks of cells."""
