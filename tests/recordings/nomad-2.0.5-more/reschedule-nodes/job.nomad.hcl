job "reschedule-nodes" {
  type = "service"
  group "web" {
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
      attempts       = 2
      interval       = "1h"
      delay          = "5s"
      delay_function = "constant"
      unlimited      = false
    }
    task "app" {
      driver = "docker"
      config {
        image   = "busybox:local"
        command = "sh"
        args    = ["-c", "sleep 1; exit 1"]
      }
      resources {
        cpu    = 50
        memory = 32
      }
    }
  }
}
