"""How sure a potential is, whether that is true, and which structures would teach it most."""
