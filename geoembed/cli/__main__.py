"""`python -m geoembed.cli`."""

from ._app import main

main()
