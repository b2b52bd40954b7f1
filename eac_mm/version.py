"""The version of eac_mm, read by ``setup.py`` as text, and of what it measures."""

__version__ = '0.1.0'

# Raise it with any change of the code after which the same settings, seed and data
# give other figures, or a metric means something else. Results of another number never
# stand in one table with today's.
MEASURES = 2
