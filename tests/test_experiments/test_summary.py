import pytest

from eac_mm.experiments import Summary, spread, summarise


def test_three_seeds_by_hand():
    # 84, 85, 87: mean 256 / 3; squares 16/9 + 1/9 + 25/9 = 42/9; variance 7/3;
    # t(0.975, 2) = 4.302653, so that the interval is 85.33 -+ 4.302653 sqrt(7) / 3
    summary = summarise([84.0, 85.0, 87.0])
    assert summary.mean == pytest.approx(256 / 3)
    assert summary.deviation == pytest.approx(1.527525)
    assert summary.low == pytest.approx(256 / 3 - 3.794583, abs=1e-5)
    assert summary.high == pytest.approx(256 / 3 + 3.794583, abs=1e-5)
    assert str(summary) == '85.33 ± 1.53'


def test_one_value_has_no_deviation():
    assert summarise([84.0]) == Summary(84.0)
    assert str(Summary(84.0)) == '84.00'


def test_missing_values_are_not_averaged():
    assert summarise([]) is None
    assert summarise([84.0, None]) is None
    assert spread([84.0, None]) == '-'
    assert spread([70.0, 72.0]) == '71.00 ± 1.41'
