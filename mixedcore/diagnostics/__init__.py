"""Findings about a fit, in plain words."""
