"""The deep reader: a convolutional network over whole pictures, without cutting; onnxruntime runs it.

Others import `deep_reader` and `deep_models`; `learning` trains such a network and is the only place that knows PyTorch.
"""
