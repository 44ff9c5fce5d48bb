job "video-transcription" {
  namespace = "default"
  type      = "service"

  # video-transcription.yaml:29
  constraint {
    attribute = "${node.class}"
    operator  = "="
    value     = "gpu"
  }

  update {
    auto_revert = true
  }

  group "app" {
    network {
      # video-transcription.yaml:8
      port "http" {
        to = 8090
      }
    }

    ephemeral_disk {
      size = 20000 # video-transcription.yaml:22
    }

    service {
      name     = "video-transcription"
      provider = "nomad"
      port     = "http"

      # video-transcription.yaml:9
      check {
        type     = "http"
        port     = "http"
        path     = "/health"
        interval = "30s"
        timeout  = "5s"
      }
    }

    task "app" {
      driver = "docker"

      config {
        image = "registry.cluster:5000/video-transcription:3.2.0" # video-transcription.yaml:6
        ports = ["http"]
      }

      env {
        APP_HOST   = "0.0.0.0"    # video-transcription.yaml:14
        APP_PORT   = "8090"       # video-transcription.yaml:15
        MODEL_NAME = "large-v3"   # video-transcription.yaml:16
        WORKERS    = "2"          # video-transcription.yaml:17
        TEMP_DIR   = "/local/tmp" # video-transcription.yaml:18
      }

      vault {
        env          = false
        disable_file = true
        change_mode  = "restart"
      }

      # S3_ACCESS_KEY: video-transcription.yaml:11
      # S3_SECRET_KEY: video-transcription.yaml:12
      # RABBITMQ_URL: video-transcription.yaml:13
      template {
        data = <<-EOT
          S3_ACCESS_KEY={{ with secret "secret/data/video-transcription/s3" }}{{ .Data.data.access_key | toJSON }}{{ end }}
          S3_SECRET_KEY={{ with secret "secret/data/video-transcription/s3" }}{{ .Data.data.secret_key | toJSON }}{{ end }}
          RABBITMQ_URL={{ with secret "secret/data/video-transcription/queue" }}{{ .Data.data.url | toJSON }}{{ end }}
        EOT
        destination          = "${NOMAD_SECRETS_DIR}/app.env"
        env                  = true
        change_mode          = "restart"
        splay                = "5s"
        perms                = "0644"
        error_on_missing_key = true
      }

      resources {
        cpu    = 4000  # video-transcription.yaml:20
        memory = 16384 # video-transcription.yaml:21

        device "nvidia/gpu" {
          count = 1 # video-transcription.yaml:28
        }
      }
    }
  }
}
