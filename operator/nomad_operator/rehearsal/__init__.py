"""The whole loop on an embedded Nomad in virtual time, without a process: what would become of an app is tried out."""
