"""How far a batch lies from the champion's reference."""
