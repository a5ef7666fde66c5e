"""The Django project: settings, urls, ASGI, Celery and the embedded services. Imported by none but Django."""
