"""The deep reader: a convolutional network over whole pictures, without cutting; onnxruntime runs it.

Others import `deep_reader`; `learning` trains such networks and is the only place that knows PyTorch.
"""
