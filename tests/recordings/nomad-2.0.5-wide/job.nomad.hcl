job "wide" {
type = "service"
  priority = 60
  meta {
a = "b"
}
  datacenters = ["dc1","dc2"]
  ui {
description = "d"
   link {
label="l"
     url="u"
}
}
  constraint {
 
    attribute = "${attr.kernel.name}" 
    value = "linux" 
  }
  affinity {
 
   attribute = "${node.datacenter}" 
   value = "dc1"
}
  spread {
 
    attribute = "${node.datacenter}" 
    target "dc1" {
percent = 50
} 
  }
  update {
max_parallel = 2
    stagger = "10s" 
    canary = 1
  }
  reschedule {
delay = "1m"
    unlimited = true 
  }
  group "web" {
count = 0
    shutdown_delay = "3s"
    meta {
g = "1"
}
    update {
auto_revert = true
}
    migrate {
max_parallel = 2
}
    scaling {
min = 0
      max = 4
      policy {
cooldown = "1m"
        check "x" {
source = "p"
} 
      }
    }
    disconnect {
lost_after = "10m"
}
    ephemeral_disk {
size = 400
      sticky = true 
    }
    volume "data" {
type = "host"
      source = "data" 
      read_only = true
}
    volume "csi" {
type = "csi"
      source = "pg" 
      access_mode = "single-node-writer"
      attachment_mode = "file-system"
      mount_options {
fs_type = "ext4"
        mount_flags = ["noatime"] 
      }
}
    network {
mode = "bridge"
      hostname = "h"
      port "http" {
to = 80
}
      port "adm" {
static = 9090
         host_network = "x"
}
      dns {
servers = ["1.1.1.1"]
}
    }
    service {
 
      name = "${JOB}-x"
      port = "http"
      provider = "nomad"
      tags = ["a","b"]
      meta {
k = "v"
}
      weights {
passing = 3
}
      check_restart {
limit = 3
}
      check {
type = "http"
       path = "/"
       interval = "10s"
       timeout = "2s"
       header {
A = ["b"]
}
       check_restart {
grace = "9s"
}
      }
      check {
type = "tcp"
       name = "t"
       interval = "10s"
       timeout = "2s"
      }
    }
    service {
port = "adm"
provider = "nomad"
}
task "init" {
driver = "docker"
      lifecycle {
hook = "prestart"
       sidecar = false
      }
      config {
image = "busybox:local"
}
      restart {
attempts = 5
}
    }
    task "app" {
driver = "docker"
      user = "nobody"
      kill_signal = "SIGTERM"
      leader = true
      config {
image = "busybox:local"
        labels {
a = "b"
}
        mount {
type = "bind"
          source = "a"
          target = "/b"
        }
        extra = {
x = [1, 2.5, true, null]
}
      }
      env {
A = "1"
}
      logs {
max_files = 3
}
      artifact {
source = "http://x/y.tar"
        mode = "file" 
        options {
checksum = "md5:d41d8cd98f00b204e9800998ecf8427e"
}
       }
      template {
data = "x"
        destination = "local/x"
        change_mode = "signal" 
        wait {
min = "1s"
         max = "2s"
}
      }
      template {
data = "y"
        destination = "local/y"
        env = true
        uid = 10
        change_mode = "script"
        change_script {
command = "/bin/x"
}
      }
      identity {
env = true
         file = true
      }
      identity {
name = "other"
         aud = ["x"]
         ttl = "1h"
      }
      volume_mount {
volume = "data"
        destination = "/d"
}
      action "a" {
command = "ls"
         args = ["-l"]
}
      constraint {
 
        attribute = "${attr.cpu.arch}" 
        operator = "is_set"
}
      resources {
cores = 1
        memory = 64
        memory_max = 128
        device "nvidia/gpu" {
 
          constraint {
 
            attribute = "${device.attr.memory}" 
            operator = ">="
            value = "2 GiB"
}
          affinity {
 
            attribute = "${device.model}"
            value = "x"
}
}
      }
    }
  }
}
