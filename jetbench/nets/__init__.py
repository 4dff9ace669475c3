"""Layers, shapes, costs and bounds, and the models that come along."""
