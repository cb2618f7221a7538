"""What a person chose for the report: its title, their own words, its parts and the interval level. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pages.ui.project.problem import damaged, mapping, text, texts

PARTS = {
    "data": "Data, and what was changed",
    "model": "Model",
    "equations": "The model in equations",
    "methods": "Methods",
    "words": "The results in words",
    "fixed": "Fixed effects",
    "variances": "Variance components",
    "tests": "F tests",
    "shares": "ICC, R² and fit",
    "findings": "Diagnostics: findings",
    "coefficients": "Plot: coefficients",
    "caterpillar": "Plot: group effects",
    "residuals": "Plot: residuals",
    "quantiles": "Plot: Q–Q",
    "kept": "Comparison of kept models",
    "scripts": "Programs",
}
"""Part → what it is called, in the order of the report."""
USUAL = tuple(PARTS)
LEVELS = (0.90, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class ReportChoices:
    """title, notes : the person's own words; parts : keys of `PARTS`; level : of every interval."""

    title: str = ""
    notes: str = ""
    parts: tuple[str, ...] = USUAL
    level: float = 0.95

    @classmethod
    def from_content(cls, content: object) -> ReportChoices:
        """Read what a project file says. Raises ProjectError."""
        known = mapping(content, "the report", ("title", "notes", "parts", "level"))
        parts = texts(known["parts"], "the parts of the report", 100)
        if not set(parts) <= set(PARTS) or known["level"] not in LEVELS:
            raise damaged("a part of the report is not known")
        return cls(
            text(known["title"], "the title of the report"),
            text(known["notes"], "the notes", 100_000),
            tuple(part for part in PARTS if part in parts),
            float(known["level"]),
        )
