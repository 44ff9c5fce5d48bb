variable "services" {
  type = map(object({ port = number, tags = list(string) }))
  default = {
    api = { port = 8080, tags = ["x"] }
    web = { port = "80", tags = [] }
  }
}

job "c-dynamic" {
  dynamic "group" {
    for_each = var.services
    labels   = ["g-${group.key}"]
    content {
      count = length(group.value.tags) + 1
      network {
        dynamic "port" {
          for_each = [group.value.port]
          iterator = it
          labels   = ["http"]
          content {
            static = it.value
          }
        }
      }
      task "app" {
        driver = "docker"
        config {
          image = "${group.key}:1"
          dynamic "mount" {
            for_each = [1]
            content {
              type = "bind"
            }
          }
        }
        dynamic "template" {
          for_each = ["one", "two"]
          content {
            data = template.value
          }
        }
        dynamic "constraint" {
          for_each = { a = "1", b = "2" }
          content {
            attribute = "meta.${constraint.key}"
            value     = constraint.value
          }
        }
        env {
          KEY = group.key
        }
      }
    }
  }
}
