"""How much of a reply is a copy of its quotes."""

import pytest

from tuning.metrics import copied_share


@pytest.mark.parametrize(
    ("text", "quotes", "expected"),
    [
        ("A parcel waits for 4 days.", ["A parcel waits for 4 days and then goes back."], 1.0),
        ("It waits for 4 days.", ["A parcel waits for 4 days and then goes back."], 0.8),
        ("Four days it is.", ["A parcel waits for 4 days."], 0.0),
        ("包裹保留 4 天。", ["您的包裹保留 4 天，之后退回。"], 1.0),
        ("", ["A parcel."], 1.0),
        ("Waits 4 days, costs £2.", ["It waits 4 days.", "It costs £2 a day."], 0.6),
    ],
)
def test_what_is_copied_is_runs_of_words(text, quotes, expected):
    assert copied_share(text, quotes) == pytest.approx(expected)
