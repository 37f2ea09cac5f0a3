"""How a batch is answered from the ladder."""
