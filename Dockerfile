# The notification example: one image for its web app, its workers and its beats.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY tickerq_celery tickerq_celery
COPY dashboard dashboard
# Without isolation the build backend is the locked one, too.
RUN pip install -c constraints.txt hatchling \
 && pip wheel --no-deps --no-build-isolation --wheel-dir /wheel .
RUN python -m venv /opt/venv \
 && for wheel in /wheel/*.whl; do \
      /opt/venv/bin/pip install -c constraints.txt "${wheel}[dashboard,redis,postgres]" aiosmtpd || exit 1; \
    done

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin tickerq
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv/notifications
COPY examples examples
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000
USER tickerq
EXPOSE 8000
# The web app is healthy when its dashboard asks for a log-in.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import http.client, os, sys; web = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); web.request('GET', '/admin/tickerq/'); sys.exit(web.getresponse().status != 401)"]
CMD ["python", "-m", "examples.notifications.web"]
