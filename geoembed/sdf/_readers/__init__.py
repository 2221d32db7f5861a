"""Strict readers of mesh files."""
