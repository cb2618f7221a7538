"""What the Model page says of its size is about the rows that the condition selects."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pages.ui import fitting
from pages.ui.data import examples
from pages.ui.model import changes, selected
from pages.ui.model.form import Form
from tests.pages import fits

CALL = examples.suggested("sleepstudy")


def form(subset: str) -> Form:
    data, call = examples.dataset("sleepstudy"), replace(CALL, subset=subset)
    return Form(changes.reading_of(call, data), fitting.profiled(data.digest, data.frame), data)


def test_the_selected_rows_and_their_levels() -> None:
    found = selected.of(form('Days > 6 and Subject != "308"'))
    assert len(found.data.frame) == 17 * 3
    subject = found.column("Subject")
    assert subject is not None
    assert (subject.levels, subject.rows) == (17, 51)


@pytest.mark.parametrize("subset", ["", "Days >", "nothing > 3", "Days > 100"])
def test_without_a_condition_that_can_be_used_all_rows_count(subset: str) -> None:
    asked = form(subset)
    assert selected.of(asked) is asked


def test_the_page_counts_the_selected_rows() -> None:
    call = replace(CALL, subset='Days > 6 and Subject != "308"')
    app = fits.opened_with("model", examples.dataset("sleepstudy").frame, call)
    said = "\n".join(fits.texts(app))
    assert "**51 rows** in 17 groups" in said
    assert "51 in all" in str(fits.charts_of(app)[0])
