"""The results as text: one function a section, nothing measured here."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks import first_use, huge, memory
from tests.benchmarks.engines import OURS, PEERS
from tests.benchmarks.growth import Growth
from tests.benchmarks.measure import WORDS, Measured, ratio, reached
from tests.benchmarks.memory import Memory
from tests.benchmarks.problems import PROBLEMS, Problem
from tests.benchmarks.store import Results

TITLE = 42
GRAM_GOAL = 6.0
# No engine may find a better optimum than ours by more than this, in log-likelihood.
ABOVE = 1e-6
# Where a peer stops short of ours by more than this, its estimates differ in digits that are printed.
SHORT = 1e-3
VERDICTS = {True: "met", False: "missed", None: ""}


def time_text(measured: Measured) -> str:
    """The time, a bound where it was stopped, or why there is none."""
    if measured.seconds is None:
        return WORDS[measured.state]
    if measured.state == "stopped":
        return f"> {measured.seconds:.0f}"
    return seconds_text(measured.seconds)


def seconds_text(seconds: float) -> str:
    """0.0056, 0.251, 45.5, 1234: three digits or so, and no exponent."""
    digits = 4 if seconds < 0.1 else 3 if seconds < 10 else 1 if seconds < 100 else 0
    return f"{seconds:.{digits}f}"


def ratio_text(theirs: Measured, ours: Measured) -> str:
    """How many times our time, as a bound where the peer was stopped."""
    found = ratio(theirs, ours)
    if found is None:
        return ""
    digits = 0 if found >= 20 else 1 if found >= 10 else 2
    return f"{'> ' if theirs.state == 'stopped' else ''}{found:.{digits}f}"


def judge(met: bool | None, sign: str, goal: float | None) -> str:
    """The goal and whether it is met."""
    return "" if goal is None else f"{sign} {goal:g} {VERDICTS[met]}".strip()


def times(results: Results) -> Iterator[str]:
    """Our time, then each peer's, its ratio to ours, the goal for that and whether it is met."""
    heading = f"{'CPU seconds of a whole REML fit':<{TITLE}}{OURS:>9}"
    heading += "".join(f" | {peer:>11}   ratio  {'goal':<12}" for peer in PEERS)
    yield heading.rstrip()
    yield "-" * len(heading)
    for problem in PROBLEMS:
        if problem.key in results.fits:
            yield times_row(problem, results.fits[problem.key])


def times_row(problem: Problem, found: dict[str, Measured]) -> str:
    """One problem of the table of times."""
    ours = found[OURS]
    row = f"{problem.title:<{TITLE}}{time_text(ours):>9}"
    for peer in PEERS:
        theirs, goal = found[peer], problem.goals.get(peer)
        judged = judge(reached(theirs, ours, goal), "≥", goal)
        row += f" | {time_text(theirs):>11}{ratio_text(theirs, ours):>8}  {judged:<12}"
    return row.rstrip()


def optima(results: Results) -> Iterator[str]:
    """REML log-likelihoods side by side, where they differ, and the evaluations that they took."""
    heading = f"{'REML log-likelihood, evaluations':<{TITLE}}{OURS:>16}{'':>5}"
    heading += "".join(f" | {peer:>16}{'':>5}  {'':<14}" for peer in PEERS)
    yield heading.rstrip()
    yield "-" * len(heading)
    for problem in PROBLEMS:
        if problem.key in results.fits:
            found = results.fits[problem.key]
            row = f"{problem.title:<{TITLE}}{_optimum(found[OURS])}"
            for peer in PEERS:
                row += f" | {_optimum(found[peer])}  {difference(found[OURS], found[peer]):<14}"
            yield row.rstrip()


def _optimum(measured: Measured) -> str:
    llf = "" if measured.llf is None else f"{measured.llf:.6f}"
    return f"{llf:>16}{measured.evaluations or '':>5}"


def difference(ours: Measured, theirs: Measured) -> str:
    """Who is short of whom by how much, where it matters."""
    if ours.llf is None or theirs.llf is None:
        return ""
    above = theirs.llf - ours.llf
    if above > ABOVE:
        return f"ABOVE by {above:.3g}"
    return f"short by {-above:.3g}" if above < -SHORT else "same"


