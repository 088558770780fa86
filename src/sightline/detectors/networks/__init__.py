"""Detector networks in ONNX files: opening them, telling them apart, pictures in, boxes out."""
