job "periodic-running" {
  type = "batch"
  periodic {
    crons            = ["*/4 * * * * * *"]
    prohibit_overlap = false
  }
  group "web" {
    task "app" {
      driver = "mock_driver"
      config {
        run_for = "600s"
      }
      resources {
        cpu    = 50
        memory = 32
      }
    }
  }
}
