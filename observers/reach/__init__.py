"""How services beside Nomad are reached: an address, limits, and what it means when nothing comes back."""
