"""Smooth functions that vanish on a boundary, and values between boundaries."""