def failures(results: Results) -> Iterator[str]:
    """The last words of whoever failed."""
    for key, found in results.fits.items():
        for engine, each in found.items():
            if each.state == "failed":
                yield f"{engine} failed on {key}: {each.note}"


def gram(results: Results) -> Iterator[str]:
    """The million rows against reading their columns and forming the Gram matrix."""
    ours = results.fits.get("million", {}).get(OURS)
    if ours and ours.seconds and results.gram and results.gram.seconds:
        found = ours.seconds / results.gram.seconds
        yield (
            f"Against the limit: 1,000,000 rows fit in {found:.1f} times the {results.gram.seconds:.4f} s CPU"
            " of reading [1, x, y] and forming its Gram matrix once"
            f" ({judge(found <= GRAM_GOAL, '≤', GRAM_GOAL)})."
        )


def growth(results: Results) -> Iterator[str]:
    """Exponents, and seconds at each size."""
    yield "Exponent of time as sizes double, and CPU seconds at each size:"
    yield from map(growth_row, results.growth)


def growth_row(series: Growth) -> str:
    """One way to grow."""
    pairs = zip(series.sizes, series.seconds, strict=True)
    points = "  ".join(f"{size:,}: {'–' if s is None else seconds_text(s)}" for size, s in pairs)
    slope = "–" if series.exponent is None else f"{series.exponent:.2f}"
    met = None
    if series.exponent is not None and series.goal is not None:
        met = series.exponent <= series.goal
    return f"  {series.title:<{TITLE}}{slope:>5}  {judge(met, '≤', series.goal):<13}  {points}"


def peaks(results: Results) -> Iterator[str]:
    """Peak memory of a fit above its data frame, in bytes and in sizes of the design."""
    yield f"Peak memory of `{memory.FORMULA}` above the data frame:"
    yield from map(peak_row, results.memory)


def peak_row(measured: Memory) -> str:
    """One number of rows."""
    if measured.multiple is None:
        return f"  {measured.rows:>11,} rows: not measured"
    judged = judge(measured.multiple < memory.GOAL, "<", memory.GOAL)
    return (
        f"  {measured.rows:>11,} rows: {measured.multiple * measured.design / 1e6:6.0f} MB,"
        f" {measured.multiple:.2f} times the {measured.design / 1e6:.0f} MB of its design ({judged})"
    )


def larger_than_memory(results: Results) -> Iterator[str]:
    """The fit of a folder of Parquet files, where it was asked for."""
    found = results.huge
    if found is None:
        return
    what = f"Larger than memory: {found.rows:,} rows × 3 columns × {found.groups:,} groups"
    if found.wall is None or found.cpu is None:
        yield f"{what}: not fitted ({found.note})"
        return
    yield (
        f"{what} in {found.wall:.0f} s ({found.cpu:.0f} s CPU),"
        f" {found.rows / found.wall / 1e6:.2f} million rows a second"
    )
    if found.peak is not None:
        judged = judge(found.peak < huge.GOAL, "<", huge.GOAL / 1e9)
        yield f"  with a peak of {found.peak / 1e9:.2f} GB for the whole process ({judged})"


def first(results: Results) -> Iterator[str]:
    """Import and first fit."""
    found = results.first_use
    if found is not None:
        yield (
            f"First use: `import mixedcore` takes {found.beyond:.2f} s CPU"
            f" beyond the {found.dependencies:.2f} s of its bare dependencies"
            f" ({judge(found.beyond < first_use.GOAL, '<', first_use.GOAL)})."
        )
    ours = results.fits.get("sleepstudy", {}).get(OURS)
    if ours and ours.first and ours.seconds:
        yield (
            f"The first fit of a process, sleepstudy, takes {seconds_text(ours.first)} s CPU,"
            f" a later one {seconds_text(ours.seconds)} s."
        )


def machine(results: Results) -> Iterator[str]:
    """Versions and machine."""
    yield f"{results.date}, one BLAS thread"
    for label, text in results.machine.items():
        yield f"  {label:<12} {text}"


SECTIONS = (machine, times, optima, failures, gram, growth, peaks, larger_than_memory, first)


def render(results: Results) -> str:
    """The whole report."""
    sections = ("\n".join(section(results)) for section in SECTIONS)
    return "\n\n".join(filter(None, sections)) + "\n"
