"""How degrees of freedom are counted: the names of the choices, the same on every page."""

from __future__ import annotations

from mixedcore.inference.hypotheses import Ddf

DDF: dict[Ddf, str] = {
    "satterthwaite": "Satterthwaite",
    "kenward-roger": "Kenward–Roger",
    "residual": "Residual (n − p)",
    "normal": "Normal (z)",
}
