from eac_mm.experiments import markdown_table


def test_table():
    text = markdown_table(['a', 'b'], [['x', 1], ('', 2.5)])
    assert text == '| a | b |\n| --- | --- |\n| x | 1 |\n|  | 2.5 |'
    assert markdown_table(['a'], []) == '| a |\n| --- |'
