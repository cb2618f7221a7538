"""Order is the architecture: who may import whom, and what may appear where. Only the source is read."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the bottom up: a module of the core imports only what stands before it. A package that is named alone
# is one entry; of the others each module has its place.
LAYERS = (
    "errors",
    "terms",
    # From any table to settled columns, and from text to a formula that may be evaluated.
    "data.tables",
    "data.sources",
    "data.passes",
    "data.columns",
    "formula",
    "data.frame",
    # From columns and levels to the optimum; knows no formulas.
    "engine.blocks",
    "engine.rows",
    "engine.moments",
    "engine.basis",
    "engine.scaling",
    "engine.sums",
    "engine.groupings",
    "engine.component_columns",
    "engine.cells",
    "engine.crossproducts",
    "engine.rowwise",
    "engine.outcomes",
    "engine.start",
    "engine.couplings",
    "engine.elimination",
    "engine.dense",
    "engine.factor",
    "engine.selected",
    "engine.expected",
    "engine.crossed",
    "engine.criterion",
    "engine.chart",
    "engine.held",
    "engine.exact",
    "engine.optimise",
    "engine.penalties",
    "engine.lasso",
    "engine.estimate",
    # From formulas and columns to matrices and terms.
    "design.factors",
    "design.evaluation",
    "design.groups",
    "design.outcome",
    "design.spec",
    "design.keep",
    "design.by_group",
    "design.components",
    "design.design",
    "design.arrays",
    "design.coding",
    "design.kinds",
    "design.cells",
    "design.stream",
    "design.known",
    "design.grid",
    "design.labels",
    "design.new",
    "design.rowless",
    "stream",
    # From the optimum to what a user reads.
    "packed",
    "distribution",
    "units",
    "parameters",
    "given",
    "group_effects",
    "fixed_terms",
    "inference",
    "likelihood",
    "optimisation",
    "effects",
    "diagnostics",
    "tidy",
    "summary",
    "archive_values",
    "archive",
    "results",
    "keywords",
    "model",
    "simulate",
    "power",
    "comparison",
)
SPLIT = {
    entry.split(".")[0] for entry in LAYERS if "." in entry
}  # packages whose modules have places of their own
# Stands beside the stack: data files and their loader, of use to anyone above `errors`.
DATASETS = "datasets"
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def run_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below this one but those of `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
            continue
        yield child
        yield from run_nodes(child)


def imported(path: Path) -> Iterator[str]:
    """Dotted names of all that a file imports when it runs (so not what only annotations need).

    `from a import b` gives a and a.b, since b may be a module.
    """
    package = path.relative_to(ROOT).parent.parts
    for node in run_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def imported_packages(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


def place(dotted: str) -> str:
    """Entry of `LAYERS` for a name below the package: 'engine.factor', 'inference' for inference.wald."""
    return ".".join(dotted.split(".")[: 2 if dotted.split(".")[0] in SPLIT else 1])


def layer(path: Path) -> str:
    """'engine.factor' for engine/factor.py, 'inference' for inference/wald.py, '' for the package."""
    inside = path.relative_to(ROOT / "mixedcore").with_suffix("").parts
    return "" if inside == ("__init__",) else place(".".join(part for part in inside if part != "__init__"))


CORE = sources("mixedcore")
PAGES = sources("pages")
EVERYTHING = [*CORE, *PAGES, *sources("tests"), ROOT / "app.py"]
in_core = pytest.mark.parametrize("path", CORE, ids=name_of)
in_pages = pytest.mark.parametrize("path", PAGES, ids=name_of)


@in_core
def test_a_core_module_has_a_place_and_imports_only_lower_ones(path: Path) -> None:
    own = layer(path)
    if own == "":
        return  # mixedcore/__init__.py gathers the public names from everywhere
    below = {name.split(".", 1)[1] for name in imported(path) if name.startswith("mixedcore.")}
    others = {place(name) for name in below} - {own} - SPLIT
    if own in SPLIT:
        assert not below  # only a docstring: whoever imports a module of it says which
        return
    if own == DATASETS:
        assert others <= {"errors"}
        return
    assert own in LAYERS, f"give {own} its place in LAYERS"
    assert others <= set(LAYERS[: LAYERS.index(own)])


@in_core
def test_the_core_knows_nothing_of_the_app(path: Path) -> None:
    assert not imported_packages(path) & {"streamlit", "plotly", "pages", "tests", "statsmodels"}


@in_core
def test_only_the_design_calls_patsy(path: Path) -> None:
    """One place turns text into matrices, so one place has to be safe; results never parse again."""
    if not layer(path).startswith(("formula", "design", "model")):
        assert "patsy" not in imported_packages(path)


def is_session(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "session_state"


def named_session_keys(path: Path) -> list[int]:
    """Lines that use `st.session_state` but by `[key]`, with a widget's own key in a variable.

    A callback reads its widget's value so; whatever outlives the widget goes through `state`.
    """
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    by_variable = [
        id(node.value)
        for node in nodes
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name)
    ]
    return [node.lineno for node in nodes if is_session(node) and id(node) not in by_variable]


@in_pages
def test_only_state_names_session_keys(path: Path) -> None:
    if name_of(path) != "pages/ui/state.py":
        assert named_session_keys(path) == []


@pytest.mark.parametrize("path", [ROOT / "app.py", *(ROOT / "pages").glob("*.py")], ids=name_of)
def test_pages_leave_the_session_to_ui(path: Path) -> None:
    assert not any(is_session(node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def caches(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(getattr(node, "attr", "").startswith("cache_") for node in ast.walk(tree))


@in_pages
def test_only_fitting_joins_the_cache_and_models(path: Path) -> None:
    if name_of(path) != "pages/ui/fitting.py":
        fits = {"mixedcore.mixedlm", "mixedcore.MixedLM", "mixedcore.model"} & set(imported(path))
        assert not (caches(path) and fits)


@in_pages
def test_ui_does_not_import_pages(path: Path) -> None:
    if "ui" in path.parts:
        pages = {f"pages.{page.stem}" for page in (ROOT / "pages").glob("*.py")} - {"pages.__init__"}
        assert not pages & set(imported(path))


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_files_and_functions_stay_readable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    too_long = [f.name for f in functions if (f.end_lineno or f.lineno) - f.lineno >= LONGEST_FUNCTION]
    assert too_long == []


def tracked_files() -> list[Path]:
    asked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if asked.returncode:  # unpacked from an archive: there is no list, so look at what git would have tracked
        return [*EVERYTHING, *ROOT.glob("*.*"), *ROOT.glob(".streamlit/*")]
    return [ROOT / name for name in asked.stdout.split("\0") if name]


def test_no_file_names_the_machine_it_was_written_on() -> None:
    """A path below one person's home or scratch folder works for that person only."""
    machine_path = re.compile(rb"(?<![\w.$}~/])/(tmp|work|root|farm|home|Users)/\w|[A-Z]:\\Users\\")
    named = {
        path.relative_to(ROOT).as_posix(): found.group().decode()
        for path in tracked_files()
        if path.is_file() and (found := machine_path.search(path.read_bytes()))
    }
    assert named == {}
