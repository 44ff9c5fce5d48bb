"""Doctor's questions to the services beside Nomad, a module each. A service that is not set is not asked."""
