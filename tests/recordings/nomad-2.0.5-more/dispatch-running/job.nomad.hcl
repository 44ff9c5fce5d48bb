job "dispatch-running" {
  type = "batch"
  parameterized {
    meta_optional = ["who"]
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
