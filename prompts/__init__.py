"""The prompts as files, where they come from at run time, and the model they are for."""
