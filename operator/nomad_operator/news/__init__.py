"""What people are told without asking: news of apps and repairs, sent to the webhooks that the settings name."""
