"""How failure is met: the policy table."""
