"""The whole story in about a minute: a repository, a Nomad, the daemon, and people who commit and meddle."""
