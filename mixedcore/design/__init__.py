"""From formulas and columns to the matrices and terms of a model."""
