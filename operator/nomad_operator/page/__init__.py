"""The page that the daemon serves at `/`: what it knows, drawn for people. It changes nothing."""
