job "node-lost-system" {
  type = "system"
  group "web" {
    update {
      min_healthy_time  = "1s"
      healthy_deadline  = "10s"
      progress_deadline = "15s"
    }
    task "app" {
      driver = "docker"
      config {
        image   = "busybox:local"
        command = "sleep"
        args    = ["600"]
      }
      resources {
        cpu    = 50
        memory = 32
      }
    }
  }
}
