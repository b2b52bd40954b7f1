"""The review page: its data by hand, and the page itself in a browser."""

import base64
import csv
import hashlib
import json
import re
import shutil

import cv2
import numpy as np
import pytest

from eac_mm.audit.review_page import (
    Suspects,
    encode_picture,
    page_data,
    write_review_page,
)
from eac_mm.datasets import CSVFaces

CLASSES = ('happy', 'sad', 'fear')
HOSTILE = '</script><script>document.title="owned"</script>"\',\n.png'
CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')


def make_suspects(count=4, others=1, **options):
    """Suspect i of ``count`` is labelled i % 3 and suggested (i + 1) % 3."""
    numbers = np.arange(count)
    names = [f'faces/{i}.png' for i in range(count + others)]
    fields = dict(
        classes=CLASSES,
        names=names,
        labels=np.arange(count + others) % 3,
        shown=numbers,
        suggestions=(numbers + 1) % 3,
        probabilities=np.tile([0.2, 0.6, 0.2], (count, 1)),
        scores=dict(loss=1.0 - numbers / count, other=numbers / count),
        losses=np.tile([0.0, 4.0], (count, 1)),
        attention=np.tile([[1.0, 3.0]], (count, 1, 1)),
        neighbours=((numbers + 1) % count)[:, None],
    )
    return Suspects(**{**fields, **options})


def pictures(count):
    return [np.full((8, 8, 3), 20 * (i % 10), np.uint8) for i in range(count)]


def unpack(text):
    return np.frombuffer(base64.b64decode(text), np.uint8).tolist()


def test_data_by_hand():
    data = page_data(make_suspects(2), ['a', 'b'])
    assert unpack(data['probabilities']) == [51, 153, 51] * 2
    assert unpack(data['curves']) == [0, 255] * 2
    assert unpack(data['attention'].pop('maps')) == [0, 255] * 2
    assert data['attention'] == dict(height=1, width=2)
    assert data['scores'] == dict(loss=[1.0, 0.5], other=[0.0, 0.5])
    assert (data['shown'], data['suggestions']) == ([0, 1], [1, 2])
    assert (data['labels'], data['neighbours']) == ([0, 1, 2], [[1], [0]])
    assert json.loads(json.dumps(data)) == data


def test_what_is_not_known_is_left_out():
    suspects = make_suspects(2, losses=None, attention=None, neighbours=None)
    data = page_data(suspects, ['a', 'b'])
    assert [data[key] for key in ('curves', 'attention', 'neighbours')] == [None] * 3


def test_a_score_that_is_not_known_counts_least():
    suspects = make_suspects(2, scores=dict(loss=np.array([np.nan, -5.0])))
    low, known = page_data(suspects, ['a', 'b'])['scores']['loss']
    assert low < known == -5.0


def test_pictures_are_small():
    wide = np.zeros((100, 400, 3), np.uint8)
    wide[..., 0] = 200  # red
    coded = encode_picture(wide).removeprefix('data:image/webp;base64,')
    image = cv2.imdecode(np.frombuffer(base64.b64decode(coded), np.uint8), 1)
    assert image.shape == (24, 96, 3)
    assert np.abs(image.reshape(-1, 3).mean(0) - [0, 0, 200]).max() < 8


def test_the_fingerprint_follows_names_labels_and_classes():
    first = make_suspects().fingerprint
    assert first == make_suspects().fingerprint
    others = [
        make_suspects(names=list('abcde')),
        make_suspects(labels=np.zeros(5, int)),
        make_suspects(classes=('a', 'b', 'c')),
    ]
    assert len({first, *(suspects.fingerprint for suspects in others)}) == 4


def test_one_picture_a_suspect(tmp_path):
    with pytest.raises(ValueError, match='3 pictures for 4 suspects. Fix: '):
        write_review_page(tmp_path / 'r.html', make_suspects(), pictures(3), 'R')


