job "sysbatch" {
  type = "sysbatch"
  group "web" {
    task "app" {
      driver = "docker"
      config {
        image   = "busybox:local"
        command = "sh"
        args    = ["-c", "echo done; sleep 1"]
      }
      resources {
        cpu    = 50
        memory = 32
      }
    }
  }
}
