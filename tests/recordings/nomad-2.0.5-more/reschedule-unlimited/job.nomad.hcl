job "reschedule-unlimited" {
  type = "service"
  group "web" {
    update {
      min_healthy_time  = "1s"
      healthy_deadline  = "10s"
      progress_deadline = "15s"
    }
    restart {
      attempts = 0
      mode     = "fail"
    }
    reschedule {
      delay          = "5s"
      delay_function = "exponential"
      max_delay      = "1m"
      unlimited      = true
    }
    task "app" {
      driver = "mock_driver"
      config {
        run_for   = "1s"
        exit_code = 1
      }
      resources {
        cpu    = 50
        memory = 32
      }
    }
  }
}
