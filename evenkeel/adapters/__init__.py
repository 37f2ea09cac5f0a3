"""The outside world behind small interfaces; vendor errors are translated here."""
