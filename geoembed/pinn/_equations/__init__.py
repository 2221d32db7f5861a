"""Equations: what holds inside a domain, with the flux that belongs on its boundary."""
