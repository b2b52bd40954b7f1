"""The review page: its data by hand, and the page itself in a browser."""

import base64
import csv
import hashlib
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from browsers import press, saved

from eac_mm.audit import review_page
from eac_mm.audit.review_page import (
    Suspects,
    encode_picture,
    page_data,
    write_review_page,
)
from eac_mm.datasets import CSVFaces

CLASSES = ('happy', 'sad', 'fear')
HOSTILE = '</script><script>document.title="owned"</script>"\',\n.png'


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
    assert unpack(data['curves']) == [0, 254] * 2
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


def test_a_score_that_is_not_known():
    suspects = make_suspects(2, scores=dict(loss=np.array([np.nan, -5.0])))
    assert page_data(suspects, ['a', 'b'])['scores']['loss'] == [None, -5.0]


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
    # The range was chosen again.
    assert '(keep 3, relabel 0, discard 0, unsure 0)' in counters(page)


def test_filters(show):
    page = show(make_suspects(6))
    page.select_option('#label', '1')
    assert counters(page).endswith('2 shown')
    page.click('#reset')
    page.click('#pairs button[aria-label="2 labelled fear, suggested happy"]')
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
    page.fill('#who', 'Ann')
    page.focus('#grid')
    press(page, 's', 'd', 'k')
    path = saved(page, '#list', tmp_path)
    lines = list(csv.reader(path.read_text(encoding='utf-8').splitlines()))
    assert lines[0] == ['image', 'label', 'name', 'decision', 'by', 'when']
    assert lines[1][:5] == ['faces/0.png', 'sad', 'faces/0.png', 'relabel', 'Ann']
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT[\d:.]+Z', lines[1][5])
    assert lines[3][3:] == ['', '', '']  # no suspect
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
    page.click('#undo')  # of the loading
    assert '(keep 0, relabel 0, discard 0, unsure 2)' in counters(page)
    other = show(make_suspects(4, names=list('vwxyz')))
    assert counters(other).startswith('0 of 4')  # file:// pages share one store
    other.set_input_files('#load', path)
    wait_for(other, '#message', 'another review. Fix: ')
    assert counters(other).startswith('0 of 4')


def test_hostile_names_are_text(show, tmp_path):
    names = [HOSTILE, *(f'{i}.png' for i in range(4))]
    page = show(make_suspects(4, names=names), title=HOSTILE)
    assert page.title() != 'owned'
    press(page, 's')
    assert page.locator('.card p').nth(1).get_attribute('title') == HOSTILE
    assert rows(page, '#export', tmp_path)[1][1] == HOSTILE


def test_names_that_are_not_utf8(tmp_path):
    suspects = make_suspects(1, others=0, names=['\udcff.png'])
    write_review_page(tmp_path / 'r.html', suspects, pictures(1), '\udcff')
    assert r'["\udcff.png"]' in (tmp_path / 'r.html').read_text(encoding='utf-8')


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
    press(page, 'Enter', 'c', 'End', 'Enter', 'Escape')
    assert counters(page).startswith('1 of 4')
    press(page, 'Shift+ArrowRight', 'c', 'k', 'End', 'Escape')
    assert counters(page).startswith('1 of 4')  # keys of the list decide nothing
    press(page, 'c', 'End', 'Enter')
    assert counters(page).startswith('3 of 4')
    for place in range(3):
        assert '✎ class 11' in page.inner_text(f'#card{place}')


def test_pairs_of_100_classes_are_a_list(show):
    classes = tuple(map(str, range(100)))
    even = np.full((6, 100), 0.01)
    page = show(make_suspects(6, classes=classes, probabilities=even))
    assert page.locator('#pairs td').count() == 0
    # Labels 0, 1, 2 with suggestions 1, 2, 0, each twice.
    buttons = page.locator('#pairs button')
    assert buttons.all_inner_texts() == ['2: 0 → 1', '2: 1 → 2', '2: 2 → 0']
    buttons.nth(1).click()
    assert counters(page).endswith('2 shown')
    assert page.locator('#pairs [aria-pressed=true]').count() == 1


def test_a_suggestion_that_is_the_label_keeps_it(show):
    page = show(make_suspects(3, suggestions=np.array([0, 2, 1])))
    press(page, 's', 's')
    assert '(keep 1, relabel 1, discard 0, unsure 0)' in counters(page)


def test_the_cursor_stays_in_sight(show):
    page = show(make_suspects(60))
    inside = """() => {
        const at = document.querySelector('.card.at').getBoundingClientRect();
        const grid = document.getElementById('grid').getBoundingClientRect();
        return at.top >= grid.top && at.bottom <= grid.bottom;
    }"""
    press(page, *['k'] * 40)
    page.wait_for_function(inside)
    press(page, *['z'] * 40)
    page.wait_for_function(inside)
    assert page.locator('.card.at').get_attribute('aria-posinset') == '1'


def test_a_button_keeps_the_focus(show):
    page = show(make_suspects(4))
    press(page, 'Enter', 'Enter')  # the second one presses no button
    assert counters(page).startswith('0 of 4')
    page.focus('#decide button')
    press(page, 'Enter', 'Enter')
    assert '(keep 2, relabel 0, discard 0, unsure 0)' in counters(page)
    page.click('#before')
    pressed = page.locator('#decide [aria-pressed=true]').all_inner_texts()
    assert pressed == ['Keep (k)']


