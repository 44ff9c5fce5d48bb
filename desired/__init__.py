"""What is wanted: the git source, manifests, job files, the job model, and the vocabulary every layer shares."""
