# The least with which apps are deployed, verified and kept as desired. What charts/policy.hcl allows besides is what
# tells why an app fails: without it more failures stay without a name, and without a repair.
namespace "*" {
  capabilities = ["list-jobs", "read-job", "submit-job"]
}
