"""Shapes in closed form, and operators that make new shapes of them."""
