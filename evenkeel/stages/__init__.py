"""The stages of a batch and of a model, each true without an orchestrator: a workspace and inputs in, a value out."""
