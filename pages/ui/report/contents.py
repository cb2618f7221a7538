"""From a fit and the choices to the report: each part a short list of blocks. No Streamlit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from pages.ui import charts, tables
from pages.ui.compare import compared, comparing
from pages.ui.model import equated, scripts
from pages.ui.model.lme4 import UntranslatableError, to_lme4
from pages.ui.numbers import share
from pages.ui.report import methods
from pages.ui.report.choices import PARTS
from pages.ui.report.document import (
    Block,
    Bullets,
    Code,
    Formula,
    Heading,
    Paragraph,
    Picture,
    Report,
    Tabular,
)
from pages.ui.report.material import Material
from pages.ui.results import computed, estimates_options, fitview, narrative, result_tables
from pages.ui.results.facts import facts, units_of
from pages.ui.results.narrative import Told
from pages.ui.results.voice import PLAIN

MOST_EXCLUSIONS = 200


def report(made_of: Material) -> Report:
    """The chosen parts in their order, the literature last."""
    chosen = made_of.choices
    blocks = [Paragraph(line) for line in chosen.notes.splitlines() if line.strip()]
    body: list[Block] = [*blocks]
    for part in available(chosen.parts, kept=made_of.kept is not None):
        body.extend([Heading(PARTS[part]), *_PARTS[part](made_of)])
    cited = " ".join(block.text for block in body if isinstance(block, Paragraph))
    literature = methods.references(cited) if "methods" in chosen.parts else ()
    if literature:
        body.extend([Heading("References"), Bullets(literature)])
    return Report(chosen.title.strip() or f"Mixed model: {made_of.data.name}", tuple(body))


def available(parts: Sequence[str], *, kept: bool) -> list[str]:
    """The parts in the order of the report, without a comparison of nothing."""
    return [part for part in PARTS if part in parts and (part != "kept" or kept)]


def _data(made_of: Material) -> list[Block]:
    used, total = len(made_of.data.frame), len(made_of.all_rows.frame)
    modelled = int(made_of.result.nobs)
    sentences = [f"{made_of.data.name}: {total:,} rows and {made_of.data.frame.shape[1]:,} columns."]
    if total > used:
        left_out = f"{total - used:,} {'was' if total - used == 1 else 'were'} left out by hand"
        sentences.append(f"{used:,} rows are in use: {left_out}.")
    if used > modelled:
        sentences.append(f"The model has {modelled:,} rows: in the others a value that it needs is missing.")
    blocks: list[Block] = [Paragraph(" ".join(sentences))]
    notes = (*made_of.data.notes, *map(str, made_of.result.notes))
    if notes:
        blocks += [Paragraph("What reading and preparing changed:"), Bullets(notes)]
    if made_of.exclusions:
        shown = made_of.exclusions[:MOST_EXCLUSIONS]
        items = [f"Row {each.row}: {each.reason or 'no reason given'}" for each in shown]
        more = len(made_of.exclusions) - len(shown)
        blocks += [Paragraph("Rows left out, with the reason:"), Bullets((*items, *_more(more)))]
    return blocks


def _more(count: int) -> list[str]:
    return [f"and {count:,} more"] if count > 0 else []


def _model(made_of: Material) -> list[Block]:
    call = made_of.call
    found = made_of.result
    groups = f"{found.model.n_groups:,} groups" if not call.one_group else "all rows as one group"
    lines = [f"mixedlm: {made_of.described}"]
    try:
        lines.append(f"lme4: {to_lme4(call, categories_of(made_of.data.frame))}")
    except UntranslatableError as err:
        lines.append(f"lme4 has no equal: {err}")
    outcome = fitview.outcome_name(found)
    return [
        Paragraph(
            f"The outcome {outcome} was modelled with {len(found.fe_params):,} fixed coefficients over "
            f"{int(found.nobs):,} rows in {groups}."
        ),
        Bullets(tuple(lines)),
    ]


def _equations(made_of: Material) -> list[Block]:
    """Level by level, then all in one, as the Model page has them."""
    found = made_of.equations
    if found is None:
        return [Paragraph(equated.NONE)]
    return [
        *(Formula(latex, title) for title, latex in found.by_level),
        Formula(found.combined, "All levels in one"),
        Paragraph(f"Indices: {found.legend}."),
    ]


def categories_of(frame: pd.DataFrame) -> set[str]:
    """Columns that are text, for the translation into lme4's notation."""
    return {str(name) for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name].dtype)}


def _methods(made_of: Material) -> list[Block]:
    chosen, result = made_of.choices, made_of.result
    return [
        Paragraph(
            methods.paragraph(
                reml=result.reml,
                ddf=made_of.ddf,
                intervals=made_of.named,
                level=chosen.level,
                parts=chosen.parts,
            )
        )
    ]


def _fixed(made_of: Material) -> list[Block]:
    return [Tabular(tables.fixed_effects(made_of.fixed, made_of.choices.level), "Fixed effects")]


