job "fleet-periodic" {
  type = "batch"
  periodic {
    crons = ["0 3 * * *"]
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
