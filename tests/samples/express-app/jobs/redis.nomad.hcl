job "redis" {
  namespace = "default"
  type      = "service"

  update {
    auto_revert = true
  }

  group "app" {
    network {
      # redis.yaml:8
      port "redis" {
        to = 6379
      }
    }

    # redis.yaml:12
    volume "redis-data" {
      type   = "host"
      source = "redis-data"
    }

    service {
      name     = "redis"
      provider = "nomad"
      port     = "redis"

      check {
        type     = "tcp"
        port     = "redis"
        interval = "10s"
        timeout  = "2s"
      }
    }

    task "app" {
      driver = "docker"

      config {
        image = "redis:7.4-alpine" # redis.yaml:6
        ports = ["redis"]
      }

      volume_mount {
        volume      = "redis-data"
        destination = "/data"
      }

      resources {
        cpu    = 200 # redis.yaml:10
        memory = 256 # redis.yaml:11
      }
    }
  }
}
