# The operator's image. Any base will do that has Python 3.11 or newer as python3, with venv; both stages use the
# same one, so that the environment fits the interpreter it is copied to.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
# prophet: every model a resource may name; postgres: a store that outlives the pod.
ARG EXTRAS=prophet,postgres
WORKDIR /src
RUN python3 -m venv /tools && python3 -m venv --without-pip /opt/autoscaler
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY autoscaler autoscaler
COPY models models
COPY operator operator
COPY dashboards dashboards
# Compiled here, since the root is read-only later. The libraries' own tests are a fifth of their size.
RUN /tools/bin/pip --python /opt/autoscaler/bin/python install --no-cache-dir --compile \
        --constraint constraints.txt ".[${EXTRAS}]" \
    && find /opt/autoscaler/lib -depth -type d -name tests -path '*/site-packages/*' -exec rm -r {} +

FROM ${PYTHON_IMAGE}
# OpenMP, which the learned model needs and slim images lack. Without it forecasts are made, but poorer.
RUN ldconfig -p | grep -q 'libgomp\.so\.1' \
    || { apt-get update -qq && apt-get install -y -qq --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*; }
COPY --from=build /opt/autoscaler /opt/autoscaler
# OPENBLAS_NUM_THREADS: the matrices are small. MALLOC_ARENA_MAX: each heap of its own that a thread gets keeps what
# was freed in it. HOME, MPLCONFIGDIR: the only folder that libraries may write to, whatever uid they run as.
ENV PATH=/opt/autoscaler/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OPENBLAS_NUM_THREADS=1 \
    MALLOC_ARENA_MAX=2 \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["autoscaler"]
CMD ["run", "--config", "/etc/predictive-autoscaler/config.yaml"]
