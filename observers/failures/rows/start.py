"""Family B: the driver's config and the start of a task. Nomad's servers check none of it: the client refuses.

Source: nomad/drivers/docker/driver.go, config.go; recorded in scenarios config-*, command-*, port-in-use, ...
"""

from __future__ import annotations

from desired.cause import Cause
from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from observers.failures.row import Family, Proof, Row, Where, said

_KEY = {"key": "the key of the driver's config"}

ROWS = (
    Row(
        failure=FailureClass.DRIVER_KEY_UNKNOWN,
        family=Family.START,
        cause=Cause.SPEC,
        advice="the driver {driver} knows no {key} in its config: rename or remove it",
        facts={
            **_KEY,
            "driver": "the task's driver",
            "suggestion": "the one known key that it resembles, or that is known to be meant",
            "elsewhere": "where Nomad has it outside the config, such as resources/memory or task/env",
        },
        may_help=(
            Kind.DRIVER_KEY,
            Kind.DRIVER_VALUE,
            Kind.DRIVER_PORTS,
            Kind.MEMORY,
            Kind.CPU,
            Kind.ENV,
            Kind.COMMAND,
            Kind.ARGS,
            Kind.PORT_TO,
        ),
        words=said(
            Where.VALIDATION,
            r'Invalid label: No argument or block type is named "(?P<key>[^"]+)"',
            r'Unsupported (?:argument|block type): .*? (?:named|type) "(?P<key>[^"]+)"',
        ),
    ),
    Row(
        failure=FailureClass.DRIVER_KEY_MISSING,
        family=Family.START,
        cause=Cause.SPEC,
        advice="the driver's config needs {key}",
        facts=_KEY,
        may_help=(Kind.IMAGE, Kind.COMMAND, Kind.DRIVER_KEY, Kind.DRIVER_VALUE),
        words=said(
            Where.VALIDATION,
            r'Missing required argument: The argument "(?P<key>[^"]+)" is required',
            r"(?:Missing|missing) (?P<key>command) for raw_exec driver",
        ),
    ),
    Row(
        failure=FailureClass.DRIVER_VARIABLE_UNKNOWN,
        family=Family.START,
        cause=Cause.SPEC,
        advice="the driver's config names ${{{variable}}}: unknown to Nomad. Escape it as $$${{, or correct it",
        facts={
            "variable": "the name in ${...}",
            "suggestion": "what Nomad takes it for, where it says so",
            "key": "the config's key in which it stands, where exactly one has it",
        },
        may_help=(Kind.ARGS, Kind.COMMAND, Kind.ENTRYPOINT, Kind.DRIVER_VALUE),
        words=said(
            Where.VALIDATION,
            r'Unknown variable: There is no variable named "(?P<variable>[^"]+)"'
            r'(?:\. Did you mean "(?P<suggestion>[^"]+)")?',
            r'Unsupported attribute: This object does not have an attribute named "(?P<variable>[^"]+)"',
            r"Call to unknown function: There is no function named \"(?P<variable>[^\"]+)\"",
        ),
    ),
    Row(
        failure=FailureClass.DRIVER_VALUE_WRONG,
        family=Family.START,
        cause=Cause.SPEC,
        advice="{key} in the driver's config must be {expected}",
        facts={
            **_KEY,
            "expected": "the type in Nomad's words, such as `list of string`",
            "found": "the type that is there, where Nomad says it",
        },
        may_help=(Kind.DRIVER_VALUE, Kind.ARGS, Kind.ENTRYPOINT, Kind.DRIVER_PORTS, Kind.COMMAND),
        words=said(
            Where.VALIDATION,
            r'Inappropriate value for attribute "(?P<key>[^"]+)": (?:a |an )?(?P<expected>[^,]+?)'
            r"(?: is)? required(?:, but have (?P<found>[^.]+))?",
            r'Incorrect attribute value type: .*?"(?P<key>[^"]+)"',
            r"failed to parse config: .*?(?P<key>[\w.]+): (?P<expected>unsuitable value)",
        )
        + said(Where.DRIVER, r"failed to parse config", r"failed to parse (?P<key>image_pull_timeout|\w+_timeout)"),
    ),
    Row(
        failure=FailureClass.WORK_DIR_INVALID,
        family=Family.START,
        cause=Cause.SPEC,
        advice="the working directory {path} cannot be used: name an absolute one that is in the image",
        facts={"path": "the directory as the job says it"},
        may_help=(Kind.WORK_DIR,),
        words=said(
            Where.DRIVER,
            r"the working directory '(?P<path>[^']*)' is invalid, it needs to be an absolute path",
            r"working directory '?\"?(?P<path>[^'\"]*)'?\"? is (?:invalid|not)",
            r'chdir to cwd \("(?P<path>[^"]*)"\) set in config\.json failed',
            r"Cwd must be an absolute path",
            r"cwd: must be an absolute path|chdir (?P<path>/\S*): no such file or directory",
        ),
    ),
    Row(
        failure=FailureClass.COMMAND_NOT_EXECUTABLE,
        family=Family.START,
        cause=Cause.SPEC,
        advice="{command} may not be executed: set its mode in the image, or name the program itself",
        facts={"command": "the program that was to start"},
        may_help=(Kind.COMMAND, Kind.ARGS, Kind.ENTRYPOINT),
        words=said(
            Where.DRIVER,
            r'exec: "(?P<command>[^"]+)": (?:is a directory|permission denied)',
            r'exec: \\"(?P<command>[^"\\]+)\\": permission denied',
            r'binary "(?P<command>[^"]+)" is not executable|fork/exec (?P<command_2>\S+): permission denied',
        ),
        seen="or a task that ended with 126 twice",
    ),
    Row(
        failure=FailureClass.COMMAND_NOT_FOUND,
        family=Family.START,
        cause=Cause.SPEC,
        advice="{command} is not there to be started: name a program of the image, or leave it to the image",
        facts={
            "command": "the program that was to start",
            "entrypoint": "what the image starts by itself, where it is known",
        },
        may_help=(Kind.COMMAND, Kind.ARGS, Kind.ENTRYPOINT),
        words=said(
            Where.DRIVER,
            r'exec: "(?P<command>[^"]+)": (?:executable file not found|stat [^:]+: no such file or directory)',
            r'exec: \\"(?P<command>[^"\\]+)\\": (?:executable file not found|stat [^:]+: no such file or directory)',
            r'binary "(?P<command>[^"]+)" could not be found',
            r'could not find (?:executable|command) "(?P<command>[^"]+)"',
            r"fork/exec (?P<command>\S+): no such file or directory",
            r"file (?P<command>\S+) not found (?:in task dir|under path|in PATH)",
        ),
    ),
    Row(
        failure=FailureClass.SHELL_COMMAND_NOT_FOUND,
        family=Family.START,
        cause=Cause.SPEC,
        advice="a shell in the task does not find {command}: correct it, or put it into the image",
        facts={"command": "what the shell looked for, where its own words say so", "exit_code": "127"},
        may_help=(Kind.COMMAND, Kind.ARGS, Kind.ENTRYPOINT),
        words=said(
            Where.LOG,
            r"(?m)^(?:/[\w/.-]*/)?(?:sh|bash|ash|dash|\S+\.sh)(?:: line \d+|: \d+)?: (?P<command>[^\s:]+): "
            r"(?:command )?not found\s*$",
        ),
        seen="a task that ended with 127; the log only names the command",
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.CONTAINER_NAME_TAKEN,
        family=Family.START,
        cause=Cause.TIME,
        advice="a container of this name is still there: Docker on node {node} has to remove it",
        facts={"node": "the node's name"},
        words=said(Where.DRIVER, r"Conflict\. The container name .* is already in use"),
        proof=Proof.NEVER,
    ),
    Row(
        failure=FailureClass.PRIVILEGE_REFUSED,
        family=Family.START,
        cause=Cause.CLUSTER,
        advice="the agents do not allow {key}: drop it from the job, or let whoever runs the agents allow it",
        facts={"key": "the config's key: privileged, pid_mode, ipc_mode, ..."},
        words=said(
            Where.DRIVER,
            r"Docker (?P<key>privileged) mode is disabled on this Nomad agent",
            r'cannot apply "(?P<key>\w+_mode)" configuration',
            r"(?P<key>\w+_mode) .{0,40}is not allowed",
        ),
    ),
    Row(
        failure=FailureClass.CAPABILITY_REFUSED,
        family=Family.START,
        cause=Cause.CLUSTER,
        advice="the agents do not allow the capabilities {capabilities}: drop them from cap_add, or allow them there",
        facts={"capabilities": "their names, comma-separated"},
        words=said(Where.DRIVER, r"driver does not allow the following capabilities: (?P<capabilities>[\w, ]+)"),
    ),
    Row(
        failure=FailureClass.HOST_PATH_REFUSED,
        family=Family.START,
        cause=Cause.CLUSTER,
        advice="the agents do not mount {path} from the host: use a host volume, or enable Docker volumes there",
        facts={"path": "the host's path, the volume or its driver"},
        words=said(
            Where.DRIVER,
            r"volumes are not enabled; cannot (?:mount host path|mount volume|use volume driver): \"?"
            r"(?P<path>[^\"\s]+)",
            r'volumes are not enabled; cannot \w+ [\w ]*"(?P<path>[^"]+)"',
            r"volumes are not enabled",
        ),
    ),
    Row(
        failure=FailureClass.RUNTIME_REFUSED,
        family=Family.START,
        cause=Cause.CLUSTER,
        advice="the agents do not offer the runtime {runtime}: install and allow it there, or drop it from the job",
        facts={"runtime": "its name"},
        words=said(
            Where.DRIVER,
            r'requested runtime "(?P<runtime>[^"]+)" is not allowed',
            r'requested docker runtime "(?P<runtime>[^"]+)" was not found',
            r'[Uu]nknown runtime specified "?(?P<runtime>[\w.-]+)',
        ),
    ),
    Row(
        failure=FailureClass.MOUNT_INVALID,
        family=Family.START,
        cause=Cause.SPEC,
        advice="the mount {path} cannot be made: correct its type or path, or let it be made on the node",
        facts={"path": "the path or the type that was refused", "problem": "what is wrong with it"},
        may_help=(Kind.DRIVER_VALUE,),
        words=said(
            Where.DRIVER,
            r"(?P<problem>bind source path does not exist): (?P<path>\S+)",
            r'(?P<problem>invalid mount type): "(?P<path>[^"]*)"',
            r"(?P<problem>[Dd]uplicate mount point): (?P<path>\S+)",
            r'(?P<problem>invalid mount config for type "\w+")(?:: (?P<path>.{0,100}))?',
            r"(?P<problem>invalid volume specification): '?(?P<path>[^'\n]+)",
        ),
    ),
    Row(
        failure=FailureClass.HOST_PORT_IN_USE,
        family=Family.START,
        cause=Cause.SPEC,
        advice="something outside Nomad holds port {port} on node {node}: end it, reserve it there, or drop `static`",
        facts={"port": "the number", "node": "the node's name"},
        may_help=(Kind.STATIC_PORT, Kind.PORT_TO),
        words=said(
            Where.DRIVER,
            r"Bind for \S*:(?P<port>\d+) failed: port is already allocated",
            r"listen (?:tcp|udp)\d? \S*:(?P<port>\d+): bind: address already in use",
            r"failed to bind host port (?:for )?\S*:(?P<port>\d+)\S*: address already in use",
        ),
    ),
    Row(
        failure=FailureClass.DRIVER_PORT_UNDEFINED,
        family=Family.START,
        cause=Cause.SPEC,
        advice="the driver publishes port {label}, which no network block names: declare it, or correct the name",
        facts={
            "label": "the label in the driver's `ports`",
            "labels": "those of the group's network block, comma-separated",
        },
        may_help=(Kind.DRIVER_PORTS, Kind.PORT_ADDED, Kind.PORT_LABEL, Kind.DRIVER_KEY, Kind.PORT_TO),
        words=said(
            Where.DRIVER,
            r'Port "(?P<label>[^"]+)" not found, check network block',
            r"'port_map' cannot map group network ports, use 'ports' instead",
            r"Trying to map ports but no network interface is available",
        ),
    ),
    Row(
        failure=FailureClass.DRIVER_LIMIT,
        family=Family.START,
        cause=Cause.SPEC,
        advice="the driver refuses a limit: {problem}",
        facts={
            "problem": "the driver's words",
            "minimum": "the least memory in MB that it takes, where that is it",
            "key": "the resource or key: memory, pids_limit, command",
        },
        may_help=(Kind.MEMORY, Kind.DRIVER_VALUE, Kind.COMMAND),
        words=said(
            Where.DRIVER,
            r"(?P<problem>task (?P<key>memory) requirements exceed driver hard limit of (?P<floor>\d+) MB)",
            r"(?P<problem>[Mm]inimum (?P<key>memory) limit allowed is (?P<minimum>\d+)MB)",
            r"(?P<problem>(?P<key>pids_limit) cannot be greater than \S+)",
            r"(?P<problem>(?P<key>command) (?:empty|contains extra white space)[^\n]*)",
        ),
    ),
    Row(
        failure=FailureClass.DRIVER_NETWORK_MISSING,
        family=Family.START,
        cause=Cause.SPEC,
        advice="Docker on node {node} has no network {network}: make it there, or use the group's network block",
        facts={"network": "its name", "node": "the node's name"},
        may_help=(Kind.DRIVER_KEY, Kind.DRIVER_VALUE),
        words=said(Where.DRIVER, r"network (?P<network>\S+) not found"),
    ),
)

# Whatever else a driver says: tried when no other row, of any family, knows the words.
ANYTHING_ELSE = Row(
    failure=FailureClass.CONTAINER_START_FAILED,
    family=Family.START,
    cause=Cause.UNKNOWN,
    advice="the task could not be started; the driver's words say why: {problem}",
    facts={"problem": "the driver's words"},
    words=said(Where.DRIVER, r"(?P<problem>.{1,200})"),
    proof=Proof.SECOND,
)
