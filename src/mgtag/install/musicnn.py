from pathlib import Path

SKELETON = Path(__file__).parent / "musicnn.onnx"
