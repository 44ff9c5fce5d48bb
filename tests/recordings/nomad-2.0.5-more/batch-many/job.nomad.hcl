job "batch-many" {
  type = "batch"
  group "web" {
    count = 3
    task "app" {
      driver = "mock_driver"
      config {
        run_for = "2s"
      }
      resources {
        cpu    = 50
        memory = 32
      }
    }
  }
}
