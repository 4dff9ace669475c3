"""jetbench: inference times on Jetson boards that can be believed."""

__version__ = "0.1.0"
