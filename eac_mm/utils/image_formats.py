"""Tell kinds of image files apart, and open those that OpenCV does not decode.

HEIC needs the package pillow-heif, and AVIF a Pillow that was built with it. Both
are looked for when the first such image is met; nothing is registered in Pillow.
"""

import functools
import io

from PIL import Image

# Pillow's readers of other formats do more than decode (EPS runs a program).
FORMATS = ('BMP', 'GIF', 'JPEG', 'PNG', 'PPM', 'TIFF', 'WEBP')
ENDINGS = ('.bmp', '.gif', '.jfif', '.jpe', '.jpeg', '.jpg', '.pbm', '.pgm', '.png')
ENDINGS += ('.pnm', '.ppm', '.tif', '.tiff', '.webp')
OPTIONAL = {'.avif': 'AVIF', '.heic': 'HEIC', '.heif': 'HEIC', '.hif': 'HEIC'}
COMMANDS = {
    'AVIF': "pip install --upgrade 'pillow>=11.3'",
    'HEIC': 'pip install pillow-heif',
}
AVIF_BRANDS = frozenset({b'avif', b'avis'})
HEIC_BRANDS = frozenset(
    {b'heic', b'heix', b'heim', b'heis', b'hevc', b'hevx', b'mif1', b'msf1'}
)


class UnreadableImage(ValueError):
    """Why bytes do not give an image; the message is the reason alone."""


@functools.cache
def avif_reader() -> type[Image.Image] | None:
    """Return Pillow's class for AVIF files, or None if it was built without."""
    try:
        from PIL import AvifImagePlugin
    except ImportError:
        return None
    return AvifImagePlugin.AvifImageFile if AvifImagePlugin.SUPPORTED else None


@functools.cache
def heic_reader() -> type[Image.Image] | None:
    """Return pillow-heif's class for HEIC files, or None if it is not installed."""
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        return None
    return HeifImageFile


def reader_of(kind: str) -> type[Image.Image] | None:
    """Return what opens ``'AVIF'`` or ``'HEIC'``, or None if nothing does."""
    return avif_reader() if kind == 'AVIF' else heic_reader()


def readable_endings() -> tuple[str, ...]:
    """List the endings of image files that can be read here, in lower case."""
    found = (ending for ending, kind in OPTIONAL.items() if reader_of(kind))
    return tuple(sorted((*ENDINGS, *found)))


def command_for(ending: str) -> str | None:
    """Return the command that makes an ending readable.

    Args:
        ending: An ending in lower case, such as ``'.heic'``.

    Returns:
        The command, or None if the ending is read already or never is.
    """
    kind = OPTIONAL.get(ending)
    return None if kind is None or reader_of(kind) else COMMANDS[kind]


def kind_of(data: bytes) -> str | None:
    """Tell AVIF and HEIC by the brands in the head of the file.

    Returns:
        ``'AVIF'``, ``'HEIC'``, or None for anything else, videos included.
    """
    if data[4:8] != b'ftyp':
        return None
    end = min(int.from_bytes(data[:4], 'big'), len(data), 512)
    # Size, 'ftyp', major brand, version, then compatible brands.
    brands = {data[8:12], *(data[i : i + 4] for i in range(16, end, 4))}
    # 'mif1' may stand beside either.
    if brands & AVIF_BRANDS:
        return 'AVIF'
    return 'HEIC' if brands & HEIC_BRANDS else None


def open_image(data: bytes) -> Image.Image:
    """Open an image with Pillow; its pixels are decoded by ``load``.

    Args:
        data: Content of a file.

    Raises:
        UnreadableImage: If the format needs a package that is not there.
        PIL.UnidentifiedImageError: If it is no image, or of another format.
    """
    kind = kind_of(data)
    if kind is None:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    reader = reader_of(kind)
    if reader is None:
        raise UnreadableImage(
            f'it is an {kind} image, which nothing installed here can read; '
            f'{COMMANDS[kind]} adds it'
        )
    return reader(io.BytesIO(data))
