job "c-periodic" {
  type = "batch"
  periodic {
    crons            = ["*/5 * * * *", "0 1 * * *"]
    prohibit_overlap = true
    time_zone        = "Europe/Berlin"
    enabled          = false
  }
  parameterized {
    payload       = "required"
    meta_required = ["a"]
    meta_optional = ["b"]
  }
  vault {
    role = "job"
  }
  secret "s" {
    provider = "vault"
    path     = "p"
  }
  task "alone" {
    driver = "raw_exec"
  }
  group "g" {
    vault {
      role = "group"
    }
    secret "gs" {
      provider = "nomad"
      path     = "x"
    }
    task "a" {
      driver = "raw_exec"
    }
    task "b" {
      driver = "raw_exec"
      secret "own" {
        path = "y"
      }
      vault {}
    }
  }
}
