job "memory-test" {
  namespace = "default"
  type      = "service"

  update {
    auto_revert = true
  }

  group "app" {
    task "app" {
      driver = "docker"

      config {
        image = "registry.cluster:5000/memory-test:1.0" # memory-test.yaml:6
      }

      resources {
        cpu    = 200 # memory-test.yaml:8
        memory = 64  # memory-test.yaml:9
      }
    }
  }
}
