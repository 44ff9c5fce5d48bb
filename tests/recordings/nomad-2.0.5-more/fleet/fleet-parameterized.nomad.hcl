job "fleet-parameterized" {
  type = "batch"
  parameterized {}
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
