"""The tests: `python -m tests` runs them all; the layout mirrors mixedcore/ and pages/."""
