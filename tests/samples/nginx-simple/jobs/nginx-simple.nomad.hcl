job "nginx-simple" {
  namespace = "default"
  type      = "service"

  update {
    auto_revert = true
  }

  group "app" {
    network {
      # nginx-simple.yaml:8
      port "http" {
        to = 80
      }
    }

    service {
      name     = "nginx-simple"
      provider = "nomad"
      port     = "http"

      # nginx-simple.yaml:9
      check {
        type     = "http"
        port     = "http"
        path     = "/"
        interval = "15s"
        timeout  = "3s"
      }
    }

    task "app" {
      driver = "docker"

      config {
        image = "registry.cluster:5000/nginx-simple:1.0.3" # nginx-simple.yaml:6
        ports = ["http"]
      }

      resources {
        cpu    = 200 # nginx-simple.yaml:11
        memory = 256 # nginx-simple.yaml:12
      }
    }
  }
}
