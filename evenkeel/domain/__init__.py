"""The nouns and the pure decisions: frozen dataclasses and functions without I/O."""
