"""Numbers of other programs, with the scripts and versions that made them, and our fits of the same."""
