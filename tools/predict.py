"""Predict the expressions of faces in pictures, videos or of a camera.

python tools/predict.py work_dirs/eac/resnet18_rafdb_noise30 photo.jpg holiday/ film.mp4

Writes predictions.csv, predictions.jsonl and annotated pictures and videos. The exit
status is 0, 1 if a picture or video got no prediction, and 2 if an argument is wrong.

A predicted expression is what annotators would call the picture. It is no judgement of
what someone feels, of their character or intentions. Do not use it to assess people at
work, in schools, by the police, or in medicine.
"""

import argparse
from collections.abc import Sequence


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Predict the expressions of faces. A predicted expression is what '
        'annotators would call the picture. It is no judgement of what someone feels, '
        'of their character or intentions.',
        epilog='example: eac-mm predict work_dirs/eac/resnet18_rafdb_noise30 '
        'photo.jpg holiday/ film.mp4',
    )
    parser.add_argument(
        'model', help='a work directory of a training, a checkpoint, or a name'
    )
    parser.add_argument(
        'source',
        nargs='+',
        help="pictures, folders, patterns ('a/*.jpg'), videos, or a camera's number",
    )
    parser.add_argument(
        '--out', default='predictions', help='folder of the results [%(default)s]'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace the results in --out'
    )
    parser.add_argument(
        '--threshold',
        type=float,
        default=0.0,
        help="below this probability a face is 'uncertain', 0 to 1 [%(default)s]",
    )
    parser.add_argument(
        '--temperature',
        type=float,
        help='divides the logits; tools/test.py measures it [1]',
    )
    parser.add_argument(
        '--smoothing',
        type=float,
        default=0.0,
        help='weight of earlier frames of a video, 0 to below 1 [%(default)s]',
    )
    parser.add_argument(
        '--attention', action='store_true', help='add attention maps (linear heads)'
    )
    parser.add_argument(
        '--no-drawing', action='store_true', help='write no pictures and videos'
    )
    _add_faces(parser)
    return parser.parse_args(argv)


def _add_faces(parser: argparse.ArgumentParser) -> None:
    """Add how pictures are read and faces are found."""
    parser.add_argument('--max-frames', type=int, help='of each video or camera [all]')
    parser.add_argument(
        '--batch-size', type=int, default=32, help='faces at a time [%(default)s]'
    )
    parser.add_argument('--device', help='such as cuda:1 [cuda, else cpu]')
    parser.add_argument(
        '--config', help='recipe of a checkpoint that does not name its pipeline'
    )
    parser.add_argument(
        '--detector',
        default='mtcnn',
        help="mtcnn, dlib, the path of YuNet's .onnx file, or none for pictures that "
        'are aligned faces [%(default)s]',
    )
    parser.add_argument(
        '--faces',
        choices=('all', 'largest', 'central'),
        default='all',
        help='which faces of a picture [%(default)s]',
    )
    parser.add_argument(
        '--template', help="arcface or ferplus [that of the checkpoint's data set]"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Predict; return 0, or 1 if a source failed."""
    args = parse_args(argv)
    # Imported here: --help needs none of it, and it takes seconds.
    import cv2

    from eac_mm.apis import ExpressionPredictor
    from eac_mm.apis.prediction import predict_sources
    from eac_mm.apis.prediction_files import PredictionFiles
    from eac_mm.deploy.sources import list_sources
    from eac_mm.utils.progress import progress_bar

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    sources, left_out = list_sources(args.source)
    predictor = ExpressionPredictor(
        args.model,
        config=args.config,
        detector=args.detector,
        faces=args.faces,
        template=args.template,
        threshold=args.threshold,
        temperature=args.temperature,
        attention=args.attention,
        batch_size=args.batch_size,
        device=args.device,
    )
    pictures = sum(source.kind == 'picture' for source in sources)
    total = pictures if pictures == len(sources) else None  # frames are not counted
    with (
        PredictionFiles(args.out, predictor.classes, args.overwrite) as files,
        progress_bar('predicting', total) as step,
    ):
        summary = predict_sources(
            predictor,
            sources,
            files,
            draw=not args.no_drawing,
            smoothing=args.smoothing,
            max_frames=args.max_frames,
            step=step,
        )
    print(summary)
    if left_out:
        print(f'left out of {left_out}')
    print(f'results: {files.folder}')
    return 1 if summary.failed else 0


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
