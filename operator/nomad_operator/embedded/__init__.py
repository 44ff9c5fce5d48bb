"""A Nomad that runs in this process: for trying the product, and for tests."""
