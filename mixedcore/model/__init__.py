"""The model: `Described` says what it is, `Functions` its likelihood, `MixedLM` is made and fitted."""

from __future__ import annotations

from mixedcore.model.described import VCSpec
from mixedcore.model.mixed import MixedLM, mixedlm

__all__ = ["MixedLM", "VCSpec", "mixedlm"]
