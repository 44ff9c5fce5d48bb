"""What a cluster's owners allow of a job, whoever wrote it: a short file of rules, and the judgement of jobs by it."""
