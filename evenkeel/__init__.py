"""evenkeel: a batch-prediction pipeline that keeps giving correct, accounted-for answers while its parts fail."""

__version__ = "0.1.0"
