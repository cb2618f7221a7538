"""mixedcore: linear mixed-effects models with the interface of statsmodels' MixedLM, and beyond it."""
