"""Predict expressions with an ONNX file, without eac_mm and PyTorch.

pip install onnxruntime opencv-python
python docs/examples/predict_onnx.py model.onnx face1.jpg face2.jpg

The pictures are faces that are aligned already, as tools/align_faces.py writes them.
A predicted expression is what annotators would call the picture, no judgement of what
someone feels.
"""

import json
import sys

import cv2
import numpy as np
import onnxruntime


def read_face(path: str, size: int, grey: bool) -> np.ndarray:
    """Read a picture as uint8 (size, size, 3) in BGR order."""
    image = cv2.imread(path, cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)
    if image is None:
        sys.exit(f'{path}: OpenCV cannot read it')
    image = cv2.resize(image, (size, size))
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if grey else image


def normalise(images: np.ndarray, known: dict) -> np.ndarray:
    """Turn uint8 (N, H, W, 3) into the float32 (N, 3, H, W) of a file without it."""
    if known['channels'] == 'RGB':
        images = images[..., ::-1]
    images = (images - np.array(known['mean'])) / np.array(known['std'])
    return images.transpose(0, 3, 1, 2).astype(np.float32)


def main(model: str, *pictures: str) -> None:
    """Print the classes of each picture, the likeliest first."""
    session = onnxruntime.InferenceSession(model, providers=['CPUExecutionProvider'])
    text = session.get_modelmeta().custom_metadata_map
    if 'eac_mm' not in text:
        sys.exit(f'{model} was not written by tools/export.py: its input is unknown')
    plain = ('input', 'channels', 'eac_mm')
    known = {k: v if k in plain else json.loads(v) for k, v in text.items()}
    grey = known['template']['grey']
    images = np.stack([read_face(path, known['size'], grey) for path in pictures])
    if known['input'].startswith('float32'):
        images = normalise(images, known)
    (probabilities,) = session.run(['probabilities'], {'images': images})
    for path, row in zip(pictures, probabilities, strict=True):
        best = sorted(zip(row, known['classes'], strict=True), reverse=True)
        print(path, *(f'{name}={share:.4f}' for share, name in best))


if __name__ == '__main__':
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
