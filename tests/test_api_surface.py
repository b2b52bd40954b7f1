"""What others call keeps its name and its parameters.

``api_surface.txt`` lists what is promised: a line for each class or function, with the
names of its parameters in their order. New ones may join them. To promise a new name,
or to break a promise on purpose, edit the file and say so in CHANGELOG.md.
"""

import importlib
import inspect
import re
from pathlib import Path

import pytest

LINES = Path(__file__).with_name('api_surface.txt').read_text('utf-8').splitlines()
LINE = re.compile(r'(?P<module>[\w.]+)\.(?P<name>\w+)\((?P<parameters>[\w, ]*)\)')


def parameters_of(thing):
    names = list(inspect.signature(thing).parameters)
    return [name for name in names if name not in ('args', 'kwargs')]


@pytest.mark.parametrize('line', LINES)
def test_promised(line):
    found = LINE.fullmatch(line)
    module = importlib.import_module(found['module'])
    thing = getattr(module, found['name'])
    promised = re.findall(r'\w+', found['parameters'])
    assert [name for name in parameters_of(thing) if name in promised] == promised


def test_the_list_is_in_order_and_without_repetition():
    assert sorted(set(LINES)) == LINES
    assert len(LINES) > 50


def test_a_renamed_parameter_is_seen():
    def train(config, seed=0, **kwargs):
        pass

    assert parameters_of(train) == ['config', 'seed']
