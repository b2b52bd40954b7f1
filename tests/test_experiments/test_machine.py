from eac_mm.experiments import machine


def test_machines_are_noted_once_each(tmp_path, monkeypatch):
    assert machine.noted(tmp_path) == []
    for name in ('one', 'two', 'one'):
        monkeypatch.setattr(machine, 'describe', lambda name=name: name)
        machine.note(tmp_path)
    assert machine.noted(tmp_path) == ['one', 'two']
