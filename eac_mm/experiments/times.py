"""Write times for people."""


def duration(seconds: float) -> str:
    """Write how long something took, such as ``2 h 30 min``."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return 'less than 1 min'
    hours, rest = divmod(minutes, 60)
    return f'{hours} h {rest} min' if hours else f'{minutes} min'


def about(seconds: float) -> str:
    """Write an estimate, such as ``about 2 h 30 min``."""
    return ('about ' if seconds >= 30 else '') + duration(seconds)
