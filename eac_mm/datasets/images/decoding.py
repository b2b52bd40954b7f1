"""Decode the bytes of an image file to (H, W, 3) uint8 BGR, or give a reason.

OpenCV decodes JPEG and PNG after a walk through their structure: a decoder may
fill in what a cut file lacks and say so on standard error only, depending on its
version. The walk costs some microseconds. Pillow decodes the rest.
"""

import re
import struct
import zlib

import cv2
import numpy as np
from PIL import Image, ImageOps

from eac_mm.utils.image_formats import UnreadableImage, open_image

JPEG = b'\xff\xd8\xff'
PNG = b'\x89PNG\r\n\x1a\n'
# A damaged or hostile header must not ask for gigabytes.
MAX_PIXELS = 100_000_000
# The next JPEG marker: neither data (FF00), filling (FFFF) nor a restart.
MARKER = re.compile(rb'\xff[^\x00\xff\xd0-\xd7]')
START_OF_SCAN, END = 0xDA, 0xD9
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
CUT = 'the {} file is cut off: its end is missing'


def decode(data: bytes) -> np.ndarray:
    """Decode an image by its content, whatever its file is called.

    - Grey and palette images give three channels, CMYK is converted.
    - 16 bits are scaled to 8 by their high byte, not clipped.
    - Transparent pixels are laid over white, as a browser shows them; the colours
      that they hide do not matter.
    - EXIF orientation is applied.
    - An animation gives its first picture.

    Args:
        data: Content of a JPEG, PNG, BMP, GIF, PPM, TIFF or WebP file, or of an
            AVIF or HEIC file if it can be read here
            (:mod:`eac_mm.utils.image_formats`).

    Returns:
        The image, uint8 of shape (H, W, 3), in BGR order.

    Raises:
        UnreadableImage: If the data is empty, cut, damaged or another format,
            or has more than :data:`MAX_PIXELS` pixels.
    """
    if data.startswith(JPEG):
        _check_jpeg(data)
        return _decode_with_opencv(data, 'JPEG')
    if data.startswith(PNG):
        if _check_png(data):
            return _decode_with_pillow(data)
        return _decode_with_opencv(data, 'PNG')
    if not data:
        raise UnreadableImage('the file is empty')
    return _decode_with_pillow(data)


def _check_size(width: int, height: int) -> None:
    if not 0 < width * height <= MAX_PIXELS:
        raise UnreadableImage(
            f'its header says {width} x {height} pixels, and 1 to {MAX_PIXELS:,} are '
            'allowed in all; it is damaged, or not a face'
        )


def _check_jpeg(data: bytes) -> None:
    """Walk from marker to marker up to the end of the first image."""
    position = 2
    while True:
        found = MARKER.search(data, position)
        if found is None:
            raise UnreadableImage(CUT.format('JPEG'))
        position = found.end()
        marker = data[position - 1]
        # A file that ends with the end marker needs no walk through its data: the
        # data cannot contain that marker.
        if marker == END or (marker == START_OF_SCAN and data.endswith(b'\xff\xd9')):
            return
        if marker in FRAME_HEADERS and len(data) >= position + 7:
            height, width = struct.unpack_from('>HH', data, position + 3)
            _check_size(width, height)
        position += int.from_bytes(data[position : position + 2], 'big')


def _check_png(data: bytes) -> bool:
    """Walk through the chunks and tell whether the image is transparent."""
    position = len(PNG)
    transparent = False
    while True:
        head = data[position : position + 8]
        if len(head) < 8:
            raise UnreadableImage(CUT.format('PNG'))
        length, kind = struct.unpack('>I4s', head)
        end = position + 8 + length
        if end + 4 > len(data):
            raise UnreadableImage(CUT.format('PNG'))
        # A capital first letter marks a chunk that the picture needs.
        if kind[:1].isupper():
            checksum = zlib.crc32(memoryview(data)[position + 4 : end])
            if checksum != int.from_bytes(data[end : end + 4], 'big'):
                raise UnreadableImage(
                    f'the PNG file is damaged: its part {kind.decode("latin-1")!r} '
                    'does not match its checksum'
                )
        if kind == b'IEND':
            return transparent
        if kind == b'IHDR' and length == 13:
            width, height, _, colour = struct.unpack_from('>IIBB', data, position + 8)
            _check_size(width, height)
            transparent = colour in (4, 6)
        transparent |= kind == b'tRNS'
        position = end + 4


def _decode_with_opencv(data: bytes, kind: str) -> np.ndarray:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise UnreadableImage(
            f'the {kind} file is damaged (OpenCV: {error})'
        ) from error
    if image is None:
        raise UnreadableImage(f'the {kind} file is damaged: OpenCV cannot decode it')
    return image


def _decode_with_pillow(data: bytes) -> np.ndarray:
    try:
        with open_image(data) as image:
            _check_size(*image.size)
            image.load()
            image = ImageOps.exif_transpose(image)
    except Image.UnidentifiedImageError as error:
        raise UnreadableImage(
            'it holds no JPEG, PNG, BMP, GIF, PPM, TIFF, WebP, AVIF or HEIC image; it '
            f'begins with {data[:12]!r}'
        ) from error
    except UnreadableImage:
        raise
    # Pillow's readers raise about everything for damaged files: OSError,
    # SyntaxError, struct.error, IndexError, ...
    except Exception as error:
        raise UnreadableImage(f'it is damaged (Pillow: {error})') from error
    # Of a decoded image, what fails here is our mistake, and no damage of the file.
    return np.ascontiguousarray(np.asarray(_to_rgb(image))[:, :, ::-1])


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith('I;16'):
        # convert() would clip at 255.
        high = np.asarray(image).astype(np.uint16) >> 8
        return Image.fromarray(high.astype(np.uint8)).convert('RGB')
    if image.mode in ('I', 'F'):
        raise UnreadableImage(
            'its pixels have 32 bits, so that their range is unknown; save it with 8 '
            'or 16 bits'
        )
    if not image.has_transparency_data:
        return image.convert('RGB')
    white = Image.new('RGBA', image.size, 'white')
    return Image.alpha_composite(white, image.convert('RGBA')).convert('RGB')
