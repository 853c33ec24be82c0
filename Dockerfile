# The notification example: one image for its web app, its workers and its beats.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY pyproject.toml constraints.txt ./
# The dependencies before the sources: a change of these leaves the layer of those as it is.
RUN python -c "import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; extras = project['optional-dependencies']; print(*project['dependencies'], *extras['dashboard'], *extras['redis'], *extras['postgres'], 'aiosmtpd', sep='\n')" > requirements.txt \
 && python -m venv /opt/venv \
 && /opt/venv/bin/pip install -c constraints.txt -r requirements.txt \
 && pip install -c constraints.txt hatchling
COPY README.md LICENSE ./
COPY tickerq_celery tickerq_celery
COPY tickerq_entry.py ./
COPY pytest_tickerq pytest_tickerq
COPY dashboard dashboard
# Without isolation the build backend is the locked one, too.
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /opt/venv/bin/pip install --no-deps /wheel/*.whl \
 && /opt/venv/bin/pip check

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin tickerq
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv/notifications
COPY examples examples
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000
USER tickerq
EXPOSE 8000
# The web app is healthy when its dashboard answers: a restart mends no database.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import http.client, os, sys; web = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); web.request('GET', '/admin/tickerq/livez'); sys.exit(web.getresponse().status != 200)"]
CMD ["python", "-m", "examples.notifications.web"]
