"""Regenerates r_scripts.json: the R scripts that the app writes, and what lme4 found when it ran them.

    python -m tests.reference.r_scripts

Needs R with lme4, lmerTest and jsonlite. Tests read the stored numbers and never need R.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from mixedcore import MixedLMResults, datasets, mixedlm
from pages.ui import exports
from pages.ui.model import scripts
from pages.ui.model.modelcall import ModelCall

Case = Callable[[], tuple[pd.DataFrame, ModelCall]]
ASKED = """
cat("\\n==numbers==\\n")
cat(jsonlite::toJSON(list(
  logLik = as.numeric(logLik(fit)), beta = unname(fixef(fit)), sigma = sigma(fit),
  versions = list(lme4 = as.character(packageVersion("lme4")), R = R.version.string)
), digits = 15, auto_unbox = TRUE))
"""


def _example(name: str, call: ModelCall) -> Case:
    return lambda: (datasets.load(name), call)


def made(seed: int = 5) -> pd.DataFrame:
    """Ninety rows in nine groups: a category with an order that no alphabet has, names that need quoting."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(9), 10)
    dose = rng.choice(["low", "medium", "high"], size=90)
    x = rng.normal(size=90)
    y = np.exp(
        1 + 0.1 * x + 0.2 * (dose == "high") + 0.3 * rng.normal(size=9)[group] + 0.2 * rng.normal(size=90)
    )
    return pd.DataFrame(
        {
            "the outcome": y,
            "=x": x,
            "dose": pd.Categorical(dose, categories=["low", "medium", "high"], ordered=True),
            '`g` "h"': [f"00{label}" for label in group],
            "yes": rng.random(90) < 0.5,
        }
    )


MADE = "np.log(Q('the outcome')) ~ "
GROUP = '`g` "h"'
CASES: dict[str, Case] = {
    "slopes": _example("sleepstudy", ModelCall("Reaction ~ Days", "Subject", "1 + Days")),
    "ml": _example("sleepstudy", ModelCall("Reaction ~ Days + I(Days**2)", "Subject", reml=False)),
    "uncorrelated": _example(
        "sleepstudy", ModelCall("Reaction ~ Days", "Subject", "1", (("Days", "0 + Days"),))
    ),
    "nested": _example(
        "classrooms",
        ModelCall("test_score ~ age + pretest", "school", "1", (("classroom", "0 + C(classroom)"),)),
    ),
    "crossed": _example(
        "Penicillin",
        ModelCall("diameter ~ 1", "", None, (("plate", "0 + C(plate)"), ("sample", "0 + C(sample)"))),
    ),
    "ordered": lambda: (made(), ModelCall(f"{MADE}Q('=x') * dose + yes", GROUP)),
    "sum": lambda: (made(), ModelCall(f"{MADE}C(dose, Sum) + bs(Q('=x'), df=4)", GROUP)),
    "helmert": lambda: (made(), ModelCall(f"{MADE}C(dose, Helmert) + center(Q('=x'))", GROUP, "1")),
    "reference": lambda: (made(), ModelCall(f"{MADE}C(dose, Treatment('medium'))", GROUP)),
}


def fitted(frame: pd.DataFrame, call: ModelCall) -> MixedLMResults:
    """The fit of mixedcore."""
    model = mixedlm(
        call.formula,
        frame,
        re_formula=call.re_formula,
        vc_formula=dict(call.vc_formula) or None,
        missing=call.missing,
        groups=np.ones(len(frame)) if call.one_group else call.groups,
    )
    return model.fit(reml=call.reml)


def run(case: Case) -> dict[str, object]:
    """What lme4 finds when it runs the app's script on the app's file."""
    frame, call = case()
    script = scripts.lme4(call, frame)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / scripts.PREPARED).write_bytes(exports.csv(frame))
        (Path(folder) / "script.R").write_text(script + ASKED, encoding="utf-8")
        done = subprocess.run(
            ["Rscript", "script.R"], cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8"
        )
    if done.returncode:
        raise RuntimeError(f"{done.stderr}\n{script}")
    return {"script": script} | json.loads(done.stdout.rpartition("==numbers==")[2])


def main() -> None:
    """Run every case and store what it found."""
    fits = {name: run(case) for name, case in CASES.items()}
    versions = [fit.pop("versions") for fit in fits.values()]
    stored = {"versions": versions[0], "fits": fits}
    file = Path(__file__).with_suffix(".json")
    file.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
