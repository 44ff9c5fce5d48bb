# Besides charts/policy.hcl, where the state is kept in Nomad's variables (NOMAD_OPERATOR_STATE_URL=nomad://nomad-operator/state):
# the records, and the lock that says which copy acts.
#
# The namespace has to be "*" as it is there: of rules for one namespace only the closest counts, and a block for "default" alone
# would take away all that the other policy allows in it.
namespace "*" {
  variables {
    path "nomad-operator/state/*" {
      capabilities = ["read", "write", "list", "destroy"]
    }
  }
}
