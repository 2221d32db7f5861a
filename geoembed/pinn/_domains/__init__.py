"""Where a residual is asked to vanish: domains, the named pieces of their outlines, and their corners."""
