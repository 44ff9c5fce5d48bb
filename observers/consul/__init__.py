"""What Consul knows: keys, services, their health, and what a cluster's people agreed on."""
