"""How the numbers were computed, in sentences for a methods section, and the literature they cite. Pure."""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from mixedcore.inference.hypotheses import Ddf

REFERENCES = {
    "bates": (
        "Bates, D., Mächler, M., Bolker, B., & Walker, S. (2015). Fitting linear mixed-effects models using "
        "lme4. Journal of Statistical Software, 67(1), 1–48. https://doi.org/10.18637/jss.v067.i01"
    ),
    "johnson": (
        "Johnson, P. C. D. (2014). Extension of Nakagawa & Schielzeth’s R²GLMM to random slopes models. "
        "Methods in Ecology and Evolution, 5(9), 944–946. https://doi.org/10.1111/2041-210X.12225"
    ),
    "kenward": (
        "Kenward, M. G., & Roger, J. H. (1997). Small sample inference for fixed effects from restricted "
        "maximum likelihood. Biometrics, 53(3), 983–997. https://doi.org/10.2307/2533558"
    ),
    "kuznetsova": (
        "Kuznetsova, A., Brockhoff, P. B., & Christensen, R. H. B. (2017). lmerTest package: Tests in linear "
        "mixed effects models. Journal of Statistical Software, 82(13), 1–26. "
        "https://doi.org/10.18637/jss.v082.i13"
    ),
    "laird": (
        "Laird, N. M., & Ware, J. H. (1982). Random-effects models for longitudinal data. Biometrics, 38(4), "
        "963–974. https://doi.org/10.2307/2529876"
    ),
    "nakagawa": (
        "Nakagawa, S., & Schielzeth, H. (2013). A general and simple method for obtaining R² from "
        "generalized linear mixed-effects models. Methods in Ecology and Evolution, 4(2), 133–142. "
        "https://doi.org/10.1111/j.2041-210x.2012.00261.x"
    ),
    "patterson": (
        "Patterson, H. D., & Thompson, R. (1971). Recovery of inter-block information when block sizes are "
        "unequal. Biometrika, 58(3), 545–554. https://doi.org/10.1093/biomet/58.3.545"
    ),
    "satterthwaite": (
        "Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components. "
        "Biometrics Bulletin, 2(6), 110–114. https://doi.org/10.2307/3002019"
    ),
}
"""In the order of the alphabet, as they are listed."""
_PACKAGES = ("NumPy", "SciPy", "pandas", "patsy")
_ROOT = Path(__file__).parents[3]


def own_version() -> str:
    """The version of mixedcore, installed or in its own folder."""
    try:
        return metadata.version("mixedcore")
    except metadata.PackageNotFoundError:
        project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["version"])


def versions() -> str:
    """The programs that computed the numbers."""
    others = ", ".join(f"{name} {metadata.version(name.lower())}" for name in _PACKAGES)
    return f"mixedcore {own_version()} on Python {platform.python_version()} with {others}"


TESTED: dict[Ddf, str] = {
    "satterthwaite": "degrees of freedom by Satterthwaite’s method (Satterthwaite, 1946; Kuznetsova et al., "
    "2017)",
    "kenward-roger": "standard errors and degrees of freedom by the method of Kenward and Roger (1997)",
    "residual": "the t distribution, rows less coefficients as degrees of freedom",
    "normal": "the normal distribution",
}
BOUNDED = {
    "Wald": "Wald intervals",
    "profile-likelihood": "profile-likelihood intervals",
    "bootstrap": "percentiles of data sets drawn from the model (parametric bootstrap)",
}


def paragraph(*, reml: bool, ddf: Ddf, intervals: tuple[str, str], level: float, parts: Sequence[str]) -> str:
    """The sentences on how the parts of the report were computed.

    intervals : names of those of fixed effects and of the random part
    """
    estimation = (
        "restricted maximum likelihood (REML; Patterson & Thompson, 1971)" if reml else "maximum likelihood"
    )
    sentences = [
        f"A linear mixed model (Laird & Ware, 1982) was fitted by {estimation}, the criterion computed by "
        f"penalised least squares (Bates et al., 2015), with {versions()}."
    ]
    if {"fixed", "tests", "coefficients"} & set(parts):
        sentences.append(f"Fixed effects were tested with {TESTED[ddf]}.")
    if "tests" in parts:
        sentences.append("F tests of terms are of type III.")
    fixed, random = intervals
    if fixed != "Wald" and {"fixed", "coefficients"} & set(parts):
        sentences.append(f"Intervals of fixed effects are {BOUNDED[fixed]}.")
    if "variances" in parts:
        scale = " on the log scale" if random == "Wald" else ""
        sentences.append(f"Intervals of standard deviations are {BOUNDED[random]}{scale}.")
    if "shares" in parts:
        sentences.append(
            "Marginal and conditional R² follow Nakagawa and Schielzeth (2013), with random slopes Johnson "
            "(2014)."
        )
    return " ".join([*sentences, f"All intervals are {level:.0%} intervals."])


def references(cited: str) -> tuple[str, ...]:
    """The works that the text cites, by the family name of their first author."""
    return tuple(entry for entry in REFERENCES.values() if entry.partition(",")[0] in cited)
