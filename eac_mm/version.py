"""The version of eac_mm, read by ``setup.py`` as text."""

__version__ = '0.1.0'
