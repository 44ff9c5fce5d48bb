# The operator as a Nomad job: one copy, on whichever node has room.
#
#   nomad acl policy apply -namespace default -job nomad-operator nomad-operator charts/policy.hcl
#   nomad var put nomad/jobs/nomad-operator NOMAD_OPERATOR_GIT_TOKEN=… NOMAD_OPERATOR_WEBHOOK_SECRET=…
#   nomad job run -var git_url=https://git.example.org/team/apps.git charts/nomad-operator-single.nomad.hcl
#
# No token is set anywhere: Nomad gives the task an identity, and the policy is bound to the job.

variable "git_url" {
  type        = string
  description = "The repository that holds the apps."
}

variable "git_path" {
  type    = string
  default = "."
}

variable "image" {
  type    = string
  default = "nomad-operator:0.1.0"
}

variable "datacenters" {
  type    = list(string)
  default = ["*"]
}

variable "mode" {
  type        = string
  description = "observe only tells what act would do."
  default     = "act"
}

variable "vault_addr" {
  type        = string
  description = "Vault, where names of secrets are looked up; the operator logs in with an identity of its task."
  default     = ""
}

job "nomad-operator" {
  type        = "service"
  datacenters = var.datacenters

  # It keeps others running: it goes before them when there is no room.
  priority = 80

  group "operator" {
    shutdown_delay = "2s"

    # Never two: each would have a state of its own. Nomad ends the old one before it starts the new one.
    count = 1

    update {
      max_parallel     = 1
      min_healthy_time = "10s"
      healthy_deadline = "3m"
      auto_revert      = true
    }

    # Cut off from the servers it cannot do anything either; when it is back, the older one ends.
    disconnect {
      lost_after = "1m"
      replace    = true
      reconcile  = "keep_replacement"
    }

    restart {
      attempts = 3
      interval = "5m"
      delay    = "10s"
      mode     = "delay"
    }

    # What it remembers goes with it to another node, as long as its old node lives. Without, it looks at the cluster anew:
    # what is as desired is taken over, whatever differs is asked about.
    ephemeral_disk {
      size    = 500
      sticky  = true
      migrate = true
    }

    network {
      port "http" {
        to = 9650
      }
    }

    service {
      name     = "nomad-operator"
      port     = "http"
      provider = "nomad"

      # Not /readyz: while git or Nomad is away a restart would not help.
      check {
        name     = "alive"
        type     = "http"
        path     = "/healthz"
        interval = "10s"
        timeout  = "3s"
      }
    }

    task "operator" {
      driver = "docker"

      identity {
        env = true
      }

      # Shown to Vault; Nomad renews the file.
      dynamic "identity" {
        for_each = var.vault_addr == "" ? [] : ["vault"]
        content {
          name = "vault"
          aud  = ["vault.io"]
          file = true
          ttl  = "1h"
        }
      }

      config {
        image           = var.image
        ports           = ["http"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]

        mount {
          type   = "tmpfs"
          target = "/tmp"
          tmpfs_options {
            size = 67108864
          }
        }
      }

      env {
        # The socket that Nomad puts into every task: no address, no certificate, no limit on connections.
        NOMAD_ADDR               = "unix:///secrets/api.sock"
        HOME                     = "/alloc/data"
        VAULT_ADDR               = var.vault_addr
        NOMAD_OPERATOR_GIT_URL   = var.git_url
        NOMAD_OPERATOR_GIT_PATH  = var.git_path
        NOMAD_OPERATOR_MODE      = var.mode
        NOMAD_OPERATOR_STATE_URL = "sqlite:////alloc/data/state.db"
        NOMAD_OPERATOR_LISTEN    = "0.0.0.0:9650"

        NOMAD_OPERATOR_VAULT_IDENTITY_FILE = var.vault_addr == "" ? "" : "/secrets/nomad_vault.jwt"
      }

      # Settings that are secret, by their own names: NOMAD_OPERATOR_GIT_TOKEN, NOMAD_OPERATOR_NOTIFY_URLS, VAULT_TOKEN, …
      template {
        destination = "${NOMAD_SECRETS_DIR}/settings.env"
        env         = true
        change_mode = "restart"
        data        = <<EOT
{{ if nomadVarExists "nomad/jobs/nomad-operator" }}{{ with nomadVar "nomad/jobs/nomad-operator" }}{{ range $name, $value := . }}
{{ $name }}={{ $value.Value | toJSON }}
{{ end }}{{ end }}{{ end }}
EOT
      }

      resources {
        cpu    = 200
        memory = 512
      }
    }
  }
}
