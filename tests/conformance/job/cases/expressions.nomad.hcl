locals {
  list   = [{ a = 1, b = [1, 2] }, { a = 2, b = [3] }]
  object = { x = 1, "y z" = 2, (upper("k")) = 3 }
  null_  = null
  text   = "héllo"
}

job "c-expressions" {
  meta {
    add            = 1 + 2 * 3 - 4 / 2
    div            = 10 / 4
    mod            = 7 % 3
    neg            = -5 + 3
    compare        = 1 < 2 && 2 >= 2 || !true
    equal          = "a" == "a" && 1 != 2
    conditional    = length(local.list) > 1 ? "many" : "one"
    mixed          = true ? 1 : "a"
    index          = local.list[1].a
    legacy         = local.list.0.a
    splat          = join(",", local.list[*].a)
    attr_splat     = join(",", local.list.*.a)
    flat           = join(",", flatten(local.list[*].b))
    for_tuple      = join(",", [for i, x in local.list : "${i}=${x.a}" if x.a > 1])
    for_object     = jsonencode({ for k, v in local.object : upper(k) => v * 2 })
    for_group      = jsonencode({ for x in ["aa", "ab", "b"] : substr(x, 0, 1) => x... })
    key_y          = local.object["y z"]
    directive_if   = "%{ if length(local.list) == 2 }two%{ else }other%{ endif }"
    directive_for  = "%{ for x in ["a", "b"] }<${x}>%{ endfor }"
    directive_trim = "  a  %{~ if true ~}  b  %{~ endif ~}  c  "
    interp_trim    = "a   ${~ "b" ~}   c"
    escapes        = "q\" b\\ n\n t\t u\u00e9 U\U0001F600 $${x} %%{y} $$ %% $x 100%"
    runtime        = "${NOMAD_PORT_http}:${ attr.cpu.arch }:${node.unique.name}"
    bare_runtime   = attr.kernel.name
    brace_bug      = "${NOMAD_X}}"
    brace_bug2     = "${NOMAD_X} } z"
    undefined_idx  = "${foo["bar"].baz[0]}"
    parens         = (1 +
      2)
    comment        = /* in between */ "x" # after
    number_text    = "${1.50} ${1e3} ${100000000000000000000}"
    unicode        = strlen(local.text)
    nested         = "a${"b${"c"}"}"
    multi          = <<EOT
first
  second ${local.text}
EOT
    flush          = <<-EOT
      one
        two

      three ${upper("x")}
    EOT
    tilde          = <<-EOT
      a
      %{ for x in ["p", "q"] ~}
      - ${x}
      %{ endfor ~}
      end
    EOT
  }
}
