job "plan-blocked" {
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
      attempts  = 0
      unlimited = false
    }
    network {
      port "http" { to = 8080 }
    }
    service {
      name     = "plan-blocked"
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
        args    = ["-c", "mkdir -p /www; echo ok > /www/index.html; echo listening; exec httpd -f -p 8080 -h /www"]
        ports   = ["http"]
      }
      resources {
        cpu    = 50
        memory = 900000
      }
    }
  }
}
