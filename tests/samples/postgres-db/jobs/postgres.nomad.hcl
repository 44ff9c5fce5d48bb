job "postgres" {
  namespace = "default"
  type      = "service"

  update {
    auto_revert = true
  }

  group "app" {
    network {
      # postgres.yaml:8
      port "postgres" {
        to = 5432
      }
    }

    # postgres.yaml:18
    volume "pgdata" {
      type   = "host"
      source = "pgdata"
    }

    service {
      name     = "postgres"
      provider = "nomad"
      port     = "postgres"

      check {
        type     = "tcp"
        port     = "postgres"
        interval = "10s"
        timeout  = "2s"
      }
    }

    task "app" {
      driver = "docker"

      config {
        image   = "postgres:16.4" # postgres.yaml:6
        ports   = ["postgres"]
        volumes = ["secrets/files/run/secrets/password:/run/secrets/password:ro"]
      }

      env {
        POSTGRES_DB            = "shop"                  # postgres.yaml:10
        POSTGRES_USER          = "shop"                  # postgres.yaml:11
        POSTGRES_PASSWORD_FILE = "/run/secrets/password" # postgres.yaml:12
      }

      # /run/secrets/password: postgres.yaml:14
      template {
        data                 = "{{ with nomadVar \"nomad/jobs/postgres\" }}{{ .password.Value }}{{ end }}"
        destination          = "secrets/files/run/secrets/password"
        change_mode          = "restart"
        splay                = "5s"
        perms                = "0644"
        error_on_missing_key = true
      }

      volume_mount {
        volume      = "pgdata"
        destination = "/var/lib/postgresql/data"
      }

      resources {
        cpu    = 500 # postgres.yaml:16
        memory = 512 # postgres.yaml:17
      }
    }
  }
}
