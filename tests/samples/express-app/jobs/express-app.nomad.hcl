job "express-app" {
  namespace = "default"
  type      = "service"

  update {
    auto_revert = true
  }

  group "app" {
    network {
      # express-app.yaml:8
      port "http" {
        to = 3000
      }
    }

    service {
      name     = "express-app"
      provider = "nomad"
      port     = "http"

      # express-app.yaml:9
      check {
        type     = "http"
        port     = "http"
        path     = "/health"
        interval = "10s"
        timeout  = "2s"
      }
    }

    task "app" {
      driver = "docker"

      config {
        image = "registry.cluster:5000/express-app:2.1.0" # express-app.yaml:6
        ports = ["http"]
      }

      env {
        LOG_LEVEL = "info" # express-app.yaml:12
      }

      # REDIS_URL: express-app.yaml:11
      template {
        data = chomp(<<-EOT
          {{ with nomadService 1 (env "NOMAD_ALLOC_ID") "redis" }}{{ $s0 := index . 0 }}REDIS_URL={{ printf "redis://%s:%d" $s0.Address $s0.Port | toJSON }}
          {{ end }}
        EOT
        )
        destination          = "${NOMAD_SECRETS_DIR}/app.env"
        env                  = true
        change_mode          = "restart"
        splay                = "5s"
        perms                = "0644"
        error_on_missing_key = true
      }

      resources {
        cpu    = 200 # express-app.yaml:14
        memory = 256 # express-app.yaml:15
      }
    }
  }
}
