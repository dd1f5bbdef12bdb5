# The application on Debian's slim Python, as an account that may write nothing. Migrations are a command of the same
# image: `flask db upgrade`. compose.yaml starts it with PostgreSQL and Redis.
FROM python:3.14-slim-trixie AS build
COPY requirements.txt /
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r /requirements.txt

FROM python:3.14-slim-trixie
# pg_dump and pg_restore, for `flask backup` and `flask restore`.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 999 --no-create-home --shell /usr/sbin/nologin shop
WORKDIR /shop
COPY --from=build /venv /venv
COPY . .
RUN python -m compileall -q .
ARG REVISION=""
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    FLASK_APP=flask_app APP_ENV=production PORT=8000 REVISION=$REVISION
USER 999
EXPOSE 8000
# Any Host is served there; the process answers, whatever is with the database.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=2)"]
CMD ["gunicorn", "flask_app:app"]
