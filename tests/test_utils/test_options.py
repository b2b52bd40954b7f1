import pytest

from eac_mm.utils.options import parse_options


def test_words_become_values():
    words = ['a.b=3', 'rate=0.5', 'flag=True', 'list=[1,2]', 'path=x=y.pth', 'a.b=4']
    assert parse_options(words) == {
        'a.b': 4,
        'rate': 0.5,
        'flag': True,
        'list': [1, 2],
        'path': 'x=y.pth',
    }
    assert parse_options([]) == {}


@pytest.mark.parametrize('word', ['lr', '=3', ''])
def test_a_word_that_is_no_pair_is_refused(word):
    with pytest.raises(ValueError, match=r'--cfg-options .*give KEY=VALUE. Fix:'):
        parse_options(['a=1', word])


@pytest.mark.parametrize('value', ["[dict(type='A', b=5)]", '[(1, 2', '{"a": [1, 2}'])
def test_a_value_that_cannot_be_read_is_refused(value):
    with pytest.raises(ValueError, match='cannot be read. Fix: .*parts of a dict'):
        parse_options([f'custom_hooks={value}'])
