"""What one formula may cost. Each limit has its reason; each is tested at the bound and one over."""

from __future__ import annotations

# 100 columns named after survey questions fit; the parsers take a few milliseconds.
MAX_CHARACTERS = 10_000
# patsy reads the tokens of a factor again for each stateful transform in it, so tokens × transforms is time.
MAX_TOKENS = 2_000
# Python's own parser stops at 200 open brackets, or at the end of its C stack; nobody reads 20.
MAX_NESTING = 20
# patsy walks "a + b + c …" by recursion, two frames a sign: 300 leave room below Python's limit of 1,000.
MAX_CHAIN = 300
# Arithmetic inside one factor, counted as the height of its syntax tree: a sum of 100 columns.
MAX_HEIGHT = 100
# All two-way interactions of 22 columns; patsy compares every term with every other.
MAX_TERMS = 256
# patsy's search for redundant columns takes time and memory in 2 ** (factors of the interaction).
MAX_ORDER = 6
# Exponents, nested ones multiplied: whole numbers of Python grow with the exponent without end.
MAX_POWER = 20
# Columns of the design matrix from one formula; 1,000 × 80,000 rows are 640 MB.
MAX_COLUMNS = 1_000
# A spline with more than 50 degrees of freedom is interpolation.
MAX_DF = 50
# Splines of higher degree oscillate, and lose their digits.
MAX_DEGREE = 10
MAX_KNOTS = 50
# te() multiplies the columns of its splines, and absorbs its constraint with a square matrix of that size.
MAX_SMOOTHS = 4
MAX_SMOOTH_COLUMNS = 400
# Longest string: names of columns and levels; longer ones make tables unreadable.
MAX_STRING = 500
# Longest list, as in C(x, levels=[…]).
MAX_LIST = 200
# Calls inside one factor; patsy's passes over nested transforms take the square of it.
MAX_CALLS = 12
# Stateful transforms in a formula; standardize() goes through the rows in a Python loop.
MAX_TRANSFORMS = 30
# Digits of a number as written; a double has 17.
MAX_DIGITS = 25
# Whole numbers beyond 2 ** 53 are not exact as floating point numbers.
MAX_INTEGER = 2**53
# Random terms in bars; every one adds covariance parameters.
MAX_BARS = 20
