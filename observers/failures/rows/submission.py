"""Family H: what the servers refuse before anything runs.

Source: nomad/structs Validate functions, jobspec2; recorded in scenarios hcl-errors, validation-errors, *-missing, ...
`observers.nomad.multierror` flattens the lists first, so that every mistake is judged by itself.
"""

from __future__ import annotations

from desired.cause import Cause
from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from observers.failures.row import Family, Proof, Row, Where, said

ROWS = (
    Row(
        failure=FailureClass.HCL_INVALID,
        family=Family.SUBMISSION,
        cause=Cause.SPEC,
        advice="the job file does not parse at {line}:{column}: {problem}",
        facts={
            "line": "in the job file",
            "column": "in the job file",
            "problem": "the parser's words",
            "name": "the block, argument, function or variable that is wrong",
            "suggestion": "what the parser takes it for",
        },
        words=said(
            Where.REFUSAL,
            r"^(?:input\.hcl:(?P<line>\d+),(?P<column>\d+)-[\d,]+|<nil>): (?P<problem>.+)$",
            r"^Failed to parse job: (?P<problem>.+)$",
            r"^(?P<problem>Job spec is empty)",
            r"^(?P<problem>json: cannot unmarshal .+)$",
            r"^(?P<problem>Job must be specified)",
        ),
    ),
    Row(
        failure=FailureClass.NAMESPACE_MISSING,
        family=Family.SUBMISSION,
        cause=Cause.CLUSTER,
        advice="there is no namespace {namespace}: create it, or correct the job's",
        facts={"namespace": "its name"},
        words=said(Where.REFUSAL, r'is in nonexistent namespace "(?P<namespace>[^"]*)"'),
    ),
    Row(
        failure=FailureClass.NODE_POOL_MISSING,
        family=Family.SUBMISSION,
        cause=Cause.SPEC,
        advice="there is no node pool {pool} (there are: {present}): correct it, or create it",
        facts={"pool": "its name", "present": "the pools there are, comma-separated, where they were read"},
        may_help=(Kind.NODE_POOL,),
        words=said(Where.REFUSAL, r'is in nonexistent node pool "(?P<pool>[^"]*)"'),
    ),
    Row(
        failure=FailureClass.NAMESPACE_CAPABILITY,
        family=Family.SUBMISSION,
        cause=Cause.CLUSTER,
        advice="the namespace does not allow {what} {name}: whoever keeps it must, or the job change",
        facts={"what": "task driver or group network mode", "name": "which one"},
        words=said(
            Where.REFUSAL,
            r'used (?P<what>task driver|group network mode) "(?P<name>[^"]*)" is not allowed in namespace',
        ),
    ),
    Row(
        failure=FailureClass.PERMISSION_DENIED,
        family=Family.SUBMISSION,
        cause=Cause.CLUSTER,
        advice="Nomad refuses the operator's token: whoever keeps its policy must allow this",
        facts={},
        words=said(Where.REFUSAL, r"^(?:.*: )?(?:Permission denied|ACL token not found|Forbidden|Unauthorized)\s*$"),
    ),
    Row(
        failure=FailureClass.REGISTRATION_DISABLED,
        family=Family.SUBMISSION,
        cause=Cause.TIME,
        advice="the scheduler configuration rejects registrations: whoever switched that on must switch it off",
        facts={},
        words=said(Where.REFUSAL, r"Job registration, dispatch, and scale are disabled by the scheduler configuration"),
        proof=Proof.NEVER,
    ),
    Row(
        failure=FailureClass.COUNT_TOO_HIGH,
        family=Family.SUBMISSION,
        cause=Cause.CLUSTER,
        advice="the job asks for {asked} allocations, the servers allow {most}: lower the count or raise job_max_count",
        facts={"asked": "the total count", "most": "job_max_count"},
        words=said(
            Where.REFUSAL,
            r"total count was greater than configured job_max_count: (?P<asked>\d+) > (?P<most>\d+)",
        ),
    ),
    Row(
        failure=FailureClass.TYPE_CHANGED,
        family=Family.SUBMISSION,
        cause=Cause.EXTERNAL,
        advice="a job of type {old} cannot become {new}: stop and purge it first, or give it another name",
        facts={"old": "what runs", "new": "what was asked for"},
        words=said(Where.REFUSAL, r'cannot update job from type "(?P<old>\w+)" to "(?P<new>\w+)"'),
    ),
    Row(
        failure=FailureClass.DEADLINES_INCONSISTENT,
        family=Family.SUBMISSION,
        cause=Cause.SPEC,
        advice="{lesser} ({found}) must be less than {greater} ({other})",
        facts={
            "lesser": "min_healthy_time or healthy_deadline",
            "found": "as Nomad says it, such as 20m0s, where it does",
            "greater": "healthy_deadline or progress_deadline",
            "other": "what that is",
            "block": "update or migrate",
        },
        may_help=(Kind.HEALTHY_DEADLINE, Kind.PROGRESS_DEADLINE, Kind.MIN_HEALTHY_TIME),
        words=said(
            Where.REFUSAL,
            r"(?P<lesser>Healthy deadline) must be less than (?P<greater>progress deadline): "
            r"(?P<found>\S+) > (?P<other>\S+)",
            r"(?P<lesser>Minimum healthy time) (?:must|may) (?:be less than|not be greater than) "
            r"(?P<greater>healthy deadline): (?P<found>\S+) > (?P<other>\S+)",
            r"(?P<lesser>MinHealthyTime) must be less than (?P<greater>HealthyDeadline)",
            r"KillTimout \((?P<found>[^)]+)\) longer than the group's (?P<greater>ProgressDeadline) "
            r"\((?P<other>[^)]+)\)",
        ),
    ),
    Row(
        failure=FailureClass.RESTART_POLICY_INVALID,
        family=Family.SUBMISSION,
        cause=Cause.SPEC,
        advice="the restart or reschedule policy cannot be kept: {problem}",
        facts={
            "problem": "Nomad's words",
            "policy": "restart or reschedule",
            "attempts": "as the job says it",
            "interval": "as Nomad says it",
            "delay": "as Nomad says it",
            "least": "the least that Nomad takes, as it says it",
            "mode": "the restart mode that it does not know",
        },
        may_help=(
            Kind.RESTART_ATTEMPTS,
            Kind.RESTART_DELAY,
            Kind.RESTART_INTERVAL,
            Kind.RESTART_MODE,
            Kind.RESCHEDULE_ATTEMPTS,
            Kind.RESCHEDULE_INTERVAL,
            Kind.RESCHEDULE_DELAY,
            Kind.RESCHEDULE_MAX_DELAY,
            Kind.RESCHEDULE_UNLIMITED,
        ),
        words=said(
            Where.REFUSAL,
            r"(?P<problem>Nomad can't restart the TaskGroup (?P<attempts>\d+) times in an interval of "
            r"(?P<interval>\S+) with a delay of (?P<delay>\S+))",
            r'(?P<problem>Unsupported restart mode: "(?P<mode>[^"]*)")',
            r'(?P<problem>Restart policy "(?P<mode>[^"]*)" with (?P<attempts>\d+) attempts is ambiguous)',
            r"(?P<problem>Interval can ?not be less than (?P<least>\S+) \(got (?P<interval>[^)]+)\))",
            r"(?P<problem>Nomad can only make (?P<attempts>\d+) attempts in (?P<interval>\S+) with initial delay "
            r"(?P<delay>[^\s,]+)[^\n]*)",
            r"(?P<problem>Set the interval to at least (?P<least>\S+) to accommodate (?P<attempts>\d+) attempts)",
            r"(?P<problem>Interval must be a non zero value if Attempts > 0)",
            r"(?P<problem>Reschedule Policy with Attempts = (?P<attempts>\d+), Interval = (?P<interval>[^\s,]+)[^\n]*)",
            r"(?P<problem>If Attempts >0, Unlimited cannot also be set to true)",
            r"(?P<problem>(?:Max )?Delay cannot be less than (?:Delay )?(?P<least>\S+) \(got (?P<delay>[^)]+)\))",
            r'(?P<problem>Invalid delay function "[^"]*", must be one of [^\n]*)',
            r"(?P<problem>Task Group \S+ should have a (?:restart|reschedule) policy)",
            r"(?P<problem>System or sysbatch jobs should not have a reschedule policy)",
        ),
    ),
    Row(
        failure=FailureClass.RESOURCES_BELOW_MINIMUM,
        family=Family.SUBMISSION,
        cause=Cause.SPEC,
        advice="{resource} is {found}, Nomad takes at least {minimum}",
        facts={
            "resource": "cpu, memory, memory_max, disk, log_files, log_file_size, cores",
            "found": "what the job says",
            "minimum": "the least that Nomad takes",
        },
        may_help=(Kind.CPU, Kind.MEMORY, Kind.MEMORY_MAX, Kind.DISK, Kind.LOG_FILES, Kind.LOG_FILE_SIZE, Kind.CORES),
        words=said(
            Where.REFUSAL,
            r"minimum (?P<resource>CPU|MemoryMB|DiskMB) value is (?P<minimum>\d+); got (?P<found>-?\d+)",
            r"minimum (?P<resource>number of files|file size) is (?P<minimum>\d+)(?:MB)?; got (?P<found>-?\d+)",
            r"(?P<resource>MemoryMaxMB) value \((?P<found>-?\d+)\) should be larger than MemoryMB value "
            r"\((?P<minimum>\d+)\)?",
            r"(?P<resource>cores) value \((?P<found>-\d+)\) cannot be negative",
        ),
    ),
    Row(
        failure=FailureClass.LOG_STORAGE_TOO_LARGE,
        family=Family.SUBMISSION,
        cause=Cause.SPEC,
        advice="logs may take {logs} MB, the group's disk is {disk} MB: fewer or smaller files, or more disk",
        facts={"logs": "MB, twice max_files × max_file_size as Nomad counts it", "disk": "MB"},
        may_help=(Kind.LOG_FILES, Kind.LOG_FILE_SIZE, Kind.DISK),
        words=said(
            Where.REFUSAL,
            r"log storage \((?P<logs>\d+) MB\) must be less than requested disk capacity \((?P<disk>\d+) MB\)",
        ),
    ),
    Row(
        failure=FailureClass.NAME_DUPLICATE,
        family=Family.SUBMISSION,
        cause=Cause.SPEC,
        advice="{what} {name} is there twice: rename or drop one",
        facts={
            "what": "group, task, service, check, template, secret, action, job",
            "name": "the name, or the destination of templates",
        },
        may_help=(Kind.CHECK_NAME,),
        words=said(
            Where.REFUSAL,
            r"Job task (?P<what>group) \d+ redefines '(?P<name>[^']*)' from group",
            r"(?P<what>Task) \d+ redefines '(?P<name>[^']*)' from task",
            r'(?P<what>check|service) "(?P<name>[^"]*)" is duplicate',
            r"(?P<what>Template) (?P<name>\d+) has same destination as \d+",
            r"(?P<what>Action) (?P<name>\S+) defined multiple times",
            r'Duplicate (?P<what>secret) "(?P<name>[^"]*)" found',
            r"Duplicate (?P<what>default identities) found",
            r"(?P<what>)Spread target value (?P<name>.+) already defined",
        ),
    ),
    Row(
        failure=FailureClass.VOLUME_UNDEFINED,
        family=Family.SUBMISSION,
        cause=Cause.SPEC,
        advice="a mount names the volume {volume}, which the group does not have (it has: {volumes}): correct it",
        facts={"volume": "its name", "volumes": "those of the group, comma-separated"},
        words=said(Where.REFUSAL, r"Volume Mount \(\d+\) references undefined volume (?P<volume>\S*)"),
    ),
    Row(
        failure=FailureClass.SPEC_INVALID,
        family=Family.SUBMISSION,
        cause=Cause.SPEC,
        advice="Nomad refuses the job: {problem}",
        facts={
            "problem": "Nomad's words",
            "subject": "check_path, check_type, check_interval, check_timeout, check_method, constraint, lifecycle, "
            "cpu_and_cores, service_name, job_type, driver, max_parallel: what it is about, where that is told apart",
            "found": "the value that is refused",
            "least": "the least that Nomad takes",
            "allowed": "what Nomad takes, comma-separated",
        },
        may_help=(
            Kind.CHECK_TYPE,
            Kind.CHECK_PATH,
            Kind.CHECK_INTERVAL,
            Kind.CHECK_TIMEOUT,
            Kind.CHECK_METHOD,
            Kind.CONSTRAINT_VALUE,
            Kind.CPU,
            Kind.CORES,
            Kind.MEMORY,
        ),
        words=said(
            Where.REFUSAL,
            r'(?P<problem>invalid (?P<subject>check type) \("(?P<found>[^"]*)"\), must be one of (?P<allowed>[\w, ]+))',
            r"(?P<problem>http type must have (?P<subject>(?:valid |relative )?http path))",
            r"(?P<problem>missing required value (?P<subject>interval|timeout)\. \w+ cannot be less than "
            r"(?P<least>\S+))",
            r"(?P<problem>(?P<subject>interval) \((?P<found>[^)]+)\) cannot be lower than (?P<least>\S+))",
            r"(?P<problem>(?P<subject>timeout) \((?P<found>[^)]+)\) is lower than required minimum timeout "
            r"(?P<least>\S+))",
            r'(?P<problem>(?P<subject>method) type "(?P<found>[^"]*)" not supported in Nomad http check)',
            r"(?P<problem>Task can only ask for '(?P<subject>cpu' or 'cores)' resource, not both\.)",
            r'(?P<problem>Invalid (?P<subject>job type): "(?P<found>[^"]*)")',
            r"(?P<problem>(?P<subject>Service name) must be valid per RFC 1123[^\n]*?(?:: \"(?P<found>[^\"]*)\")?)$",
            r"(?P<problem>(?P<subject>Constraint) \d+(?: validation failed)?: [^\n]+)",
            r"(?P<problem>Enforcing job modify index .*)",
            r"(?P<problem>.+)",
        ),
    ),
)
