from eac_mm.experiments.times import about, duration


def test_times():
    assert duration(29) == 'less than 1 min'
    assert duration(90) == '2 min'
    assert duration(3570) == '1 h 0 min'
    assert duration(9000) == '2 h 30 min'


def test_estimates():
    assert about(29) == 'less than 1 min'
    assert about(31) == 'about 1 min'
    assert about(9000) == 'about 2 h 30 min'
