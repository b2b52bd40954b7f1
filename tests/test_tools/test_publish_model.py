"""The command that publishes a model: how it is asked."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_arguments_reach_the_function(monkeypatch, tmp_path, capsys):
    import eac_mm.apis.publishing as publishing

    asked = []
    (tmp_path / 'm.pth').write_bytes(b'x' * 20_000)

    def publish(*arguments):
        asked.append(arguments)
        return [tmp_path / 'm.pth']

    monkeypatch.setattr(publishing, 'publish', publish)
    main = runpy.run_path(str(ROOT / 'tools/publish_model.py'))['main']
    main(['a.pth', 'results', 'm.pth', '--about', 'It is.'])
    assert asked == [('a.pth', 'results', 'm.pth', 'It is.')]
    assert capsys.readouterr().out == f'{tmp_path / "m.pth"}: 0.02 MB\n'
