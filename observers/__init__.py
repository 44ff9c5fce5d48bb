"""What is: Nomad and its event stream, read into plain values."""