def _variances(made_of: Material) -> list[Block]:
    level, tidy = made_of.choices.level, made_of.random
    correlations = result_tables.correlations(tidy, level)
    shown: list[Block] = [Tabular(tables.variance_components(tidy, level), "Variance components")]
    shown += [] if correlations is None else [Tabular(correlations, "Correlations")]
    return [*shown, *map(Paragraph, computed.readable_notes(tidy, made_of.intervals))]


def _tests(made_of: Material) -> list[Block]:
    found = made_of.tests
    if isinstance(found, str):
        return [Paragraph(found)]
    if found.empty:
        return [Paragraph("The model has no terms to test but the intercept.")]
    return [Tabular(result_tables.f_tests(found), "F tests of the terms")]


def _shares(made_of: Material) -> list[Block]:
    glance = made_of.result.glance()
    fit = glance.iloc[0]
    return [
        Paragraph(
            f"The predictors explain {share(float(fit['r2_marginal']))} of the variance (marginal R²), "
            f"predictors and groups together {share(float(fit['r2_conditional']))} (conditional R²)."
        ),
        Tabular(
            result_tables.icc_by_level(made_of.result.icc()), "Share of the variance at each level (ICC)"
        ),
        Tabular(tables.fit_statistics(glance), "Fit statistics"),
    ]


def _findings(made_of: Material) -> list[Block]:
    result = made_of.result
    state = "The fit converged" if result.converged else "The fit did not converge"
    state += " and is singular: a variance is at its edge." if result.singular else "."
    items = tuple(
        " ".join(filter(None, [f"{found.title}.", found.evidence, found.meaning, found.remedy]))
        for found in result.diagnose()
    )
    return [Paragraph(state), *([Bullets(items)] if items else [Paragraph("Nothing else was found.")])]


def _coefficients(made_of: Material) -> list[Block]:
    level = made_of.choices.level
    fixed = made_of.fixed
    outcome = fitview.outcome_name(made_of.result)
    return [Picture(charts.coefficient_plot(fixed, level=level, intercept=len(fixed) == 1, outcome=outcome))]


def _caterpillar(made_of: Material) -> list[Block]:
    level = made_of.choices.level
    blups = made_of.result.tidy(effects="blups", level=level)
    return [
        Picture(charts.caterpillar(fitview.of_effect(blups, effect), level=level, unit=effect.name))
        for effect in fitview.random_effects(blups)
    ]


def _residuals(made_of: Material) -> list[Block]:
    return [Picture(charts.residuals_against_fitted(made_of.result.augment()))]


def _quantiles(made_of: Material) -> list[Block]:
    studentised = made_of.result.residuals("studentised")
    return [Picture(charts.normal_qq(studentised.to_numpy(), studentised.index))]


def _kept(made_of: Material) -> list[Block]:
    """The comparison of the Compare page; what could not be compared is said."""
    found = made_of.kept
    assert found is not None
    missing = tuple(f"“{name}” cannot be fitted: {reason}" for name, reason in found.failed)
    said: list[Block] = [Bullets(missing)] if missing else []
    if not found.entries:
        return said
    if not comparing.same_rows(found.entries):
        return [*said, Paragraph("The models kept use different rows, so they cannot be compared.")]
    tested = comparing.tested(found.entries)
    how = "full maximum likelihood (ML)" if not found.entries[0].result.reml else "REML"
    return [
        *said,
        Paragraph(f"All models are compared by {how}, on the same {len(found.entries[0].rows):,} rows."),
        Tabular(compared.models(found.entries, tested), "Models"),
        Bullets(tuple(compared.reading(found.entries, tested, PLAIN))),
        Tabular(compared.coefficients(found.entries), "Estimates side by side"),
    ]


def _words(made_of: Material) -> list[Block]:
    """The reading of the Estimates page."""
    result, level = made_of.result, made_of.choices.level
    tests = made_of.tests
    told = Told(
        made_of.fixed,
        made_of.random,
        result.icc(),
        result.glance().iloc[0],
        None if isinstance(tests, str) else tests,
        level,
        made_of.ddf,
        estimates_options.joined(made_of.named),
        len(made_of.exclusions),
    )
    parts = narrative.tell(result, facts(result, units_of(made_of.data.source)), told, PLAIN)
    return [block for part in parts for block in (Paragraph(f"{part.title}:"), Bullets(part.sentences))]


def _scripts(made_of: Material) -> list[Block]:
    call, data = made_of.call, made_of.data
    return [
        Code(scripts.mixedcore(call, data), "mixedcore, in Python"),
        Code(scripts.statsmodels(call, data), scripts.about_statsmodels(call, data)),
        Code(scripts.lme4(call, data.frame), f"lme4, in R, on {scripts.PREPARED}"),
    ]


_PARTS: dict[str, Callable[[Material], list[Block]]] = {
    "data": _data,
    "model": _model,
    "equations": _equations,
    "methods": _methods,
    "words": _words,
    "fixed": _fixed,
    "variances": _variances,
    "tests": _tests,
    "shares": _shares,
    "findings": _findings,
    "coefficients": _coefficients,
    "caterpillar": _caterpillar,
    "residuals": _residuals,
    "quantiles": _quantiles,
    "kept": _kept,
    "scripts": _scripts,
}
