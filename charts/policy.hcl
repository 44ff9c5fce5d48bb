# What the operator may do: all that it uses, and nothing that it does not.
#
#   nomad acl policy apply nomad-operator charts/policy.hcl
#   nomad acl token create -name nomad-operator -type client -policy nomad-operator
#
# For the operator as a Nomad job no token is needed: the policy is bound to the job instead.
#
#   nomad acl policy apply -namespace default -job nomad-operator nomad-operator charts/policy.hcl
#
# For some namespaces only, repeat the block with their names instead of "*", and name them in NOMAD_OPERATOR_NAMESPACES.
namespace "*" {
  capabilities = [
    "list-jobs",  # which jobs are there: each resync
    "read-job",   # one job, its allocations, deployment, evaluations and checks; the event stream
    "submit-job", # read job files with Nomad's parser, plan, register, stop, have failed allocations placed anew
    "read-logs",  # the end of a failed task's log: what it died of, in its own words
  ]

  # Names of variables and of their keys, so that a job that would wait for one in vain is told before, and repaired.
  # Values are dropped where they are decoded; Nomad has no right for names alone. Leave it out, and nothing is looked up.
  variables {
    path "*" {
      capabilities = ["read"]
    }
  }
}

# What nodes there are, what is left on them, and which version of Nomad answers: why a job finds no place.
node {
  policy = "read"
}

# The node pools that a misspelt one may have meant.
node_pool "*" {
  policy = "read"
}
