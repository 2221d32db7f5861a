"""Shapes as the weights of a network, and families of shapes as vectors."""
