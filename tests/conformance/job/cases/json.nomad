{
  "variable": {"n": {"default": 3}},
  "job": {
    "c-json": {
      "datacenters": ["dc1"],
      "meta": {"a": "${var.n}", "b": "x ${var.n + 1} ${attr.x} $${y}"},
      "group": {
        "web": [{
          "count": "${var.n}",
          "network": {"port": {"http": {"to": 80}, "https": [{"static": 443}]}},
          "task": {
            "app": {
              "driver": "docker",
              "config": {"image": "x:${var.n}", "labels": {"a": "b"}, "list": [1, {"c": 2.5}], "//": "comment"},
              "env": {"PORT": "${NOMAD_PORT_http}"},
              "template": [{"data": "a\nb", "destination": "local/x"}, {"data": "c", "destination": "d"}]
            }
          }
        }]
      }
    }
  }
}
