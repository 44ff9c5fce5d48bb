job "flask-api" {
  namespace = "default"
  type      = "service"

  update {
    auto_revert = true
  }

  group "app" {
    network {
      # flask-api.yaml:8
      port "http" {
        to = 5000
      }
    }

    service {
      name     = "flask-api"
      provider = "nomad"
      port     = "http"

      # flask-api.yaml:9
      check {
        type     = "http"
        port     = "http"
        path     = "/healthz"
        interval = "10s"
        timeout  = "2s"
      }
    }

    task "app" {
      driver = "docker"

      config {
        image = "registry.cluster:5000/flask-api:1.4.2" # flask-api.yaml:6
        ports = ["http"]
      }

      env {
        GREETING = "good day"   # flask-api.yaml:13
        APP_HOST = "0.0.0.0"    # flask-api.yaml:15
        DB_HOST  = "db.cluster" # flask-api.yaml:16
      }

      vault {
        env          = false
        disable_file = true
        change_mode  = "restart"
      }

      consul {}

      # DB_PASSWORD: flask-api.yaml:11
      # DB_USER: flask-api.yaml:12
      # SECRET_KEY: flask-api.yaml:14
      # REDIS_URL: flask-api.yaml:17
      template {
        data = <<-EOT
          DB_PASSWORD={{ with secret "secret/data/flask-api/db" }}{{ .Data.data.password | toJSON }}{{ end }}
          DB_USER={{ with secret "secret/data/flask-api/db" }}{{ .Data.data.username | toJSON }}{{ end }}
          SECRET_KEY={{ with secret "secret/data/flask-api/app" }}{{ .Data.data.secret_key | toJSON }}{{ end }}
          REDIS_URL={{ key "flask-api/config/redis_url" | toJSON }}
        EOT
        destination          = "${NOMAD_SECRETS_DIR}/app.env"
        env                  = true
        change_mode          = "restart"
        splay                = "5s"
        perms                = "0644"
        error_on_missing_key = true
      }

      resources {
        cpu    = 300 # flask-api.yaml:19
        memory = 256 # flask-api.yaml:20
      }
    }
  }
}
