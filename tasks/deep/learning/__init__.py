"""Labelled pictures, drawn as they are needed or from datasets -> a deep model; needs the extra `deep`, PyTorch.

Others import `deep_training`, `sources` and `deep_settings`.
"""
