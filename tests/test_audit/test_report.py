from eac_mm.audit import build_report
from eac_mm.audit.survey import ImageFacts, Survey


def split(name, labels, digests, fault=None):
    """A split of a class 'happy' and a class 'sad'; each digest is a file."""
    paths = [f'{name}{i}.png' for i in range(len(labels))]
    facts = {
        path: ImageFacts(path, sha256=digest, size=(8 + i, 8), fault=fault)
        for i, (path, digest) in enumerate(zip(paths, digests, strict=True))
    }
    classes = {name: labels.count(name) for name in ('happy', 'sad')}
    return Survey(name, classes, labels, paths, facts)


def test_nothing_found():
    found = split('training', ['happy', 'sad'], ['a', 'b'])
    report, text = build_report('recipe.py', [found])
    assert report['clean'] is True
    assert report['splits']['training']['sizes'] == [(8, 8), (9, 8)]
    assert text.splitlines() == [
        'training',
        '  samples: 2',
        '  image files: 2',
        '    happy          1',
        '    sad            1',
        '  smallest: 8 x 8 pixels (training0.png)',
        '  largest: 9 x 8 pixels (training1.png)',
        '',
        'No problem found in the images and labels.',
    ]


def test_copies_within_and_between_splits():
    train = split('training', ['happy', 'sad', 'sad'], ['a', 'a', 'b'])
    test = split('test', ['sad', 'happy'], ['b', 'c'])
    report, text = build_report('recipe.py', [train, test])
    lines = text.splitlines()
    assert not report['clean']
    assert lines[-1] == 'Findings, marked !: 2'
    assert (
        '    training0.png = training1.png  (training: 1 happy, 1 sad)'
        '  THE LABELS DISAGREE'
    ) in lines
    assert '  ! copies in more than one split: 1' in lines
    shared = report['shared']['identical'][0]
    assert shared['paths'] == ['training2.png', 'test0.png']
    assert shared['labels'] == ['sad', 'sad']


def test_unreadable_images_and_empty_classes():
    found = split('training', ['sad'], [None], fault='the file is empty')
    report, text = build_report('recipe.py', [found])
    assert report['splits']['training']['unreadable'] == {
        'training0.png': 'the file is empty'
    }
    assert report['splits']['training']['empty_classes'] == ['happy']
    assert 'Findings, marked !: 2' in text


def test_an_error_is_the_only_finding_of_its_split():
    report, text = build_report('recipe.py', [Survey('test', error='no folder')])
    assert text.splitlines()[:3] == [
        'test',
        '  ! it cannot be loaded:',
        '    no folder',
    ]
    assert report['splits']['test']['error'] == 'no folder'
