job "scaling-again" {
  type = "service"
  group "web" {
    scaling {
      min = 1
      max = 4
    }
    update {
      min_healthy_time  = "1s"
      healthy_deadline  = "10s"
      progress_deadline = "15s"
    }
    restart {
      attempts = 1
      delay    = "1s"
      interval = "30s"
      mode     = "fail"
    }
    reschedule {
      attempts  = 0
      unlimited = false
    }
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