def test_the_policy_allows_this_script_alone(tmp_path):
    write_review_page(tmp_path / 'r.html', make_suspects(), pictures(4), 'R')
    text = (tmp_path / 'r.html').read_text(encoding='utf-8')
    policy = re.search('Content-Security-Policy" content="(.*?)">', text)[1]
    assert "default-src 'none'" in policy
    for tag, source in (('script', 'script-src'), ('style', 'style-src')):
        content = re.search(f'<{tag}>(.*?)</{tag}>', text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{source} 'sha256-{digest}'" in policy
    assert 'http' not in re.sub(r'http://www.w3.org/2000/svg|http-equiv', '', text)


# ---- in a browser ----


@pytest.fixture(scope='module')
def browser():
    api = pytest.importorskip('playwright.sync_api')
    if CHROMIUM is None:
        pytest.skip('no chromium is installed')
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=['--no-sandbox']
        )
        yield browser
        browser.close()


@pytest.fixture
def show(browser, tmp_path):
    """Open a page of suspects; it must say nothing and ask for nothing."""
    said, context = [], browser.new_context(viewport=dict(width=1000, height=700))

    def open_page(suspects, title='Review'):
        path = tmp_path / f'{suspects.fingerprint}.html'
        count = len(suspects.shown)
        write_review_page(path, suspects, pictures(count), title)
        page = context.new_page()
        page.on('pageerror', lambda error: said.append(str(error)))
        page.on('console', lambda message: said.append(message.text))
        page.on('request', lambda r: said.append(r.url) if 'http' in r.url[:5] else 0)
        page.goto(path.as_uri())
        return page

    yield open_page
    context.close()
    assert not said


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def saved(page, button, folder):
    with page.expect_download() as download:
        page.click(button)
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def rows(page, button, folder):
    path = saved(page, button, folder)
    return list(csv.reader(path.read_text(encoding='utf-8').splitlines(True)))


def wait_for(page, place, text):
    from playwright.sync_api import expect

    expect(page.locator(place)).to_contain_text(text)


def counters(page):
    return page.inner_text('#counters')


def test_keys_alone_decide(show, tmp_path):
    page = show(make_suspects(4))
    page.fill('#who', 'Ann')
    page.focus('#grid')
    press(page, 'Enter', 's', 'k', '3', 'u', 'Escape')
    assert counters(page).startswith(
        '4 of 4 suspects decided (keep 2, relabel 1, discard 0, unsure 1)'
    )
    # The third suspect is labelled 3 already: its key keeps it.
    assert page.inner_text('#stop') == 'last 4: 1 wrong'
    header, *found = rows(page, '#export', tmp_path)
    assert header == ['index', 'image', 'label', 'decision', 'new_label', 'by', 'when']
    assert [row[:6] for row in found] == [
        ['0', 'faces/0.png', 'happy', 'relabel', 'sad', 'Ann'],
        ['1', 'faces/1.png', 'sad', 'keep', 'sad', 'Ann'],
        ['2', 'faces/2.png', 'fear', 'keep', 'fear', 'Ann'],
        ['3', 'faces/3.png', 'happy', 'unsure', '', 'Ann'],
    ]
    assert all(re.fullmatch(r'\d{4}-\d\d-\d\dT[\d:.]+Z', row[6]) for row in found)


def test_undo_and_redo_restore_whole_ranges(show):
    page = show(make_suspects(4))
    press(page, 'Shift+ArrowRight', 'Shift+ArrowRight', 'd')
    assert counters(page).startswith('3 of 4')
    press(page, 'k')
    assert counters(page).startswith('4 of 4')
    press(page, 'z', 'z')
    assert counters(page).startswith('0 of 4')
    press(page, 'y')
    assert '(keep 0, relabel 0, discard 3, unsure 0)' in counters(page)
    press(page, 'z', 'k', 'y')  # a new decision ends what can be redone
    assert '(keep 1, relabel 0, discard 0, unsure 0)' in counters(page)


