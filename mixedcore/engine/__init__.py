"""From columns and levels to the optimum: arrays in, arrays out; knows no formulas and no tables."""
