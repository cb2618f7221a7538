"""Is it always the optimum? `python -m tests.reference.campaign [--count N] [--seed S] [--record]`.

Fits simulated data sets through `mixedlm` and holds each against a dense search from many starts. Ends with
status 1 if any fit misses. `--record` writes campaign.json.
"""

from __future__ import annotations

from tests import threads

threads.limit()

import argparse  # noqa: E402 - after the limit on threads
import json  # noqa: E402
import platform  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator, Sequence  # noqa: E402
from dataclasses import asdict, dataclass, fields  # noqa: E402
from datetime import UTC, datetime  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import scipy  # noqa: E402

from mixedcore import MixedLMResults, mixedlm  # noqa: E402
from tests.reference.boundary import titles  # noqa: E402
from tests.reference.dense_search import Dense, Factors, best_of  # noqa: E402
from tests.reference.designs import DESIGNS, DataSet, data_set  # noqa: E402

RECORD = Path(__file__).parent / "campaign.json"
COUNT, SEED = 1080, 20250
GAP = 1e-6  # what a criterion may be above the best found, and the reported one beside the dense one there


@dataclass(frozen=True, slots=True)
class Row:
    """One fit, and how it compares.

    gap: the criterion at our θ above the best found by any method; error: the reported one above the dense
    wrong: what we say of the boundary and should not, with +, and what is missing, with −
    """

    number: int
    design: str
    method: str
    n: int
    k: int
    criterion: float
    gap: float
    error: float
    converged: bool
    missing: int
    singular: bool
    wrong: str
    evaluations: int
    milliseconds: float

    @property
    def hits(self) -> bool:
        """The optimum, known as such and named rightly, in numbers that exist."""
        near = self.gap <= GAP and abs(self.error) <= GAP  # so that a missing value is a miss
        return near and self.converged and not self.missing and not self.wrong


def check(data: DataSet) -> Row:
    """Fit one data set and compare."""
    model = mixedlm(data=data.frame, **data.call)
    began = time.process_time()
    result = model.fit(reml=data.reml)
    spent = time.process_time() - began
    dense = Dense(data)
    ours = _factors(dense, result)
    here = dense.criterion(ours)
    best = best_of(dense, data.number, ours)
    lowest = min(here, best.value)
    expected, found = titles(dense, best), {f.title for f in result.diagnose() if f.kind == "singular"}
    wrong = [*(f"+{t}" for t in sorted(found - expected)), *(f"-{t}" for t in sorted(expected - found))]
    return Row(
        number=data.number,
        design=data.design,
        method=result.method,
        n=result.nobs,
        k=result.theta.size,
        criterion=result.criterion,
        gap=here - lowest,
        error=result.criterion - here,
        converged=result.converged,
        missing=_missing(result),
        singular=result.singular,
        wrong="; ".join(wrong),
        evaluations=result.optimisation.evaluations,
        milliseconds=round(1e3 * spent, 2),
    )


def _factors(dense: Dense, result: MixedLMResults) -> Factors:
    """Our Λ of each term, over the dense search's scaled covariates."""
    out, at = [], 0
    for block in dense.blocks:
        q = block.q
        cols, rows = np.triu_indices(q) if block.full else np.diag_indices(q)
        T = np.zeros((q, q))
        T[rows, cols] = result.theta[at : at + rows.size]
        out.append(block.size[:, None] * T)
        at += rows.size
    return tuple(out)


def _missing(result: MixedLMResults) -> int:
    """Numbers that should be finite and are not."""
    reported = (result.params, result.bse_fe, result.bse_re, result.cov_re, result.vcomp, result.criterion)
    return sum(int((~np.isfinite(np.asarray(part, dtype=float))).sum()) for part in reported)


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """What the campaign says, in numbers."""
    evaluations = np.array([row.evaluations for row in rows])
    return {
        "fits": len(rows),
        "misses": sum(not row.hits for row in rows),
        "gaps above 1e-6": sum(not row.gap <= GAP for row in rows),
        "worst gap": max(row.gap for row in rows),
        "worst error of a reported criterion": max(abs(row.error) for row in rows),
        "falsely converged": sum(row.converged and not row.gap <= GAP for row in rows),
        "not converged": sum(not row.converged for row in rows),
        "with missing numbers": sum(row.missing > 0 for row in rows),
        "boundaries misnamed": sum(bool(row.wrong) for row in rows),
        "singular": sum(row.singular for row in rows),
        "evaluations, median": float(np.median(evaluations)),
        "evaluations, 95 %": float(np.percentile(evaluations, 95)),
        "evaluations, most": int(evaluations.max()),
        "milliseconds a fit, median": float(np.median([row.milliseconds for row in rows])),
    }


def by_design(rows: Sequence[Row]) -> Iterator[str]:
    """One line a design."""
    yield f"{'design':<22}{'fits':>6}{'misses':>8}{'singular':>10}{'worst gap':>12}{'evaluations':>16}"
    for name in DESIGNS:
        own = [row for row in rows if row.design == name]
        if own:
            most = f"{np.median([r.evaluations for r in own]):.0f}, {max(r.evaluations for r in own)}"
            misses, singular = sum(not r.hits for r in own), sum(r.singular for r in own)
            worst = max(r.gap for r in own)
            yield f"{name:<22}{len(own):>6}{misses:>8}{singular:>10}{worst:>12.1e}{most:>16}"


def write(rows: Sequence[Row], seed: int, seconds: float) -> None:
    """The record: facts, then a line a fit."""
    facts = {
        "date": datetime.now(UTC).date().isoformat(),
        "seed": seed,
        "seconds": round(seconds),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "summary": summary(rows),
        "columns": [field.name for field in fields(Row)],
    }
    lines = ",\n".join(json.dumps(list(asdict(row).values()), ensure_ascii=False) for row in rows)
    head = json.dumps(facts, indent=1, ensure_ascii=False)[:-2]
    RECORD.write_text(f'{head},\n "rows": [\n{lines}\n]}}\n', encoding="utf-8")


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What campaign.json holds."""

    seed: int
    summary: dict[str, float]
    rows: tuple[Row, ...]


def read() -> Record:
    """The record."""
    found = json.loads(RECORD.read_text(encoding="utf-8"))
    rows = tuple(Row(**dict(zip(found["columns"], row, strict=True))) for row in found["rows"])
    return Record(found["seed"], found["summary"], rows)


def main() -> int:
    """Run the campaign; 0 if every fit hits."""
    parser = argparse.ArgumentParser(prog="python -m tests.reference.campaign", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="data sets, %(default)s if not given")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--from", type=int, default=0, dest="first", help="number of the first data set")
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name}")
    asked = parser.parse_args()
    began, rows = time.perf_counter(), []
    for number in range(asked.first, asked.first + asked.count):
        rows.append(check(data_set(number, asked.seed)))
        if not rows[-1].hits:
            print(rows[-1], flush=True)
    print(*by_design(rows), "", sep="\n")
    for name, value in summary(rows).items():
        print(f"{name:<38}{value:>12.4g}")
    if asked.record:
        write(rows, asked.seed, time.perf_counter() - began)
    return int(any(not row.hits for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
