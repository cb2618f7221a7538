"""Print how many reference fits agree and the largest differences: `python -m tests.reference`."""

from __future__ import annotations

from tests import threads

threads.limit()

import numpy as np  # noqa: E402 - after the limit on threads

from tests.reference.fits import TOLERANCE, comparisons  # noqa: E402 - after the limit on threads


def main() -> int:
    """Fit all; 0 if all agree."""
    every = comparisons()
    agreeing = sum(each.agrees for each in every)
    print(f"{agreeing} of {len(every)} fits of lme4 1.1-31 agree.\n")
    print(f"{'quantity':<24}{'largest difference':>20}{'allowed':>10}   where")
    for name, allowed in TOLERANCE.items():
        worst = max(every, key=lambda each: np.nan_to_num(each.differences[name], nan=np.inf))
        print(f"{name:<24}{worst.differences[name]:>20.1e}{allowed:>10.0e}   {worst.label}")
    singular = [each.label for each in every if each.result.singular]
    print(f"\nSingular here and there: {', '.join(singular)}.")
    for each in every:
        if not each.agrees:
            print(f"Differs: {each.label}")
    return 0 if agreeing == len(every) else 1


if __name__ == "__main__":
    raise SystemExit(main())
