"""The exact distance of a triangle mesh."""
