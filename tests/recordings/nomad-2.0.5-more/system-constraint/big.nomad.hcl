job "system-constraint" {
  type = "system"
  constraint {
    attribute = "${node.unique.name}"
    operator  = "!="
    value     = "node-2"
  }
  group "web" {
    update {
      min_healthy_time  = "1s"
      healthy_deadline  = "10s"
      progress_deadline = "15s"
    }
    task "app" {
      driver = "mock_driver"
      config {
        run_for = "600s"
      }
      resources {
        cpu    = 50
        memory = 900000
      }
    }
  }
}
