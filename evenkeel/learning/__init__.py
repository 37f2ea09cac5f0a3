"""How models are made, judged and stored."""
