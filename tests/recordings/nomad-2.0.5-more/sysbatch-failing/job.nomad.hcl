job "sysbatch-failing" {
  type = "sysbatch"
  group "web" {
    restart {
      attempts = 1
      delay    = "1s"
      interval = "30s"
      mode     = "fail"
    }
    task "app" {
      driver = "docker"
      config {
        image   = "busybox:local"
        command = "sh"
        args    = ["-c", "echo no >&2; exit 3"]
      }
      resources {
        cpu    = 50
        memory = 32
      }
    }
  }
}
