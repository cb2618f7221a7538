"""The models of lme4.json in the seed notation: nested terms as components, crossed ones in one group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mixedcore import MixedLM, mixedlm


@dataclass(frozen=True, slots=True)
class Seed:
    """One model as a user of the seed writes it.

    groups : grouping column, or None for one group that holds all rows (crossed factors)
    terms  : lme4's name of each random term, in lme4's order → the name here; by default they are the same
    """

    formula: str
    groups: str | None
    re_formula: str | None = None
    vc_formula: Mapping[str, str] = field(default_factory=dict)
    terms: Mapping[str, str] = field(default_factory=dict)

    def model(self, data: pd.DataFrame) -> MixedLM:
        groups = np.ones(len(data)) if self.groups is None else self.groups
        return mixedlm(self.formula, data, self.re_formula, dict(self.vc_formula) or None, groups=groups)


def crossed(formula: str, *factors: str) -> Seed:
    return Seed(formula, None, None, {f: f"0 + C({f})" for f in factors})


def nested(formula: str, group: str, child: str) -> Seed:
    """lme4's (1 | group/child)."""
    return Seed(formula, group, "1", {child: f"0 + C({child})"}, {f"{child}:{group}": child, group: group})


# (data, lme4's formula) → the same model. In patsy `yield` needs Q(), being a word of Python.
SEED = {
    ("sleepstudy", "Reaction ~ 1 + Days + (1|Subject)"): Seed("Reaction ~ Days", "Subject"),
    ("sleepstudy", "Reaction ~ 1 + Days + (1 + Days|Subject)"): Seed(
        "Reaction ~ Days", "Subject", "1 + Days"
    ),
    ("sleepstudy", "Reaction ~ 1 + Days + (1|Subject) + (0 + Days|Subject)"): Seed(
        "Reaction ~ Days", "Subject", "1", {"slope": "0 + Days"}, {"Subject": "Subject", "Subject.1": "slope"}
    ),
    ("sleepstudy", "Reaction ~ 1 + Days + (0 + Days|Subject)"): Seed(
        "Reaction ~ Days", "Subject", "0 + Days"
    ),
    ("Dyestuff", "Yield ~ 1 + (1|Batch)"): Seed("Yield ~ 1", "Batch"),
    ("Dyestuff2", "Yield ~ 1 + (1|Batch)"): Seed("Yield ~ 1", "Batch"),
    ("Penicillin", "diameter ~ 1 + (1|plate) + (1|sample)"): crossed("diameter ~ 1", "plate", "sample"),
    ("Pastes", "strength ~ 1 + (1|sample)"): Seed("strength ~ 1", "sample"),
    ("Pastes", "strength ~ 1 + (1|batch/cask)"): nested("strength ~ 1", "batch", "cask"),
    ("cake", "angle ~ recipe * temperature + (1|recipe:replicate)"): Seed(
        "angle ~ recipe * C(temperature, Poly)",
        "recipe",
        None,
        {"replicate": "0 + C(replicate)"},
        {"recipe:replicate": "replicate"},
    ),
    ("cake", "angle ~ recipe + temperature + (1|recipe:replicate)"): Seed(
        "angle ~ recipe + C(temperature, Poly)",
        "recipe",
        None,
        {"replicate": "0 + C(replicate)"},
        {"recipe:replicate": "replicate"},
    ),
    ("Orthodont", "distance ~ age * Sex + (1|Subject)"): Seed("distance ~ age * Sex", "Subject"),
    ("Orthodont", "distance ~ age * Sex + (age|Subject)"): Seed("distance ~ age * Sex", "Subject", "age"),
    ("Orthodont", "distance ~ age + (age|Subject)"): Seed("distance ~ age", "Subject", "age"),
    ("Machines", "score ~ Machine + (1|Worker)"): Seed("score ~ Machine", "Worker"),
    ("Machines", "score ~ Machine + (Machine|Worker)"): Seed("score ~ Machine", "Worker", "Machine"),
    ("Oats", "yield ~ nitro * Variety + (1|Block/Variety)"): nested(
        "Q('yield') ~ nitro * Variety", "Block", "Variety"
    ),
    ("Oats", "yield ~ nitro + (1|Block/Variety)"): nested("Q('yield') ~ nitro", "Block", "Variety"),
    ("Oats", "yield ~ ordered(nitro) * Variety + (1|Block/Variety)"): nested(
        "Q('yield') ~ C(nitro, Poly) * Variety", "Block", "Variety"
    ),
    ("Rail", "travel ~ 1 + (1|Rail)"): Seed("travel ~ 1", "Rail"),
    ("Oxide", "Thickness ~ 1 + (1|Lot/Wafer)"): nested("Thickness ~ 1", "Lot", "Wafer"),
    ("Assay", "logDens ~ sample * dilut + (1|Block) + (1|Block:sample) + (1|Block:dilut)"): Seed(
        "logDens ~ sample * dilut",
        "Block",
        "1",
        {"sample": "0 + C(sample)", "dilut": "0 + C(dilut)"},
        {"Block:sample": "sample", "Block:dilut": "dilut", "Block": "Block"},
    ),
    ("BodyWeight", "weight ~ Time * Diet + (Time|Rat)"): Seed("weight ~ Time * Diet", "Rat", "Time"),
    ("Hsb82", "mAch ~ 1 + (1|school)"): Seed("mAch ~ 1", "school"),
    ("Hsb82", "mAch ~ meanses + (1|school)"): Seed("mAch ~ meanses", "school"),
    ("Hsb82", "mAch ~ cses + (cses|school)"): Seed("mAch ~ cses", "school", "cses"),
    ("Exam", "normexam ~ 1 + (1|school)"): Seed("normexam ~ 1", "school"),
    ("Exam", "normexam ~ standLRT + (1|school)"): Seed("normexam ~ standLRT", "school"),
    ("Exam", "normexam ~ standLRT + (standLRT|school)"): Seed("normexam ~ standLRT", "school", "standLRT"),
    ("ScotsSec", "attain ~ 1 + (1|primary) + (1|second)"): crossed("attain ~ 1", "primary", "second"),
    ("ScotsSec", "attain ~ sex + (1|primary) + (1|second)"): crossed("attain ~ sex", "primary", "second"),
    ("egsingle", "math ~ year + (1|schoolid/childid)"): nested("math ~ year", "schoolid", "childid"),
    ("Chem97", "score ~ gcsecnt + (1|school) + (1|lea)"): crossed("score ~ gcsecnt", "school", "lea"),
    ("Early", "cog ~ tosx + trt:tosx + (tosx|id)"): Seed("cog ~ tosx + trt:tosx", "id", "tosx"),
    ("InstEval", "y ~ service + (1|s) + (1|d) + (1|dept)"): crossed("y ~ service", "s", "d", "dept"),
}
