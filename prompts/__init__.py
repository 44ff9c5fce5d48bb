"""The prompt files and what loads them. Empty until the model joins the repair ladder."""
