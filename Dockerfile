# Warraq as an image: docs/install.md says how to build and run it.
FROM python:3.11-slim-bookworm

# The address that pytorch.org shows for pip and CPU; without it pip installs the CUDA build of torch.
ARG TORCH_INDEX_URL
RUN pip install --no-cache-dir ${TORCH_INDEX_URL:+--index-url $TORCH_INDEX_URL} torch==2.13.0

COPY pyproject.toml README.md LICENSE /src/
COPY indexer /src/indexer
COPY web /src/web
RUN pip install --no-cache-dir /src && rm -r /src

# The folders exist before the volumes do, so that new volumes belong to the user.
RUN useradd --create-home --uid 10001 warraq \
    && mkdir /archive /index /home/warraq/cache \
    && chown warraq:warraq /archive /index /home/warraq/cache
USER warraq
WORKDIR /home/warraq
ENV WARRAQ_CACHE=/home/warraq/cache PYTHONUNBUFFERED=1
VOLUME ["/archive", "/index", "/home/warraq/cache"]
EXPOSE 5000

# /livez needs no secret. Readiness is at /readyz: without an index it is 503, and the server lives.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5000/livez', timeout=4)"]

ENTRYPOINT ["warraq"]
# Refuses to start without a secret in WARRAQ_SECRET, since others can reach this address.
CMD ["serve", "--index", "/index", "--archive", "/archive", "--host", "0.0.0.0", "--port", "5000", "--allowed-host", "localhost"]
