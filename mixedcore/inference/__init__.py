"""Inference from a fit: information matrices, degrees of freedom, intervals."""
