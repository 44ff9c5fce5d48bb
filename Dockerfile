# The operator as a container: `docker build -t nomad-operator .`
# BASE is any image with Python >= 3.11, its venv module and apt-get. It runs as nobody special, on a read-only root:
#   docker run --read-only --tmpfs /tmp --volume nomad-operator:/var/lib/nomad-operator nomad-operator
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
# requirements-all.txt adds the extras memory, tracing and optimize: a much larger image.
ARG REQUIREMENTS=requirements.txt
WORKDIR /src
COPY requirements-build.txt ${REQUIREMENTS} ./
# Tools stay in /build; only what runs goes into /opt/nomad-operator, compiled, for nothing can be written there later.
RUN python3 -m venv /build \
 && /build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.txt \
 && python3 -m venv --without-pip /opt/nomad-operator \
 && /build/bin/pip --python /opt/nomad-operator/bin/python install --no-cache-dir --require-hashes -r ${REQUIREMENTS}
COPY pyproject.toml README.md ./
COPY operator operator
COPY reconcilers reconcilers
COPY desired desired
COPY observers observers
COPY prompts prompts
RUN /build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /build/bin/pip --python /opt/nomad-operator/bin/python install --no-cache-dir --no-deps --no-index /wheels/*.whl

FROM ${BASE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git openssh-client \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
 && groupadd --gid 10001 nomad-operator \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/nomad-operator --shell /usr/sbin/nologin nomad-operator \
 && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/nomad-operator
COPY --from=build /opt/nomad-operator /opt/nomad-operator
ENV PATH=/opt/nomad-operator/bin:$PATH \
    HOME=/var/lib/nomad-operator \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    NOMAD_OPERATOR_LISTEN=0.0.0.0:9650 \
    NOMAD_OPERATOR_STATE_URL=sqlite:////var/lib/nomad-operator/state.db
USER 10001:10001
WORKDIR /var/lib/nomad-operator
VOLUME /var/lib/nomad-operator
EXPOSE 9650
# Nomad and Kubernetes have checks of their own and leave this one alone; Docker and Podman show it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s CMD ["python3", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 9650, timeout=2); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["nomad-operator"]
CMD ["run"]
