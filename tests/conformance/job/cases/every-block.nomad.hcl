variable "image" {
  type        = string
  default     = "busybox:local"
  description = "what runs"
}

variables {
  count = 2
  tags  = ["a", "b"]
}

locals {
  name = "web-${var.count}"
  all  = concat(var.tags, [local.name])
}

job "c-every" {
  id           = "c-every-block"
  name         = "every block"
  region       = "global"
  namespace    = "default"
  datacenters  = ["dc1", "dc2"]
  node_pool    = "default"
  type         = "service"
  priority     = 55
  all_at_once  = true

  meta {
    owner = "me"
    n     = 3
    yes   = true
  }

  ui {
    description = "A **job**"
    link {
      label = "docs"
      url   = "https://example.org"
    }
  }

  constraint {
    attribute = "${attr.kernel.name}"
    value     = "linux"
  }
  constraint {
    distinct_hosts = true
  }
  constraint {
    distinct_property = "${meta.rack}"
    value             = "2"
  }
  constraint {
    attribute = "${attr.nomad.version}"
    version   = ">= 1.0"
  }
  constraint {
    attribute = attr.cpu.arch
    regexp    = "amd.*"
  }
  constraint {
    attribute    = "${meta.list}"
    set_contains = "a,b"
  }
  constraint {
    attribute = "${meta.x}"
    operator  = "is_set"
  }
  affinity {
    attribute = "${node.datacenter}"
    value     = "dc1"
    weight    = -20
  }
  affinity {
    attribute        = "${meta.x}"
    set_contains_any = "a"
    weight           = 100
  }
  affinity {
    attribute = "${attr.v}"
    semver    = "> 1"
  }

  spread {
    attribute = "${node.datacenter}"
    weight    = 40
    target "dc1" {
      percent = 70
    }
    target "dc2" {
      percent = 30
    }
  }

  update {
    stagger           = "30s"
    max_parallel      = 2
    health_check      = "checks"
    min_healthy_time  = "10s"
    healthy_deadline  = "5m"
    progress_deadline = "10m"
    canary            = 1
    auto_revert       = true
    auto_promote      = false
  }

  reschedule {
    attempts       = 3
    interval       = "1h30m"
    delay          = "30s"
    delay_function = "exponential"
    max_delay      = "1h"
    unlimited      = false
  }

  migrate {
    max_parallel     = 1
    health_check     = "task_states"
    min_healthy_time = "5s"
    healthy_deadline = "1m"
  }

  multiregion {
    strategy {
      max_parallel = 1
      on_failure   = "fail_all"
    }
    region "west" {
      count       = 2
      datacenters = ["west-1"]
      node_pool   = "p"
      meta {
        a = "b"
      }
    }
  }

  group "web" {
    count                        = var.count
    shutdown_delay               = "6s"
    max_run_duration             = "1h"
    stop_after_client_disconnect = "1m"
    max_client_disconnect        = "2m"
    prevent_reschedule_on_lost   = true

    meta {
      in = "group"
    }

    consul {
      cluster   = "default"
      namespace = "ns"
      partition = "part"
    }

    disconnect {
      lost_after           = "6h"
      stop_on_client_after = "1h"
      replace              = false
      reconcile            = "keep_original"
    }

    ephemeral_disk {
      size    = 200
      sticky  = true
      migrate = false
    }

    network {
      mode     = "bridge"
      hostname = "h"
      port "http" {
        to = 8080
      }
      port "admin" {
        static           = 9090
        host_network     = "private"
        ignore_collision = true
      }
      dns {
        servers  = ["1.1.1.1"]
        searches = ["local"]
        options  = ["ndots:2"]
      }
      cni {
        args = {
          "a.b" = "c"
        }
      }
    }

    volume "data" {
      type            = "csi"
      source          = "pgdata"
      read_only       = true
      sticky          = true
      access_mode     = "single-node-writer"
      attachment_mode = "file-system"
      per_alloc       = true
      mount_options {
        fs_type     = "ext4"
        mount_flags = ["noatime"]
      }
    }

    scaling {
      enabled = true
      min     = 1
      max     = 10
      policy {
        cooldown = "1m"
        check "avg" {
          source = "prometheus"
          query  = "q"
          strategy "target-value" {
            target = 70.5
          }
        }
      }
    }

    restart {
      attempts         = 2
      interval         = "30m"
      delay            = "15s"
      mode             = "delay"
      render_templates = true
    }

    service {
      name                = "${NOMAD_JOB_NAME}-web"
      provider            = "consul"
      port                = "http"
      tags                = local.all
      canary_tags         = ["canary"]
      enable_tag_override = true
      address_mode        = "alloc"
      address             = "10.0.0.1"
      on_update           = "ignore"
      cluster             = "default"
      kind                = "k"
      meta {
        a = "b"
      }
      canary_meta {
        c = "d"
      }
      tagged_addresses {
        lan = "1.2.3.4"
      }
      weights {
        passing = 2
        warning = 1
      }
      identity {
        aud          = ["consul.io"]
        ttl          = "1h"
        change_mode  = "signal"
        env          = true
        file         = true
        extra_claims = ["x"]
      }
      check_restart {
        limit           = 3
        grace           = "90s"
        ignore_warnings = true
      }
      check {
        name                     = "alive"
        type                     = "http"
        path                     = "/health"
        method                   = "POST"
        protocol                 = "https"
        port                     = "http"
        interval                 = "10s"
        timeout                  = "2s"
        body                     = "{}"
        initial_status           = "warning"
        notes                    = "n"
        expose                   = true
        tls_skip_verify          = true
        tls_server_name          = "s"
        success_before_passing   = 3
        failures_before_critical = 4
        failures_before_warning  = 2
        on_update                = "require_healthy"
        address_mode             = "driver"
        advertise                = "a"
        header {
          Authorization = ["Basic x"]
          X-Other       = ["1", "2"]
        }
        check_restart {
          limit = 1
        }
      }
      check {
        type         = "script"
        command      = "/bin/check"
        args         = ["-v"]
        task         = "app"
        interval     = "5s"
        timeout      = "1s"
        grpc_service = "g"
        grpc_use_tls = true
      }
      connect {
        native = false
        sidecar_service {
          tags                     = ["t"]
          port                     = "http"
          disable_default_tcp_check = true
          meta {
            m = "n"
          }
          proxy {
            local_service_address = "127.0.0.1"
            local_service_port    = 8080
            upstreams {
              destination_name      = "db"
              destination_namespace = "n"
              destination_peer      = "p"
              destination_partition = "q"
              destination_type      = "service"
              local_bind_port       = 5432
              datacenter            = "dc1"
              local_bind_address    = "127.0.0.1"
              local_bind_socket_path = "/s"
              local_bind_socket_mode = "0600"
              mesh_gateway {
                mode = "local"
              }
              config {
                limits {
                  max = 3
                }
              }
            }
            transparent_proxy {
              uid                    = "101"
              outbound_port          = 15001
              exclude_inbound_ports  = ["www"]
              exclude_outbound_ports = [443, 80]
              exclude_outbound_cidrs = ["10.0.0.0/8"]
              exclude_uids           = ["1"]
              no_dns                 = true
            }
            expose {
              path {
                path            = "/metrics"
                protocol        = "http"
                local_path_port = 9001
                listener_port   = "metrics"
              }
            }
            config {
              protocol = "http"
            }
          }
        }
        sidecar_task {
          name           = "side"
          driver         = "docker"
          user           = "u"
          kill_timeout   = "5s"
          kill_signal    = "SIGINT"
          shutdown_delay = "1s"
          config {
            image = "envoy"
          }
          env {
            A = "b"
          }
          meta {
            c = "d"
          }
          resources {
            cpu = 100
          }
          logs {
            max_files = 2
          }
          volume_mount {
            volume      = "data"
            destination = "/d"
          }
          identity {
            name = "x"
          }
        }
      }
    }

    service {
      name = "gw"
      connect {
        gateway {
          proxy {
            connect_timeout                     = "500ms"
            envoy_gateway_bind_tagged_addresses = true
            envoy_gateway_no_default_bind       = true
            envoy_dns_discovery_type            = "STRICT_DNS"
            envoy_gateway_bind_addresses "all" {
              address = "0.0.0.0"
              port    = 8443
            }
            config {
              a = 1
            }
          }
          ingress {
            tls {
              enabled         = true
              tls_min_version = "TLSv1_2"
              tls_max_version = "TLSv1_3"
              cipher_suites   = ["X"]
              sds {
                cluster_name  = "c"
                cert_resource = "r"
              }
            }
            listener {
              port     = 8443
              protocol = "http"
              service {
                name                    = "s"
                hosts                   = ["h"]
                max_connections         = 5
                max_pending_requests    = 6
                max_concurrent_requests = 7
                tls {
                  enabled = true
                }
                request_headers {
                  add {
                    a = "b"
                  }
                  set {
                    c = "d"
                  }
                  remove = ["e"]
                }
                response_headers {
                  remove = ["f"]
                }
              }
            }
          }
          terminating {
            service {
              name      = "t"
              ca_file   = "ca"
              cert_file = "cert"
              key_file  = "key"
              sni       = "sni"
            }
          }
          mesh {}
        }
      }
    }

    task "app" {
      driver         = "docker"
      user           = "nobody"
      kind           = ""
      leader         = true
      kill_timeout   = "20s"
      kill_signal    = "SIGTERM"
      shutdown_delay = "2s"

      lifecycle {
        hook    = "prestart"
        sidecar = true
      }

      config {
        image   = var.image
        command = "sh"
        args    = ["-c", "echo $${HOME} ${NOMAD_ALLOC_ID}"]
        ports   = ["http"]
        labels = {
          a = "b"
        }
        logging {
          type = "json-file"
          config {
            max-size = "10m"
          }
        }
        mount {
          type   = "bind"
          source = "a"
        }
        mount {
          type = "tmpfs"
          tmpfs_options {
            size = 1000
          }
        }
        privileged = false
        cpu_limit  = 1.5
        nothing    = null
        nested     = [[1, 2], []]
        paren      = ({ a = 1 })
      }

      env {
        PORT  = "${NOMAD_PORT_http}"
        COUNT = var.count
        FLAG  = true
        EMPTY = ""
        FLOAT = 1.50
        BIG   = 12345678901234567890
      }

      meta = {
        "dotted.key" = "v"
        other        = 5
      }

      identity {
        env  = true
        file = true
      }
      identity {
        name     = "vault_default"
        aud      = ["vault.io"]
        filepath = "f"
        ttl      = "1h"
        change_signal = "SIGHUP"
        service_name  = "s"
      }

      vault {
        role                   = "r"
        policies               = ["p"]
        cluster                = "default"
        namespace              = "ns"
        env                    = false
        disable_file           = true
        change_mode            = "signal"
        change_signal          = "SIGHUP"
        allow_token_expiration = true
      }

      consul {
        cluster = "c"
      }

      secret "db" {
        provider = "nomad"
        path     = "secrets/db"
        config {
          engine = "kv_v2"
        }
        env {
          A = "b"
        }
      }

      artifact {
        source      = "https://example.org/x.tgz"
        destination = "local/x"
        mode        = "file"
        insecure    = true
        chown       = true
        options {
          checksum = "md5:x"
        }
        headers {
          X-Token = "${NOMAD_META_token}"
        }
      }

      template {
        data                 = <<-EOF
          {{ range nomadService "db" }}
          DB={{ .Address }}:{{ .Port }}
          {{ end }}
        EOF
        destination          = "local/env"
        env                  = true
        change_mode          = "script"
        once                 = false
        splay                = "1s"
        perms                = "0600"
        uid                  = 1000
        gid                  = 1000
        left_delimiter       = "[["
        right_delimiter      = "]]"
        error_on_missing_key = true
        vault_grace          = "1s"
        change_script {
          command             = "/bin/x"
          args                = ["a"]
          timeout             = "10s"
          fail_on_error       = true
          run_on_first_render = true
        }
        wait {
          min = "5s"
          max = "90s"
        }
      }
      template {
        source      = "local/a.tpl"
        destination = "local/a"
        change_script {
          command       = "x"
          fail_on_error = false
        }
      }

      dispatch_payload {
        file = "in.json"
      }

      volume_mount {
        volume           = "data"
        destination      = "/data"
        read_only        = true
        propagation_mode = "private"
        selinux_label    = "Z"
      }

      csi_plugin {
        id                     = "p"
        type                   = "node"
        mount_dir              = "/csi"
        stage_publish_base_dir = "/s"
        health_timeout         = "30s"
      }

      service {
        name = "task-service"
        port = "admin"
      }

      resources {
        cpu        = 500
        memory     = 256
        memory_max = 512
        disk       = 10
        secrets    = 5
        iops       = 1
        network {
          mbits = 10
          port "p" {}
        }
        device "nvidia/gpu" {
          count = 2
          constraint {
            attribute = "${device.attr.memory}"
            operator  = ">="
            value     = "2 GiB"
          }
          affinity {
            attribute = "${device.model}"
            value     = "x"
            weight    = 10
          }
        }
        numa {
          affinity = "require"
          devices  = ["nvidia/gpu"]
        }
      }

      restart {
        mode = "fail"
      }

      logs {
        max_files     = 3
        max_file_size = 5
        enabled       = true
        disabled      = false
      }

      scaling "cpu" {
        enabled = true
        max     = 1000
        policy {
          a = 1
        }
      }
      scaling "mem" {
        max = 512
      }

      action "hello" {
        command = "echo"
        args    = ["hi"]
      }

      schedule {
        cron {
          start    = "0 9 * * *"
          end      = "0 17"
          timezone = "UTC"
        }
      }

      constraint {
        attribute = "${attr.x}"
        value     = "y"
      }
      affinity {
        attribute = "${attr.x}"
        value     = "y"
      }
    }

    task "cores" {
      driver = "exec"
      resources {
        cores = 2
      }
    }
  }
}
