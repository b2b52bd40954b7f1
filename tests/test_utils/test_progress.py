import io

from eac_mm.utils.progress import progress_bar


def test_steps_are_counted():
    stream = io.StringIO()
    with progress_bar('aligning', 4, stream) as step:
        step(1)
        step(2)
    shown = stream.getvalue()
    assert 'aligning' in shown
    assert '3/4' in shown
    assert '75%' in shown


def test_an_unknown_total():
    stream = io.StringIO()
    with progress_bar('reading', None, stream) as step:
        step(7)
    assert '7/?' in stream.getvalue()