def test_an_image_of_which_little_is_known(show):
    scores = dict(loss=np.array([np.nan, 1.0]))
    nothing = dict(losses=None, attention=None, neighbours=None)
    page = show(make_suspects(2, scores=scores, **nothing))
    assert 'score not known' in page.inner_text('#card1')
    press(page, 'Enter', 'ArrowRight')
    assert page.inner_text('#name') == '2 of 2: faces/0.png'
    assert not page.is_visible('#losses')
    assert not page.is_visible('#near')
    press(page, 'Escape', 'v')
    assert 'no attention maps' in page.inner_text('#message')
    page.fill('#search', 'no such name')
    assert page.is_visible('#empty')
    page.focus('#grid')
    press(page, 'Enter', 'k', 's', 'c')
    assert counters(page).startswith('0 of 2')
    assert counters(page).endswith('; 0 shown')


def test_an_epoch_without_the_sample_leaves_a_gap(show):
    suspects = make_suspects(2, losses=np.array([[0.0, np.nan, 4.0]] * 2))
    points = show(suspects).locator('.card polyline').first.get_attribute('points')
    assert points == '0,49 200,1'


def test_a_browser_that_keeps_nothing_says_so(show):
    page = show(make_suspects(2))
    page.evaluate('void (Storage.prototype.setItem = () => { throw new Error() })')
    press(page, 'k')
    assert 'Fix: save your progress to a file.' in page.inner_text('#message')
    assert counters(page).startswith('1 of 2')


def test_damaged_files_are_refused(show, tmp_path):
    suspects = make_suspects(2)
    page = show(suspects)
    saved = dict(format='eac_mm review 1', fingerprint=suspects.fingerprint)
    good = dict(index=0, action='relabel', label=1, by='', when='')
    bad = [dict(label='length'), dict(label=3), dict(action='undecided'), dict(index=9)]
    texts = ['{', 'null', json.dumps(saved)]
    texts += [json.dumps({**saved, 'decisions': [{**good, **part}]}) for part in bad]
    for text in texts:
        page.evaluate("document.getElementById('message').textContent = ''")
        (tmp_path / 'saved.json').write_text(text)
        page.set_input_files('#load', tmp_path / 'saved.json')
        wait_for(page, '#message', 'Not loaded: ')
        assert 'Fix: load the file that was saved' in page.inner_text('#message')
    assert counters(page).startswith('0 of 2')


def test_decisions_on_images_that_are_no_longer_shown_stay(show, tmp_path):
    page = show(make_suspects(4, others=0))
    press(page, 's', 's', 's', 's')
    # The same data set, of which a new page shows two.
    fewer = show(make_suspects(2, others=2))
    assert counters(fewer).startswith('2 of 2')
    assert len(rows(fewer, '#export', tmp_path)) == 5


def test_a_narrow_window(show):
    page = show(make_suspects(30))
    page.set_viewport_size(dict(width=375, height=667))
    page.reload()
    assert not page.is_visible('#sort')
    width = 'document.documentElement.scrollWidth'
    assert page.evaluate(width) == 375
    assert page.locator('header').bounding_box()['y'] == 0
    grid, actions = (page.locator(i).bounding_box() for i in ('#grid', '#actions'))
    assert grid['height'] > 250
    assert actions['y'] + actions['height'] <= 667
    page.locator('.card').nth(1).click()
    page.click('text="One image (Enter)"')
    page.click('#decide >> text="happy (1)"')
    assert page.evaluate(width) == 375
    assert '(keep 0, relabel 1, ' in counters(page)


def luminance(colour):
    """Relative luminance of WCAG 2.2."""
    long = ''.join(c * 2 for c in colour) if len(colour) == 3 else colour
    parts = np.array([int(long[i : i + 2], 16) / 255 for i in (0, 2, 4)])
    low, high = parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4
    return np.where(parts <= 0.04045, low, high) @ [0.2126, 0.7152, 0.0722]


def test_contrast_of_text():
    style = Path(review_page.__file__).with_name('page') / 'page.css'
    themes = re.findall(r'{([^{}]*--back:.*?)}', style.read_text('utf-8'), re.DOTALL)
    assert len(themes) == 3  # light, dark by the system, dark by the button
    for theme in themes:
        colours = dict(re.findall(r'--(\w+): #(\w+)', theme))
        for name in ('fore', 'keep', 'relabel', 'discard', 'unsure'):
            for ground in ('back', 'soft'):
                pair = [luminance(colours[key]) for key in (name, ground)]
                assert (max(pair) + 0.05) / (min(pair) + 0.05) >= 4.5, (name, ground)


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
    assert page.locator('.card canvas:not([hidden])').count() >= 4  # the grid too
    assert page.evaluate(
        "[...document.getElementById('heat').getContext('2d').getImageData(0,0,2,1).data]"
    ) == [0, 0, 255, 255, 255, 255, 0, 255]
    press(page, 'Escape', '?')
    assert 'undo' in page.inner_text('#keylist')
