"""Name the facial expressions and fix their order: label 0 is the first.

The order is that of RAF-DB's labels 1 to 7, with contempt behind them, so that
one model serves every data set.
"""

EXPRESSIONS = ('surprise', 'fear', 'disgust', 'happy', 'sad', 'angry', 'neutral')
# By number of classes.
CLASSES = {7: EXPRESSIONS, 8: (*EXPRESSIONS, 'contempt')}
