"""Small networks and encodings of a point, re-exported by `geoembed.core`."""
