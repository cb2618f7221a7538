"""The same sums on a Dask cluster: work goes there, one total comes back. Fits equal those in memory."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from distributed import Client, LocalCluster

from mixedcore import MixedCoreError, mixedlm
from mixedcore.data.passes import Progress
from tests.mixedcore.streams import chunked, classes, same_fit


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Two workers in processes of their own, so that everything sent to them is pickled.

    A new process runs the main module again, and Streamlit's AppTest leaves the app's page as that one.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "__main__", ModuleType("__main__"))
        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as own,
            Client(own) as it,
        ):
            yield it


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return classes()


MODELS = [
    "y ~ x + (x | school)",
    "y ~ x + np.exp(x) + text + C(number) + (1 | school/room)",
    "y ~ x + (1 | school) + (x || teacher)",
]


@pytest.mark.parametrize("formula", MODELS)
def test_a_fit_from_files_equals_that_in_memory(
    client: Client, data: pd.DataFrame, tmp_path: Path, formula: str
) -> None:
    for k, frame in enumerate(chunked(data, 400)):
        frame.to_parquet(tmp_path / f"part-{k}.parquet")
    seen: list[Progress] = []
    found = mixedlm(formula, tmp_path, client=client, progress=seen.append, eval_env=-1).fit()
    same_fit(found, mixedlm(formula, data, eval_env=-1).fit())
    assert seen[-1] == Progress(seen[-1].pass_number, len(data), len(data))


def test_frames_are_sent(client: Client, data: pd.DataFrame) -> None:
    with_gaps = data.assign(x=data["x"].mask(data.index % 7 == 0))
    with_gaps["w"] = 1 + with_gaps["y"].abs()
    how = {"missing": "drop", "eval_env": -1, "weights": "w", "offset": "number"}
    found = mixedlm(MODELS[1], chunked(with_gaps, 300), client=client, **how).fit()
    same_fit(found, mixedlm(MODELS[1], with_gaps, **how).fit())


def test_what_only_one_process_can_hold_is_refused(client: Client, data: pd.DataFrame) -> None:
    with pytest.raises(MixedCoreError, match="center"):
        mixedlm("y ~ center(x) + (1 | school)", chunked(data, 300), client=client)


class Recorder:
    """The least that a client has to be; notes what it gives back."""

    def __init__(self) -> None:
        self.gathered: list[Any] = []

    def submit(self, function: Callable[..., Any], *arguments: Any, pure: bool) -> Any:
        assert not pure  # naming a task after its arguments would read all of them
        return pickle.loads(pickle.dumps(function(*arguments)))  # noqa: S301  # its own bytes

    def gather(self, future: Any) -> Any:
        self.gathered.append(future)
        return future


def test_nothing_but_totals_comes_back(data: pd.DataFrame) -> None:
    client = Recorder()
    model = mixedlm(MODELS[0], chunked(data, 20), client=client)
    same_fit(model.fit(), mixedlm(MODELS[0], data).fit())
    pieces = len(chunked(data, 20))
    totals = [each for each in client.gathered if not isinstance(each, int)]
    assert [type(each).__name__ for each in totals] == ["Found", "Summed"]
    assert sum(each for each in client.gathered if isinstance(each, int)) == 2 * len(data)
    assert len(client.gathered) == 2 * pieces + 2
