# One image for the API and the worker; PostgreSQL and Valkey run beside it (docker-compose.yml).
FROM python:3.11-slim AS web
WORKDIR /build
COPY requirements/runtime.txt requirements/runtime.txt
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements/runtime.txt
COPY tools tools
COPY web web
RUN python tools/node.py npm --prefix web ci --ignore-scripts --no-audit --no-fund \
 && python tools/node.py npm --prefix web run build

FROM python:3.11-slim
RUN useradd --create-home --uid 1000 mobility
WORKDIR /app
COPY requirements/runtime.txt requirements/runtime.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY core core
COPY gtfs_data gtfs_data
COPY routing routing
COPY carpool carpool
COPY payments payments
COPY mobility mobility
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e .
COPY --from=web /build/web/dist web/dist
RUN mkdir /data && chown mobility /data
USER mobility
ENV MOBILITY_HOME=/data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=120s \
  CMD python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz')"
CMD ["mobility", "serve", "--host", "0.0.0.0", "--port", "8080"]