def test_filters(show):
    page = show(make_suspects(6))
    page.select_option('#label', '1')
    assert counters(page).endswith('2 shown')
    page.click('#reset')
    page.click('#matrix button[aria-label="2 labelled fear, suggested happy"]')
    assert counters(page).endswith('2 shown')
    page.fill('#search', 'faces/5')
    assert counters(page).endswith('1 shown')
    page.click('#reset')
    press(page, 'k')
    page.select_option('#state', 'keep')
    assert counters(page).endswith('1 shown')
    assert 'faces/0.png' in page.inner_text('#grid')
    page.click('#reset')
    page.select_option('#sort', 'other')  # the last suspect comes first
    assert page.locator('.card.at p').nth(1).inner_text() == 'faces/5.png'


def test_the_corrected_list_is_read_back(show, tmp_path):
    suspects = make_suspects(3, others=2)
    page = show(suspects)
    press(page, 's', 'd', 'k')
    path = saved(page, '#list', tmp_path)
    (tmp_path / 'faces').mkdir()
    for name in suspects.names:
        cv2.imwrite(str(tmp_path / name), np.zeros((4, 4, 3), np.uint8))
    data = CSVFaces(
        data_root=str(tmp_path), ann_file=path.name, classes=CLASSES, pipeline=[]
    )
    found = {
        data.get_data_info(i)['img_path'][-5:]: CLASSES[
            data.get_data_info(i)['gt_label']
        ]
        for i in range(len(data))
    }
    # Suggested, discarded, kept, and two that were no suspects.
    wanted = {'0.png': 'sad', '2.png': 'fear', '3.png': 'happy', '4.png': 'sad'}
    assert found == wanted


def test_progress_stays_in_the_browser_and_in_a_file(show, tmp_path):
    suspects = make_suspects(4)
    page = show(suspects)
    press(page, 's', 'd')
    path = saved(page, '#save', tmp_path)
    page.reload()
    assert counters(page).startswith('2 of 4')
    press(page, 'u', 'u')
    page.set_input_files('#load', path)
    wait_for(page, '#counters', '(keep 0, relabel 1, discard 1, unsure 0)')
    other = show(make_suspects(4, names=list('vwxyz')))
    assert counters(other).startswith('0 of 4')  # file:// pages share one store
    other.set_input_files('#load', path)
    wait_for(other, '#stop', 'another review. Fix: ')
    assert counters(other).startswith('0 of 4')


def test_hostile_names_are_text(show, tmp_path):
    names = [HOSTILE, *(f'{i}.png' for i in range(4))]
    page = show(make_suspects(4, names=names), title=HOSTILE)
    assert page.title() != 'owned'
    press(page, 's')
    assert page.locator('.card p').nth(1).get_attribute('title') == HOSTILE
    assert rows(page, '#export', tmp_path)[1][1] == HOSTILE


def test_30_000_suspects_need_no_more_nodes(show):
    few, many = (show(make_suspects(count)) for count in (60, 30_000))
    number = "document.querySelectorAll('*').length"
    numbers = [page.evaluate(number) for page in (few, many)]
    assert numbers[1] < numbers[0] + 100
    many.evaluate("document.getElementById('grid').scrollTop = 1e6")
    many.wait_for_timeout(100)
    assert many.evaluate(number) < numbers[0] + 100
    press(many, 'k')
    assert counters(many).startswith('1 of 30000')


def test_many_classes_are_chosen_from_a_list(show):
    classes = tuple(f'class {i}' for i in range(12))
    wide = np.full((4, 12), 1 / 12)
    page = show(make_suspects(4, classes=classes, probabilities=wide))
    press(page, 'Enter', 'c')
    page.select_option('#classes', '11')
    assert '✎ class 11' in page.inner_text('#grid')


def test_themes_and_attention(show):
    page = show(make_suspects(4))
    light = page.evaluate('getComputedStyle(document.body).backgroundColor')
    page.click('#theme')
    assert page.evaluate('getComputedStyle(document.body).backgroundColor') != light
    page.focus('#grid')
    press(page, 'Enter')
    assert not page.is_visible('#heat')
    press(page, 'v')
    assert page.is_visible('#heat')
    assert page.evaluate(
        "[...document.getElementById('heat').getContext('2d').getImageData(0,0,2,1).data]"
    ) == [0, 0, 255, 255, 255, 255, 0, 255]
    press(page, 'Escape', '?')
    assert 'undo' in page.inner_text('#keylist')
