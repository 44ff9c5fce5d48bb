job "rolling-failing" {
  type = "service"
  group "web" {
    count = 3
    update {
      max_parallel      = 1
      min_healthy_time  = "2s"
      healthy_deadline  = "10s"
      progress_deadline = "20s"
      auto_revert       = true
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
    network {
      port "http" { to = 8080 }
    }
    service {
      name     = "rolling-failing"
      provider = "nomad"
      port     = "http"
      check {
        type     = "http"
        path     = "/"
        interval = "1s"
        timeout  = "1s"
      }
    }
    task "app" {
      driver = "docker"
      config {
        image   = "busybox:local"
        command = "sh"
        args    = ["-c", "mkdir -p /www; echo ok > /www/index.html; echo listening; exec httpd -f -p 9090 -h /www"]
        ports   = ["http"]
      }
      resources {
        cpu    = 50
        memory = 32
      }
    }
  }
}
