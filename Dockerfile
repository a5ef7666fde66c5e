# The product as an image: no compiler, no root, no secrets. deploy/start tells what it can run.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements-production.txt /tmp/
RUN /opt/venv/bin/pip install --requirement /tmp/requirements-production.txt
COPY . /srv/countersign
WORKDIR /srv/countersign
# Only to collect the files: neither key nor address gets into the image's settings.
RUN DATABASE_URL=postgresql://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1 \
    COUNTERSIGN_SECRET_KEY=only-for-collecting-static-files-0123456789 \
    COUNTERSIGN_ENCRYPTION_KEYS=only-for-collecting-static-files-9876543210 \
    /opt/venv/bin/python manage.py collectstatic --noinput

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin countersign \
    && install --directory --owner=countersign --mode=0700 /var/lib/countersign
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/countersign /srv/countersign
WORKDIR /srv/countersign
USER countersign
EXPOSE 8000
ENTRYPOINT ["deploy/start"]
CMD ["web"]
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=3 CMD ["deploy/healthy", "web"]
